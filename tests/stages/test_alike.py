"""An external test beside the internal one where their findings or classes differ: what is told is of those that both have."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.types import Predictions
from evenray.learning.balance import Balance
from evenray.learning.tasks.finding_scores import summarise_findings
from evenray.learning.tasks.mask_scores import summarise_masks
from evenray.learning.tasks.question import Question
from evenray.learning.tasks.scores import summarise
from evenray.metrics import score_findings
from evenray.metrics.paired import Difference
from evenray.metrics.pixel_bins import BINS
from evenray.metrics.transport import transport
from evenray.stages.alike import Alike, alike
from evenray.stages.external import changes_of

FINDINGS, CLASSES = ("a", "b", "c"), ("a", "b", "c", "d")
HALF = np.array([0.5, 0.5])
OF_FINDINGS = [Question(name, ("absent", "present"), "present", Balance(), HALF) for name in FINDINGS]
OF_CLASSES = [Question("", CLASSES, "d", Balance(), np.full(4, 0.25))]


def findings(seed: int, strength: tuple[float, ...], known: str = "abc", **more: object) -> Predictions:
    """300 patients with one image, whose findings are told apart by so many standard deviations."""
    rng, who = np.random.default_rng(seed), [f"{seed}-{i}" for i in range(300)]
    table: dict[str, object] = {"case": who, "patient": who, "part": ["test"] * 300}
    for k, (name, apart) in enumerate(zip(FINDINGS, strength, strict=True)):
        has = rng.random(300) < 0.4
        z = rng.normal(size=300) + apart * (has - 0.5)
        p = 1 / (1 + np.exp(-apart * z))
        told = pl.Series(has.tolist() if name in known else [None] * 300, dtype=pl.Boolean)
        table |= {f"target_{k}": told, f"logit_{k}": np.log(p / (1 - p)), f"p_{k}": p}
    return Predictions(pl.DataFrame(table).with_columns(**more), FINDINGS, "", "tag")


def told(found: Predictions, inside: Predictions) -> tuple[ScoresRecord, ScoresRecord]:
    priors = [HALF] * 3
    validation = findings(0, (2.5, 2.5, 0.8))
    scores, own = (
        summarise_findings({"validation": validation, "test": one}, "youden", priors, [None] * 3)
        for one in (found, inside)
    )
    return scores, own


def ranking(both: Alike) -> Difference:
    fall = changes_of(*both.scores)["auroc"]
    return Difference(fall.value, fall.low, fall.high, fall.p)


def test_a_set_that_knows_one_finding_is_set_beside_that_finding() -> None:
    """The other two are told better; outside c is told better than inside, and the mean over three is none of its figures."""
    found, inside = findings(1, (2.5, 2.5, 1.2), known="c"), findings(2, (2.5, 2.5, 0.8))
    scores, own = told(found, inside)
    unlike = changes_of(scores, own)["auroc"]
    assert unlike.value < 0
    assert unlike.p < 0.001
    both = alike(found, scores, inside, own, OF_FINDINGS, [None] * 3, seed=0)
    assert (both.over, both.cuts) == (("c",), [own.findings["c"].threshold])
    changes, each = changes_of(*both.scores), own.findings["c"].parts["test"].metrics
    assert set(changes) == set(scores.parts["test"].metrics)
    for name in ("auroc", "sensitivity", "brier"):
        assert changes[name].external.value == pytest.approx(scores.parts["test"].metrics[name].value)
        assert changes[name].internal.value == pytest.approx(each[name].value)
        assert changes[name].internal.low == pytest.approx(each[name].low, abs=0.02)
        assert changes[name].internal.baseline == pytest.approx(each[name].baseline)
    assert changes["auroc"].value > 0
    loss = transport(both.external, both.internal, ranking(both), resamples=50)
    assert loss is not None
    assert "ranking" not in loss.lost


def test_who_knows_the_prevalence_alone_knows_it_at_the_place_of_use_there_too() -> None:
    found, inside = findings(1, (2.5, 2.5, 1.2), known="c"), findings(2, (2.5, 2.5, 0.8))
    at = np.array([0.95, 0.05])
    scores, own = (
        summarise_findings({"validation": findings(0, (2.5, 2.5, 0.8)), "test": one}, "youden", [HALF] * 3, [at] * 3)
        for one in (found, inside)
    )
    changes = changes_of(*alike(found, scores, inside, own, OF_FINDINGS, [at] * 3, seed=0).scores)
    assert changes["brier"].internal.baseline == pytest.approx(0.05 * 0.95)
    assert changes["brier"].internal.baseline == pytest.approx(
        own.findings["c"].parts["test"].metrics["brier"].baseline
    )


def test_where_both_sets_have_the_same_findings_figures_are_as_they_are() -> None:
    found, inside = findings(1, (2.5, 2.5, 0.8), known="ab"), findings(2, (2.5, 2.5, 0.8), known="ab")
    scores, own = told(found, inside)
    both = alike(found, scores, inside, own, OF_FINDINGS, [None] * 3, seed=0)
    assert both.over == ("a", "b")
    assert both.scores == (scores, own)
    assert both.external.classes == both.internal.classes == ("a", "b")


def test_of_a_cross_validation_all_repeats_are_measured_at_the_thresholds_of_their_folds() -> None:
    cuts = {f"threshold_{k}": pl.lit(0.4 + 0.1 * k) for k in range(3)}
    repeats = [
        findings(2, (2.5, 2.5, 0.8 + 0.4 * r), repeat=r, fold=pl.int_range(pl.len()) % 3, **cuts) for r in (1, 2)
    ]
    test = Predictions(pl.concat([one.table for one in repeats]), FINDINGS, "", "tag")
    found = findings(1, (2.5, 2.5, 1.2), known="ac")
    scores, own = told(found, findings(2, (2.5, 2.5, 0.8)))
    both = alike(found, scores, test, own, OF_FINDINGS, [None] * 3, seed=0)
    assert both.internal.table.height == 300
    alone = [score_findings(_without_b(one), [0.4, 0.6], resamples=0).f1.value for one in repeats]
    assert changes_of(*both.scores)["f1"].internal.value == pytest.approx(np.mean(alone))


def _without_b(whole: Predictions) -> Predictions:
    table = whole.table.select("case", "patient", *(f"{name}_{k}" for k in (0, 2) for name in ("target", "logit", "p")))
    return Predictions(table.rename({f"{n}_2": f"{n}_1" for n in ("target", "logit", "p")}), ("a", "c"), "", "tag")


def test_nothing_in_common_is_no_loss() -> None:
    found, inside = findings(1, (2.5, 2.5, 0.8), known="a"), findings(2, (2.5, 2.5, 0.8), known="bc")
    scores, own = told(found, inside)
    both = alike(found, scores, inside, own, OF_FINDINGS, [None] * 3, seed=0)
    assert both.over == ()
    assert changes_of(*both.scores) == {}


def classes(seed: int, met: str = "abcd") -> Predictions:
    """c and d are told apart from all others, a from b hardly."""
    rng, who = np.random.default_rng(seed), [f"{seed}-{i}" for i in range(400)]
    target = rng.choice([CLASSES.index(name) for name in met], 400)
    z = rng.normal(size=(400, 4)) + np.array([0.7, 0.7, 4, 4]) * np.eye(4)[target]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    table = pl.DataFrame({"case": who, "patient": who, "part": "test", "target": target})
    return Predictions(table.with_columns(**{f"p_{k}": pl.Series(p[:, k]) for k in range(4)}), CLASSES, "d")


@pytest.mark.filterwarnings(
    "ignore:All-NaN slice"
)  # at shares of classes that the set lacks its own figures are not defined
@pytest.mark.parametrize("target", [None, np.array([0.1, 0.2, 0.3, 0.4])])
def test_of_classes_the_cases_are_measured_that_both_sets_have(target: np.ndarray | None) -> None:
    """The network is the same here and there; it is the classes that are gone which made the mean."""
    found, inside, validation = classes(1, "ab"), classes(2), classes(3)
    scores, own = (
        summarise({"validation": validation, "test": one}, None, np.full(4, 0.25), target) for one in (found, inside)
    )
    if target is None:
        unlike = changes_of(scores, own)["auroc"]
        assert unlike.value < -0.1
        assert unlike.p < 0.001
    both = alike(found, scores, inside, own, OF_CLASSES, [target], seed=0)
    assert both.over == ("a", "b")
    assert set(both.internal.targets) == {0, 1}
    changes = changes_of(*both.scores)
    for name in ("auroc", "accuracy", "log_loss", "calibration_slope"):
        assert changes[name].low < 0 < changes[name].high
    loss = transport(both.external, both.internal, ranking(both), resamples=50)
    assert loss is not None
    assert "ranking" not in loss.lost


def test_one_class_alone_has_no_ranking_and_no_loss() -> None:
    found, inside, validation = classes(1, "a"), classes(2), classes(3)
    scores, own = (
        summarise({"validation": validation, "test": one}, None, np.full(4, 0.25)) for one in (found, inside)
    )
    both = alike(found, scores, inside, own, OF_CLASSES, [None], seed=0)
    changes = changes_of(*both.scores)
    assert np.isnan(changes["auroc"].value)
    assert changes["accuracy"].low < 0 < changes["accuracy"].high
    assert transport(both.external, both.internal, ranking(both), resamples=50) is None


def masks(seed: int, marked: str) -> Predictions:
    """Sixty images; b is drawn better than a, where it is marked."""
    rng, who = np.random.default_rng(seed), [f"{seed}-{i}" for i in range(60)]
    table: dict[str, object] = {"case": who, "patient": who, "part": ["test"] * 60}
    for k, (name, strength) in enumerate((("a", 20), ("b", 60))):
        has = (rng.random(60) < 0.6) & (name in marked)
        counts = np.zeros((60, 2, BINS), int)
        counts[:, 0, 40], counts[:, 0, 200] = 300, rng.random(60) < 0.3  # not called, and called
        counts[has, 1, 200], counts[has, 1, 40] = rng.poisson(strength, has.sum()), 10
        table |= {f"target_{k}": has, f"bins_{k}": counts.reshape(60, -1).tolist()}
    return Predictions(pl.DataFrame(table), ("a", "b"), "", "segment")


def test_of_masks_what_needs_a_class_is_over_those_that_both_have() -> None:
    found, inside, cuts = masks(1, "a"), masks(2, "ab"), [0.5, 0.5]
    scores, own = (summarise_masks({"validation": inside, "test": one}, cuts, "dice") for one in (found, inside))
    questions = [Question(name, ("absent", "present"), "present", Balance(), HALF) for name in ("a", "b")]
    assert changes_of(scores, own)["dice"].high < 0
    both = alike(found, scores, inside, own, questions, [None, None], seed=0)
    changes = changes_of(*both.scores)
    assert both.over == ("a",)
    assert changes["dice"].internal.value == pytest.approx(own.findings["a"].parts["test"].metrics["dice"].value)
    assert changes["dice"].low < 0 < changes["dice"].high
    for name in ("clean", "brier"):  # which need no mark
        assert changes[name].internal == own.parts["test"].metrics[name]
        assert changes[name].external == scores.parts["test"].metrics[name]
    assert "accuracy" in changes_of(scores, own)
    assert "accuracy" not in changes  # of all classes, which are not those that both have
    nothing = masks(3, "")
    scores = summarise_masks({"validation": inside, "test": nothing}, cuts, "dice")
    both = alike(nothing, scores, inside, own, questions, [None, None], seed=0)
    assert both.over == ()
    assert {"clean", "brier"} <= set(changes_of(*both.scores)) <= set(scores.parts["test"].metrics) - {"dice", "iou"}
