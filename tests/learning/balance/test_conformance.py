"""What every registered remedy must keep; each check is shown to bite on a planted fault at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from evenray.core.errors import DataError
from evenray.learning.balance import Balance, balances, make

CLASSES = ("healthy", "bacteria", "virus")
COUNTS = np.array([600, 240, 60])
Remedy = Callable[[np.ndarray], Balance]


def remedy(name: str) -> Remedy:
    return lambda counts: make(name, counts, CLASSES[: len(counts)])


def loss_of(balance: Balance, logits: torch.Tensor, targets: torch.Tensor, progress: float) -> torch.Tensor:
    return cross_entropy(logits, targets) if balance.loss is None else balance.loss(logits, targets, progress)


# --- the checks -------------------------------------------------------------------------------------------------------


def equal_counts_have_no_effect(remedy: Remedy) -> None:
    """Where classes are equal none is favoured; a loss whose logits are plain posteriors is plain cross-entropy."""
    counts, rng = np.array([40, 40, 40]), np.random.default_rng(0)
    balance, order = remedy(counts), [2, 0, 1]
    logits, targets = torch.from_numpy(rng.normal(size=(50, 3))), torch.from_numpy(rng.integers(0, 3, 50))
    renamed = torch.tensor([order.index(k) for k in range(3)])[targets]
    for progress in (0.0, 0.5, 1.0):
        value = loss_of(balance, logits, targets, progress)
        assert loss_of(balance, logits[:, order], renamed, progress).item() == pytest.approx(value.item(), rel=1e-6)
        if balance.link is None:
            assert value.item() == pytest.approx(cross_entropy(logits, targets).item(), rel=1e-6)
    if balance.prior is not None:
        np.testing.assert_allclose(balance.prior, 1 / 3, rtol=1e-6)
    if balance.sampler is not None:
        all_targets = rng.permutation(np.repeat([0, 1, 2], counts))
        for epoch in (0, 1, 30):
            drawn = balance.sampler(all_targets, batch=12, seed=0, epoch=epoch)
            assert sorted(drawn) == list(range(120)), "an epoch of equal classes is every case once"
    if balance.mix is not None:
        x = torch.rand(50, 1, 8, 8)
        mixed, labels = balance.mix(x, targets, rng)
        labels = one_hot(labels, 3) if labels.ndim == 1 else labels
        assert torch.equal(mixed, x)
        assert torch.equal(labels.double(), one_hot(targets, 3).double())


def an_absent_class_is_refused(remedy: Remedy) -> None:
    with pytest.raises(DataError, match="no case of bacteria"):
        remedy(np.array([5, 0, 3]))


def gradients_are_finite(remedy: Remedy) -> None:
    balance = remedy(COUNTS)
    for size in (0.0, 1.0, 50.0, 1e4):
        for progress in (0.0, 0.79, 1.0):
            sides = torch.tensor([[1.0, -1, 0], [-1, 1, 0], [0, 0, 1]]) * size
            for targets in (torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]), torch.full((3, 3), 1 / 3)):
                logits = sides.clone().requires_grad_()
                value = loss_of(balance, logits, targets, progress)
                value.backward()
                assert torch.isfinite(value), f"the loss is {value} at logits of {size}"
                assert torch.isfinite(logits.grad).all(), f"a gradient is not finite at logits of {size}"


def the_same_seed_gives_the_same(remedy: Remedy) -> None:
    balance, targets = remedy(COUNTS), np.random.default_rng(1).permutation(np.repeat([0, 1, 2], COUNTS))
    if balance.sampler is not None:
        kept = targets.copy()
        draws = [balance.sampler(targets, batch=16, seed=s, epoch=e) for s, e in ((0, 3), (0, 3), (1, 3), (0, 4))]
        assert draws[0].dtype == np.int64
        assert (draws[0] == draws[1]).all()
        assert not np.array_equal(draws[0], draws[2]), "the seed must matter"
        assert not np.array_equal(draws[0], draws[3]), "the epoch must matter"
        assert (targets == kept).all()
    if balance.mix is not None:
        x, t = torch.rand(16, 1, 9, 9), torch.from_numpy(targets[:16])
        kept_x = x.clone()
        first, again = (balance.mix(x, t, np.random.default_rng(5)) for _ in range(2))
        assert torch.equal(first[0], again[0])
        assert torch.equal(first[1], again[1])
        assert torch.equal(x, kept_x)
        assert first[0].dtype == x.dtype
        assert float(first[0].min()) >= 0
        assert float(first[0].max()) <= 1


def the_correction_restores_the_truth(remedy: Remedy) -> None:
    """A table of six kinds of case with known shares of each class; the logits that minimise the loss over what the
    sampler draws, corrected, are the shares again, and their mean is the base rate.
    """
    shares, cells, targets = known_posterior()
    balance = remedy(np.bincount(targets))
    corrected = np.exp(balance.correct(learnt(balance, cells, targets), np.bincount(targets)))
    base_rate = np.bincount(targets) / len(targets)
    np.testing.assert_allclose(corrected[cells].mean(axis=0), base_rate, atol=0.01)
    np.testing.assert_allclose(corrected, shares, atol=0.03)


CHECKS = [
    equal_counts_have_no_effect,
    an_absent_class_is_refused,
    gradients_are_finite,
    the_same_seed_gives_the_same,
    the_correction_restores_the_truth,
]


# --- a world whose posterior is known ----------------------------------------------------------------------------------


def known_posterior() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares (6, 3), and the kind (N,) and class (N,) of cases that have them exactly."""
    table = np.array([[300, 20, 1], [150, 60, 3], [80, 80, 8], [40, 60, 20], [25, 16, 20], [5, 4, 8]])
    cells, targets = (np.repeat(index, table.reshape(-1)) for index in np.divmod(np.arange(18), 3))
    order = np.random.default_rng(0).permutation(len(cells))
    return table / table.sum(axis=1, keepdims=True), cells[order], targets[order]


def learnt(balance: Balance, cells: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The logits (6, 3) at which the loss over late epochs is least, found by a quasi-Newton method."""
    drawn = np.arange(len(cells))
    if balance.sampler is not None:
        drawn = np.concatenate([balance.sampler(targets, batch=30, seed=0, epoch=e) for e in range(20, 60)])
    x = one_hot(torch.from_numpy(cells[drawn]), 6).double()[:, :, None, None]
    y = torch.from_numpy(targets[drawn])
    if balance.mix is not None:
        batches, rng = torch.arange(len(y)).split(64), np.random.default_rng(0)
        mixed = [balance.mix(x[b], y[b], rng) for b in batches]
        x, y = torch.cat([m[0] for m in mixed]), torch.cat([m[1] for m in mixed])
    logits = torch.zeros(6, 3, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [logits], max_iter=300, tolerance_grad=1e-10, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        search.zero_grad()
        value = loss_of(balance, x[:, :, 0, 0] @ logits, y, 1.0)
        value.backward()
        return value

    search.step(closure)
    return logits.detach().numpy()


# --- every remedy, and some settings beside the defaults ---------------------------------------------------------------

SPECS = [
    *balances,
    "weighted(sqrt)",
    "weighted(effective, beta=0.99)",
    "oversample(0.5)",
    "focal(gamma=0.5)",
    "focal(gamma=0)",
    "focal(gamma=5)",
    "logit_adjustment(tau=0.5)",
    "ldam(margin=5, defer=1)",
    "undersample | focal(gamma=2)",
]
# The table's pictures are told apart by their brightness alone, so there its change is no harmless one.
UNCHANGED_LIGHT = {"oversample_augmented": "oversample_augmented(light=0)"}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("spec", SPECS)
def test_conformance(spec, check):
    if check is the_correction_restores_the_truth:
        spec = UNCHANGED_LIGHT.get(spec, spec)
    check(remedy(spec))


# --- the checks bite ---------------------------------------------------------------------------------------------------


def favours_the_last(counts):
    return Balance(loss=lambda z, t, p: cross_entropy(z, t, torch.tensor([1.0, 1, 2]).to(z)))


def leaves_one_out(counts):
    return Balance(
        sampler=lambda t, *, batch, seed, epoch: np.random.default_rng([seed, epoch]).permutation(len(t))[1:]
    )


def divides_by_the_count(counts):
    return Balance(loss=lambda z, t, p: cross_entropy(z, t, torch.tensor(1 / counts).to(z)) / float(1 / counts.min()))


def takes_a_bare_logarithm(counts):
    return Balance(loss=lambda z, t, p: -(z.softmax(1).log() * (one_hot(t, 3) if t.ndim == 1 else t)).sum(1).mean())


def forgets_the_epoch(counts):
    return replace(
        make("oversample", counts, CLASSES),
        sampler=lambda t, *, batch, seed, epoch: np.random.default_rng(seed).permutation(len(t)),
    )


def inverts_its_weights(counts):
    """The commonest slip: the majority weighs more, while the prior says otherwise."""
    right = make("weighted(auto)", counts, CLASSES)
    weights = torch.tensor(counts / counts.sum() * len(counts))
    return replace(right, loss=lambda z, t, p: cross_entropy(z, t, weights.to(z), reduction="sum") / len(z))


def forgets_its_prior(counts):
    return replace(make("oversample", counts, CLASSES), prior=None)


def forgets_its_link(counts):
    return replace(make("focal", counts, CLASSES), link=None)


@pytest.mark.parametrize(
    ("check", "faulty"),
    [
        (equal_counts_have_no_effect, favours_the_last),
        (equal_counts_have_no_effect, leaves_one_out),
        (gradients_are_finite, takes_a_bare_logarithm),
        (the_same_seed_gives_the_same, forgets_the_epoch),
        (the_correction_restores_the_truth, inverts_its_weights),
        (the_correction_restores_the_truth, forgets_its_prior),
        (the_correction_restores_the_truth, forgets_its_link),
    ],
)
def test_the_check_bites(check, faulty):
    with pytest.raises(AssertionError):
        check(faulty)


def test_the_check_for_absent_classes_bites():
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        an_absent_class_is_refused(divides_by_the_count)
