"""Findings: losses of known entries alone, remedies finding by finding, samplers whose priors are what they draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from evenray.core.errors import DataError, UsageError
from evenray.core.recipe import Recipe
from evenray.learning.balance import DoubleCorrectionWarning, balances
from evenray.learning.tasks.sampling import Strata
from evenray.learning.tasks.tag import Tag

NAMES = ("nodule", "effusion", "hernia")
PLAIN_STEPS = sorted(set(balances) - {"double"})


def targets(cases: int = 400, unknown: float = 0.2, seed: int = 0) -> np.ndarray:
    """Findings that come together: who has a hernia is likelier to have an effusion."""
    rng = np.random.default_rng(seed)
    hernia = rng.random(cases) < 0.05
    has = np.column_stack([rng.random(cases) < 0.15, rng.random(cases) < np.where(hernia, 0.8, 0.3), hernia])
    found = has.astype(np.int64)
    found[rng.random(found.shape) < unknown] = -1
    return found


def loss_of(spec: str, y: np.ndarray, z: torch.Tensor, progress: float = 0.0) -> torch.Tensor:
    loss = Tag().remedy(spec, y, NAMES, "").balance.loss
    assert loss is not None
    return loss(z, torch.from_numpy(y), progress)


def test_the_plain_loss_is_the_mean_over_known_entries() -> None:
    y = targets()
    z = torch.randn(y.shape, dtype=torch.float64, requires_grad=True)
    known = torch.from_numpy(y >= 0)
    expected = binary_cross_entropy_with_logits(z[known], torch.from_numpy(y).double()[known])
    found = loss_of("none", y, z)
    assert found.item() == pytest.approx(expected.item())
    found.backward()  # type: ignore[no-untyped-call]
    assert z.grad is not None
    assert (z.grad[~known] == 0).all()
    assert (z.grad[known] != 0).all()


def test_the_parts_of_a_batch_add_up_to_the_whole() -> None:
    y, z = targets(64), torch.randn(64, 3, dtype=torch.float64)
    for spec in ("none", "weighted", "focal", "ldam", "logit_adjustment"):
        loss = Tag().remedy(spec, y, NAMES, "").balance.loss
        assert loss is not None
        whole = loss(z, torch.from_numpy(y), 0.0).item()
        parts = [loss(z[part], torch.from_numpy(y[part]), 0.0).item() for part in (slice(0, 20), slice(20, 64))]
        assert 20 / 64 * parts[0] + 44 / 64 * parts[1] == pytest.approx(whole)


def test_weights_are_those_of_each_finding() -> None:
    y = targets()
    z = torch.randn(y.shape, dtype=torch.float64)
    total = 0.0
    for k in range(3):
        known = y[:, k] >= 0
        own = torch.from_numpy(y[known, k]).double()
        present, absent = own.sum().item(), (1 - own).sum().item()
        # torch's pos_weight, scaled so that a case weighs one on average
        plain = binary_cross_entropy_with_logits(
            z[known, k], own, pos_weight=torch.tensor(absent / present), reduction="sum"
        )
        total += plain.item() * known.sum() / (2 * absent)
    assert loss_of("weighted", y, z).item() == pytest.approx(total / (y >= 0).sum(), rel=1e-5)


@pytest.mark.parametrize("spec", PLAIN_STEPS)
def test_every_remedy_trains_findings(spec: str) -> None:
    y = targets(64)
    remedy = Tag().remedy(spec, y, NAMES, "", epochs=4)
    z = torch.zeros(y.shape, requires_grad=True)
    x, told = torch.rand(64, 1, 8, 8), torch.from_numpy(y)
    if remedy.balance.mix is not None:
        x, told = remedy.balance.mix(x, told, np.random.default_rng(0))
        assert x.shape == (64, 1, 8, 8)
        assert ((told >= 0) <= (torch.from_numpy(y) >= 0)).all()  # nothing becomes known
    loss = remedy.balance.loss
    assert loss is not None
    value = loss(z, told, 0.9)
    value.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(value)
    assert z.grad is not None
    assert (z.grad[told < 0] == 0).all()
    p = np.column_stack(
        [q.probabilities(np.column_stack([np.zeros(9), np.linspace(-4, 4, 9)]))[:, 1] for q in remedy.questions]
    )
    assert (np.diff(p, axis=0) >= 0).all()
    if remedy.balance.sampler is not None:
        drawn = remedy.balance.sampler(y, batch=16, seed=0, epoch=3)
        assert len(drawn)
        assert set(drawn.tolist()) <= set(range(64))


@pytest.mark.parametrize("spec", ["oversample", "oversample(0.3)", "undersample"])
def test_the_prior_of_a_sampler_is_the_share_that_it_draws(spec: str) -> None:
    y = targets(300, seed=2)
    remedy = Tag().remedy(spec, y, NAMES, "")
    assert remedy.balance.sampler is not None
    seen = y[np.concatenate([remedy.balance.sampler(y, batch=30, seed=1, epoch=e) for e in range(60)])]
    for k, question in enumerate(remedy.questions):
        share = (seen[:, k] == 1).sum() / (seen[:, k] >= 0).sum()
        assert question.balance.prior is not None
        assert question.balance.prior[1] == pytest.approx(share, abs=0.02)
        assert question.prior[1] == pytest.approx((y[:, k] == 1).sum() / (y[:, k] >= 0).sum())


def test_model_json_is_enough_to_ask_again() -> None:
    y = targets()
    for spec in ("focal | oversample", "weighted", "minority_mixup"):
        remedy = Tag().remedy(spec, y, NAMES, "")
        z = np.random.default_rng(0).normal(size=(20, 3))
        again = Tag().questions(_model(spec, remedy.counts))
        nothing = [None] * 3
        here, there = (Tag().probabilities(asked, z, nothing, nothing) for asked in (remedy.questions, again))
        assert np.array_equal(here, there)


def _model(spec: str, counts: object) -> object:
    class Kept:
        balance, findings, classes = spec, counts, NAMES

    return Kept()


def test_strata_go_by_the_rarest_finding() -> None:
    strata = Strata.of(targets(unknown=0))
    rare = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert strata.of_cases(rare).tolist() == [strata.which[2], strata.which[0], strata.which[1], strata.which[3]]


def test_a_finding_that_nobody_has_is_trained_plainly_and_stays_improbable() -> None:
    y = targets()
    y[:, 2] = np.where(y[:, 2] == 1, 0, y[:, 2])
    remedy = Tag().remedy("weighted", y, NAMES, "")
    assert remedy.questions[2].prior[1] < 0.01
    y[:] = 0
    with pytest.raises(DataError, match="nothing to learn"):
        Tag().remedy("none", y, NAMES, "")


def test_two_corrections_are_told_once() -> None:
    with pytest.warns(DoubleCorrectionWarning) as told:
        Tag().remedy("oversample | weighted", targets(), NAMES, "")
    assert len(told) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"imbalance": "1:50"}, "--imbalance thins"),
        ({"prevalence": 0.1}, "name each whose share is known, as in nodule=0.1"),
        ({"prevalence": {"mass": 0.1}}, "names mass, but the findings are nodule"),
        ({"threshold": "cost(sick=5, well=1)"}, "the classes are absent, present"),
        ({"balance": "weighted(sick=3, well=1)"}, "the classes are absent, present"),
    ],
)
def test_what_findings_have_not_is_told(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Tag().check(Recipe(**change), NAMES, "")


def test_prevalences_move_the_findings_that_they_name() -> None:
    y = targets()
    remedy = Tag().remedy("none", y, NAMES, "")
    z = np.random.default_rng(1).normal(size=(50, 3))
    nothing = [None] * 3
    target = Tag().target({"effusion": 0.01}, NAMES, "")
    plain = Tag().probabilities(remedy.questions, z, nothing, nothing)
    moved = Tag().probabilities(remedy.questions, z, nothing, target)
    assert np.array_equal(plain[:, [0, 2]], moved[:, [0, 2]])
    odds = [p[:, 1] / (1 - p[:, 1]) for p in (plain, moved)]
    prior = remedy.questions[1].prior
    assert odds[1] / odds[0] == pytest.approx(0.01 / 0.99 * prior[0] / prior[1])
