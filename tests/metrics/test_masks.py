"""Figures of masks from counted pixels against masks themselves, simulated intervals, and how empty masks count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score, jaccard_score

from evenray.core.errors import UsageError
from evenray.core.types import Predictions
from evenray.metrics import compare_models
from evenray.metrics.masks import chosen_threshold, counts_of, measured_masks, score_masks, threshold_rule
from evenray.metrics.pixel_bins import BINS, CENTRES, STEP, best_threshold, edge_of, rebinned, swept, threshold_at


def drawn(
    N: int = 30, seed: int = 0, empty: float = 0.2, shift: float = 2.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Masks of 20 x 20 and log-odds of their pixels, one patient an image."""
    rng = np.random.default_rng(seed)
    true = np.zeros((N, 20, 20), bool)
    for i in range(N):
        if rng.random() >= empty:
            row, column, side = [*rng.integers(0, 12, 2).tolist(), int(rng.integers(3, 8))]
            true[i, row : row + side, column : column + side] = True
    skill = rng.normal(shift, 0.8, (N, 1, 1))  # an image is easy or hard as a whole
    return true, rng.normal(-3, 1, true.shape) + true * (skill + 3)


def predictions(true: NDArray[np.bool_], log_odds: NDArray[np.float64], **more: object) -> Predictions:
    place = np.clip(np.floor((log_odds - CENTRES[0]) / STEP + 0.5), 0, BINS - 1).astype(int)
    rows = [
        np.stack([np.bincount(p[~t], minlength=BINS), np.bincount(p[t], minlength=BINS)]).reshape(-1).tolist()
        for p, t in zip(place, true, strict=True)
    ]
    names = [f"c{i}" for i in range(len(true))]
    table = pl.DataFrame(
        {"case": names, "patient": names, "part": "test", "target_0": true.any(axis=(1, 2)), "bins_0": rows, **more}
    )
    return Predictions(table, ("lesion",), "", "segment")


def test_overlap_at_a_threshold_is_that_of_the_masks_themselves() -> None:
    true, log_odds = drawn()
    found = measured_masks(predictions(true, log_odds), [threshold_at(120)], resamples=0)
    called = log_odds >= CENTRES[120] - STEP / 2
    has = true.any(axis=(1, 2))
    flat = [(t.reshape(-1), c.reshape(-1)) for t, c in zip(true[has], called[has], strict=True)]
    assert found["dice"].value == pytest.approx(np.mean([f1_score(t, c) for t, c in flat]))
    assert found["iou"].value == pytest.approx(np.mean([jaccard_score(t, c) for t, c in flat]))
    assert found["dice_pooled"].value == pytest.approx(f1_score(true.reshape(-1), called.reshape(-1)))
    assert found["accuracy"].value == pytest.approx((true == called).mean())
    assert found["clean"].value == pytest.approx((~called[~has].any(axis=(1, 2))).mean())
    p = 1 / (1 + np.exp(-log_odds))
    assert found["brier"].value == pytest.approx(((p - true) ** 2).mean(), abs=2e-3)  # by bins of .1


def test_calling_nothing_is_right_for_most_pixels_and_finds_nothing() -> None:
    true, log_odds = drawn()
    whole, by_class = score_masks(predictions(true, log_odds), [0.5], resamples=0)
    assert whole.estimates["accuracy"].baseline == pytest.approx(1 - true.mean())
    for name in ("dice", "iou", "sensitivity", "dice_pooled"):
        assert whole.estimates[name].baseline == 0
    assert whole.estimates["clean"].baseline == 1
    assert repr(by_class["lesion"].estimates) == repr(whole.estimates)
    nothing = predictions(true, np.full(log_odds.shape, -9.0))
    told = measured_masks(nothing, [0.5], resamples=0)
    assert told["dice"].value == 0
    assert told["accuracy"].value == whole.estimates["accuracy"].baseline
    everything = measured_masks(predictions(true, np.full(log_odds.shape, 9.0)), [0.5], resamples=0)
    assert everything["dice_gain"].value == pytest.approx(0)


def test_no_figure_hides_empty_masks() -> None:
    """A false call where nothing is moves what counts all images, and is told by `clean`; Dice is of the others."""
    true, log_odds = drawn(empty=0.5)
    before = measured_masks(predictions(true, log_odds), [0.5], resamples=0)
    wrong = log_odds.copy()
    wrong[~true.any(axis=(1, 2)), :5, :5] = 8
    after = measured_masks(predictions(true, wrong), [0.5], resamples=0)
    assert after["dice"].value == before["dice"].value
    assert after["clean"].value == 0
    assert after["dice_pooled"].value < before["dice_pooled"].value
    missed = log_odds.copy()
    missed[np.flatnonzero(true.any(axis=(1, 2)))[0]] = -9
    first = measured_masks(predictions(true, missed), [0.5], resamples=0)
    assert first["dice"].value < before["dice"].value


def test_areas_agree_as_bland_and_altman_have_it() -> None:
    true, log_odds = drawn()
    rng = np.random.default_rng(3)
    area, gap = rng.uniform(10, 200, 30), rng.normal(4, 9, 30)
    columns = {
        "area_true_0": area,
        "area_called_0": area + gap,
        "hd95_0": 2.0,
        "lesions_0": 2,
        "found_0": 1,
        "false_lesions_0": 3,
    }
    whole, _ = score_masks(predictions(true, log_odds, **columns, diagonal=28.0), [0.5], resamples=0)
    told = whole.estimates
    assert told["area_bias"].value == pytest.approx(gap.mean())
    assert told["area_high"].value - told["area_low"].value == pytest.approx(2 * 1.96 * gap.std(), rel=1e-3)
    assert told["area_bias"].baseline == pytest.approx(-area.mean())
    assert (told["lesion_sensitivity"].value, told["false_lesions"].value, told["hd95"].value) == (0.5, 3.0, 2.0)
    assert (told["false_lesions"].baseline, told["hd95"].baseline) == (0.0, 28.0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """The mean Dice of many images is known; intervals of 40 of them hold it in about 95 of 100 samples."""
    true, log_odds = drawn(3000, seed=7)
    truth = measured_masks(predictions(true, log_odds), [0.5], resamples=0)["dice"].value
    held = 0
    for seed in range(100):
        own = np.random.default_rng(seed).choice(3000, 40, replace=False)
        one = measured_masks(predictions(true[own], log_odds[own]), [0.5], seed=seed, resamples=300)["dice"]
        held += one.low <= truth <= one.high
    assert 87 <= held <= 100


def test_images_of_one_patient_stand_together() -> None:
    true, log_odds = drawn(20)
    twice = predictions(np.concatenate([true, true]), np.concatenate([log_odds, log_odds]))
    apart = replace(twice, table=twice.table.with_columns(patient=pl.lit(None, pl.String)))
    together = replace(twice, table=twice.table.with_columns(patient=pl.Series([f"p{i % 20}" for i in range(40)])))
    wide, narrow = (measured_masks(each, [0.5], resamples=500)["dice"] for each in (together, apart))
    assert wide.high - wide.low == pytest.approx((narrow.high - narrow.low) * 2**0.5, rel=0.2)


def test_means_are_over_the_classes() -> None:
    true, log_odds = drawn()
    other, said = drawn(seed=5)
    one, two = predictions(true, log_odds), predictions(other, said)
    both = Predictions(
        one.table.with_columns(two.table["bins_0"].alias("bins_1"), two.table["target_0"].alias("target_1")),
        ("a", "b"),
        "",
        "segment",
    )
    each = [measured_masks(which, [0.4], resamples=0)["dice"].value for which in (one, two)]
    assert measured_masks(both, [0.4, 0.4], resamples=0)["dice"].value == pytest.approx(np.mean(each))
    assert counts_of(both, 1).sum() == true.size


def test_models_are_compared_in_pairs() -> None:
    true, log_odds = drawn(60)
    worse = log_odds + np.random.default_rng(1).normal(0, 4, log_odds.shape)
    table = compare_models(
        {"good": predictions(true, log_odds), "bad": predictions(true, worse)}, "dice", resamples=300
    )
    assert table["difference"][1] < -0.05
    assert table["p"][1] < 0.01
    assert table["tied"].to_list() == [True, False]


def test_the_chosen_threshold_is_the_best_of_all() -> None:
    true, log_odds = drawn(seed=2)
    found = predictions(true, log_odds)
    chosen = chosen_threshold(found, 0, "dice")
    dice = [measured_masks(found, [threshold_at(edge)], resamples=0)["dice"].value for edge in range(0, BINS + 1, 4)]
    assert measured_masks(found, [chosen], resamples=0)["dice"].value >= max(dice) - 1e-12
    assert (
        measured_masks(found, resamples=0)["dice"].value == measured_masks(found, [chosen], resamples=0)["dice"].value
    )
    at = chosen_threshold(found, 0, "sensitivity(0.95)")
    called = log_odds >= np.log(at / (1 - at))
    has = true.any(axis=(1, 2))
    shares = [(c & t).sum() / t.sum() for c, t in zip(called[has], true[has], strict=True)]
    assert 0.95 <= np.mean(shares) < 0.97
    assert chosen_threshold(found, 0, "at(0.3)") == 0.3


@pytest.mark.parametrize("rule", ["youden", "at", "sensitivity(1.5)", "dice(0.5)", "at(0.2, 0.3)"])
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(UsageError, match="rule for the threshold of masks"):
        threshold_rule(rule)


def test_sums_from_each_bin_on_are_those_of_the_pixels() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 5, (3, 2, BINS))
    called, hit = swept(counts)
    for edge in (0, 17, BINS):
        assert called[:, edge].tolist() == counts[:, :, edge:].sum(axis=(1, 2)).tolist()
        assert hit[:, edge].tolist() == counts[:, 1, edge:].sum(axis=1).tolist()
    assert all(edge_of(threshold_at(edge)) == edge for edge in range(0, BINS, 7))


def test_pixels_keep_their_number_when_bins_move() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (4, 2, BINS))
    moved = rebinned(counts, 0.5 * CENTRES + 1)
    assert (moved.sum(axis=2) == counts.sum(axis=2)).all()
    assert (rebinned(counts, CENTRES) == counts).all()
    assert best_threshold(np.zeros((3, 2, BINS), int)) == 0.5


def told(has: list[list[bool]], hit: float, called: int = 100) -> Predictions:
    """Images of a patient each, and whether they have each class; so much of it is found, and nothing called elsewhere."""
    columns: dict[str, object] = {}
    for k, own in enumerate(np.array(has).T):
        counts = np.zeros((len(own), 2, BINS), int)
        counts[:, 0, 40] = 900
        share = np.linspace(hit - 0.1, hit + 0.1, own.sum()) if hit < 1 else np.ones(own.sum())
        counts[own, 1, 200] = (called * share).astype(int)
        counts[own, 1, 40] = called - counts[own, 1, 200]
        columns |= {f"target_{k}": own, f"bins_{k}": counts.reshape(len(own), -1).tolist()}
    cases = [str(i) for i in range(len(has))]
    table = pl.DataFrame({"case": cases, "patient": cases, "part": "test", **columns})
    return Predictions(table, tuple("abc"[: len(has[0])]), "", "segment")


def test_few_images_are_not_sure_of_anything() -> None:
    """All right in each of three images, and one image alone."""
    figures = score_masks(told([[i < 3] for i in range(6)], 1.0), [0.5])[0].estimates
    for name in ("clean", "sensitivity"):
        assert figures[name].value == 1
        assert figures[name].low == pytest.approx(binomtest(3, 3).proportion_ci(method="wilson").low)
    assert np.isnan(figures["dice"].low)
    alone = score_masks(told([[True], [False], [False]], 0.5), [0.5])[0].estimates
    assert np.isnan(alone["dice"].low)
    assert alone["sensitivity"].high - alone["sensitivity"].low > 0.5


def test_the_interval_of_a_mean_is_of_the_same_classes_in_every_resample() -> None:
    """The organ is in all twelve images, the tumour in two: the mean was told as up to the organ's own."""
    organ, tumour = told([[True]] * 12, 0.9), told([[i < 2] for i in range(12)], 0.2)
    table = organ.table.with_columns(bins_1=tumour.table["bins_0"], target_1=tumour.table["target_0"])
    both = Predictions(table, ("organ", "tumour"), "", "segment")
    mean = measured_masks(both, [0.5, 0.5])["dice"]
    own = [measured_masks(each, [0.5])["dice"] for each in (organ, tumour)]
    assert mean.value == pytest.approx((own[0].value + own[1].value) / 2)
    known = mean.replicates[~np.isnan(mean.replicates)]
    assert np.isnan(mean.replicates).mean() == pytest.approx((1 - 2 / 12) ** 11, abs=0.04)
    assert np.abs(known - mean.value).max() < 0.2
    spread = np.array([mean.low, mean.high]) - mean.value
    assert np.abs(spread) == pytest.approx(
        np.hypot(*[[one.value - one.low, one.high - one.value] for one in own]) / 2, rel=0.1
    )
    assert mean.freedom == pytest.approx(1, abs=0.3)  # what varies is the tumour, in two patients
