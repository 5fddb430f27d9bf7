"""Differences between models: DeLong by hand, intervals that cover, Holm, and who cannot be told from the best."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import false_discovery_control, norm, ttest_ind

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Predictions
from evenray.metrics import (
    Difference,
    Spread,
    compare_models,
    compare_spreads,
    delong,
    delong_difference,
    difference,
    holm,
    score,
    seed_spread,
)
from evenray.metrics.intervals import replicates
from evenray.metrics.paired import from_replicates


def noisier(predictions, noise, seed=0):
    """The same cases, told with added noise."""
    rng = np.random.default_rng(seed)
    z = predictions.logits + rng.normal(scale=noise, size=predictions.logits.shape)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    columns = {f"logit_{k}": z[:, k] for k in range(z.shape[1])} | {f"p_{k}": p[:, k] for k in range(z.shape[1])}
    return Predictions(predictions.table.with_columns(**columns), predictions.classes, predictions.positive)


def delong_by_hand(scores, sick):
    """DeLong, DeLong & Clarke-Pearson 1988, written out over all pairs."""
    x, y = scores[sick], scores[~sick]
    wins = (x[:, None] > y).astype(float) + 0.5 * (x[:, None] == y)
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), v10, v01


@pytest.mark.parametrize("decimals", [None, 0])
def test_delong_is_its_formula(make_predictions, decimals):
    predictions = make_predictions(decimals=decimals)
    scores, sick = predictions.probabilities[:, 1], predictions.targets == 1
    area, v10, v01 = delong_by_hand(scores, sick)
    variance = v10.var(ddof=1) / sick.sum() + v01.var(ddof=1) / (~sick).sum()
    found = delong(predictions)
    half = 1.959964 * np.sqrt(variance) / (area * (1 - area))
    assert found.value == pytest.approx(area)
    assert np.log(found.high / (1 - found.high)) - np.log(area / (1 - area)) == pytest.approx(half, rel=1e-6)
    assert np.log(area / (1 - area)) - np.log(found.low / (1 - found.low)) == pytest.approx(half, rel=1e-6)


def test_delongs_difference_is_its_formula(make_predictions):
    one = make_predictions()
    other, sick = noisier(one, 0.7), one.targets == 1
    (a, a10, a01), (b, b10, b01) = (delong_by_hand(m.probabilities[:, 1], sick) for m in (one, other))
    variance = (a10 - b10).var(ddof=1) / sick.sum() + (a01 - b01).var(ddof=1) / (~sick).sum()
    found = delong_difference(one, other)
    assert found.value == pytest.approx(a - b)
    assert found.p == pytest.approx(2 * norm.sf(abs(a - b) / np.sqrt(variance)))
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


def test_delong_of_more_classes_is_of_the_mean_area_that_scores_have(make_predictions):
    """Each case has a share in the error of every class's area; a class that no case has counts in none of them."""
    for classes, absent in ((3, None), (4, 1)):
        base = make_predictions(cases=400, classes=classes, decimals=1)
        if absent is not None:
            base = Predictions(base.table.filter(pl.col("target") != absent), base.classes, base.positive)
        one, other = base, noisier(base, 0.8)
        watched, N = np.unique(one.targets), one.table.height
        areas, shares = np.zeros(2), np.zeros((2, N))
        for side, each in enumerate((one, other)):
            for k in watched:
                has = each.targets == k
                area, v10, v01 = delong_by_hand(each.probabilities[:, k], has)
                areas[side] += area / len(watched)
                for own, v in ((has, v10), (~has, v01)):
                    shares[side, own] += (v - v.mean()) / np.sqrt(len(v) * (len(v) - 1)) / len(watched)
        error = np.sqrt(((shares[0] - shares[1]) ** 2).sum())
        found = delong_difference(one, other)
        assert found.value == pytest.approx(areas[0] - areas[1])
        assert found.p == pytest.approx(2 * norm.sf(abs(areas[0] - areas[1]) / error))
        assert delong(one).value == pytest.approx(score(one, resamples=0).auroc.value)
        sampled = difference(one, other, "auroc")
        assert sampled.high - sampled.low == pytest.approx(found.high - found.low, rel=0.1)


def test_delong_and_the_bootstrap_agree_for_clustered_patients(make_predictions):
    """Four images a patient with a common deviation: both widen alike, and much beyond what single images would give."""
    rng = np.random.default_rng(0)
    sick, patients = np.repeat(rng.random(150) < 0.4, 4).astype(int), np.repeat(np.arange(150), 4)
    z = 1.0 * sick + np.repeat(rng.normal(size=150), 4) + 0.3 * rng.normal(size=600)
    base = make_predictions(cases=600)
    p = 1 / (1 + np.exp(-z))
    table = base.table.with_columns(
        patient=pl.Series([f"p{i}" for i in patients]), target=pl.Series(sick), p_0=pl.Series(1 - p), p_1=pl.Series(p)
    )
    clustered = Predictions(table, base.classes, "sick")
    alone = Predictions(table.with_columns(patient=pl.col("case")), base.classes, "sick")
    exact, sampled = delong(clustered), score(clustered, resamples=2000).auroc
    assert exact.high - exact.low == pytest.approx(sampled.high - sampled.low, rel=0.08)
    assert exact.high - exact.low > 1.6 * (delong(alone).high - delong(alone).low)


def test_delong_at_its_edges(binary):
    perfect = delong(binary([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]))
    assert perfect.value == 1
    assert np.isnan(perfect.low)
    with pytest.raises(DataError, match="cases of both kinds"):
        delong(binary([0.1, 0.2], [0, 0]))
    same = binary([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1])
    assert delong_difference(same, same).p == 1
    single = binary([0.9, 0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0, 0]), binary([0.35, 0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0, 0])
    two = binary([0.9, 0.8, 0.2, 0.3], [1, 1, 0, 0]), binary([0.5] * 4, [1, 1, 0, 0])
    for pair, gap in ((single, 0.25), (two, 0.5)):  # the error is unknown: one patient of a class; all pairs alike
        unknown = delong_difference(*pair)
        assert unknown.value == gap
        assert np.isnan([unknown.low, unknown.high, unknown.p]).all()


def test_small_figures_are_printed_truly():
    assert str(Difference(-0.00001, -0.0002, 0.0002, 0.0001)) == "0.000 (0.000 to 0.000; p < 0.001)"


def test_pairing_narrows_the_interval_and_order_does_not_matter(make_predictions):
    one = make_predictions(cases=500)
    other = noisier(one, 0.4)
    shuffled = Predictions(other.table.sample(fraction=1, shuffle=True, seed=1), other.classes, "sick")
    paired = difference(one, other, "auroc")
    assert difference(one, shuffled, "auroc") == paired
    a, b = score(one).auroc, score(other).auroc
    assert paired.value == pytest.approx(a.value - b.value)
    unpaired = np.hypot(a.high - a.low, b.high - b.low)
    assert paired.high - paired.low < 0.7 * unpaired
    exact = delong_difference(one, other)
    assert paired.high - paired.low == pytest.approx(exact.high - exact.low, rel=0.1)
    assert difference(other, one, "auroc").value == pytest.approx(-paired.value)


def test_equal_models_are_seldom_told_apart(make_predictions):
    """Two equally noisy readings of the same cases: p below 0.05 in about one of twenty."""
    told = 0
    for seed in range(40):
        base = make_predictions(cases=150, seed=seed)
        a, b = noisier(base, 0.8, seed=2 * seed), noisier(base, 0.8, seed=2 * seed + 1)
        told += difference(a, b, "auprc", resamples=300, seed=seed).p < 0.05
    assert told <= 7


def test_a_model_does_not_differ_from_itself(make_predictions):
    one = make_predictions()
    same = difference(one, one, "brier")
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_of_many_models_the_bad_are_told_from_the_best(binary):
    """Resamples alone give no p under 2 / (R + 1), which Holm's correction for 26 takes above .05."""
    rng, sick = np.random.default_rng(0), np.arange(400) % 2
    models = {f"m{i}": binary(norm.cdf(rng.normal(size=400)), sick) for i in range(26)}
    table = compare_models(
        models | {"best": binary(norm.cdf(rng.normal(size=400) + 4 * sick), sick)}, "auroc", resamples=1000
    )
    assert table["tied"].to_list() == [False] * 26 + [True]
    assert 0 < table["p_holm"][26] < 1e-6


def test_where_resamples_tell_little_the_normal_tail_is_no_smaller_than_it_ought_to_be(make_predictions):
    """Beside the exact test of DeLong, for a difference of some five errors."""
    one = make_predictions(cases=1500)
    other = noisier(one, 1.2)
    sampled, exact = difference(one, other, "auroc", resamples=1000), delong_difference(one, other)
    assert exact.p < 1e-4
    assert np.log10(sampled.p) == pytest.approx(np.log10(exact.p), rel=0.2)


def test_where_nothing_is_known_of_a_difference_nothing_is_told_apart():
    undefined = np.full(100, np.nan)
    spreads = {"a": Spread(np.array([0.5]), undefined), "b": Spread(np.array([0.9]), undefined)}
    spreads["never"] = Spread(np.array([np.nan]), undefined)
    assert compare_spreads(spreads, "auprc")["tied"].to_list() == [True, True, False]


def test_patients_known_in_one_of_two_are_those_of_both(binary):
    rng, sick, patients = np.random.default_rng(0), [0, 1] * 100, np.arange(200) // 2
    z = rng.normal(size=200) + sick
    better = z + 0.1 * rng.normal(size=200) + 0.05 * np.array(sick)
    known = [binary(norm.cdf(values), sick, patients) for values in (better, z)]
    alone = binary(norm.cdf(better), sick)
    for metric in ("auprc", "brier"):
        assert difference(alone, known[1], metric) == difference(*known, metric)
    assert delong_difference(alone, known[1]) == delong_difference(*known)
    renamed = Predictions(
        known[1].table.with_columns(patient="other " + pl.col("patient")), known[1].classes, known[1].positive
    )
    assert difference(known[0], renamed, "auprc") == difference(*known, "auprc")


def test_other_labels_are_refused(binary):
    one, other = binary([0.1, 0.2, 0.9], [0, 0, 1]), binary([0.1, 0.2, 0.9], [0, 1, 1])
    with pytest.raises(UsageError, match=r"1 of 3 cases have other labels .* \('case1' is sick and healthy\)"):
        difference(one, other)
    turned = Predictions(one.table, ("sick", "healthy"), "sick")
    with pytest.raises(UsageError, match="of different classes"):
        delong_difference(one, turned)


def test_differences_at_a_prevalence_are_those_of_the_scores(make_predictions):
    one = make_predictions(cases=400)
    other = noisier(one, 1.0)
    for metric in ("auprc", "brier", "ppv", "ece"):
        values = [score(each, prevalence=0.02, resamples=0).estimates[metric].value for each in (one, other)]
        assert difference(one, other, metric, prevalence=0.02, resamples=50).value == pytest.approx(
            values[0] - values[1]
        )
    table = compare_models({"one": one, "other": other}, "brier", prevalence=0.02, resamples=50)
    assert table["value"][1] == score(other, prevalence=0.02, resamples=0).brier.value


def test_holm_by_hand_and_against_bounds():
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.04]), [0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.5]), [0.5])
    assert holm([]).shape == (0,)
    p = np.random.default_rng(0).random(20) ** 3
    assert (holm(p) >= false_discovery_control(p) - 1e-12).all()  # stricter than the false discovery rate
    assert (holm(p) <= np.minimum(1, p * 20)).all()  # and no stricter than Bonferroni


def test_the_grid_names_the_best_and_those_that_cannot_be_told_from_it(make_predictions):
    base = make_predictions(cases=800, strength=2.0)
    models = {"none": noisier(base, 0.05, 1), "twin": noisier(base, 0.05, 2), "poor": noisier(base, 4.0, 3)}
    table = compare_models(models, "auprc", resamples=1000)
    assert table["model"].to_list() == ["none", "twin", "poor"]
    assert table["best"].sum() == 1
    assert table["tied"].to_list() == [True, True, False]
    assert table["difference"][0] == 0
    assert table["p_holm"][2] < 0.01
    expected = difference(models["poor"], models["none"], "auprc", resamples=1000)
    assert table["difference"][2] == pytest.approx(expected.value)
    assert table["difference_low"][2] == pytest.approx(expected.low)
    brier = compare_models(models, "brier", reference="poor", resamples=500)
    assert not brier["best"][2]  # the largest Brier score is the worst
    assert brier["difference"][0] < 0


def test_seeds_and_sampling_are_kept_apart(make_predictions):
    base = make_predictions(cases=600)
    steady, shaky = ([noisier(base, n, seed) for seed in range(6)] for n in (0.02, 1.5))
    calm, rough = (seed_spread(runs, "auroc", resamples=1000) for runs in (steady, shaky))
    assert calm.seed_deviation < 0.1 * calm.sampling_deviation
    assert rough.seed_deviation > 5 * calm.seed_deviation
    assert rough.value == pytest.approx(np.mean(rough.values))
    assert rough.seed_deviation == pytest.approx(np.std(rough.values, ddof=1))
    assert calm.high - calm.low == pytest.approx(2 * 1.96 * calm.sampling_deviation, rel=0.12)
    single = seed_spread(steady[:1], "auroc")
    assert np.isnan(single.seed_deviation)
    assert np.isfinite(single.low)


def test_mistakes_are_named(make_predictions):
    one, other = make_predictions(cases=20), make_predictions(cases=21)
    with pytest.raises(UsageError, match=r"different cases \(21 and 20\)"):
        difference(one, other)
    with pytest.raises(UsageError, match="no metric named 'auc'; did you mean"):
        difference(one, one, "auc")
    with pytest.raises(UsageError, match="no model named 'nine'"):
        compare_models({"none": one}, reference="nine")
    with pytest.raises(UsageError, match="There are no runs"):
        seed_spread([])


def test_differences_answer_for_the_seeds_as_students_test_does():
    """No patient matters here, so all uncertainty is that of the seeds: Student's interval with the pooled variance."""
    one, other = np.array([0.70, 0.72, 0.77]), np.array([0.60, 0.61, 0.68])
    still = np.zeros(20_000)
    spreads = {name: Spread(values, still + values.mean()) for name, values in (("other", other), ("one", one))}
    found = compare_spreads(spreads, "auprc").row(1, named=True)
    wanted = ttest_ind(one, other).confidence_interval(0.95)
    assert found["difference_low"] == pytest.approx(wanted.low, abs=0.005)
    assert found["difference_high"] == pytest.approx(wanted.high, abs=0.005)
    alone = {name: Spread(spread.values[:1], spread.replicates) for name, spread in spreads.items()}
    assert compare_spreads(alone, "auprc")["difference_low"][1] == pytest.approx(one.mean() - other.mean())


@pytest.mark.parametrize("classes", [2, 3])
def test_intervals_of_compared_models_are_those_of_their_scores(make_predictions, classes):
    predictions = make_predictions(cases=60, classes=classes)
    for name in ("auroc", "balanced_accuracy", "ece", "sensitivity"):
        row = compare_models({"one": predictions, "two": noisier(predictions, 0.5)}, name, resamples=200).row(
            0, named=True
        )
        expected = score(predictions, resamples=200).estimates[name]
        assert (row["value"], row["low"], row["high"]) == (expected.value, expected.low, expected.high)


def test_a_perfect_ranking_of_few_is_not_sure_in_a_comparison(make_predictions):
    table = make_predictions(cases=30).table.with_row_index().with_columns(target=(pl.col("index") < 4).cast(pl.Int64))
    perfect = Predictions(
        table.with_columns(p_1=pl.col("target") * 0.8, p_0=1 - pl.col("target") * 0.8), ("a", "b"), "b"
    )
    for runs in (perfect, [perfect, perfect]):
        row = compare_models({"one": runs}, "auroc", resamples=100).row(0, named=True)
        assert row["value"] == row["high"] == 1
        assert row["low"] < 0.9


@pytest.mark.parametrize("patients", [2, 4, 6, 10, 40])
def test_equal_models_are_told_apart_as_seldom_as_p_says(patients):
    """Of patients of several images each, in a figure that is a mean over these."""
    rng, runs, p = np.random.default_rng(patients), 500, []
    for run in range(runs):
        own = np.repeat(np.arange(patients), rng.integers(2, 6, patients))
        gap = rng.normal(0, 1, patients)[own] + rng.normal(0, 0.5, len(own))
        spread = replicates(lambda W, gap=gap: {"gap": (W @ gap) / W.sum(1)}, own, 300, run)["gap"]
        found = from_replicates(float(gap.mean()), spread, patients - 1)
        p.append(found.p)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0) or abs(found.p - 0.05) < 0.01
    assert np.mean(np.array(p) < 0.05) <= 0.085
    assert np.mean(np.array(p) < 0.001) <= 0.01


@pytest.mark.parametrize("sick", [5, 8])
def test_equal_rankings_of_few_patients_of_a_class_are_seldom_told_apart(binary, sick):
    told, runs, has = 0, 100, [1] * sick + [0] * 40
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        common = rng.normal(size=sick + 40) + np.array(has)
        one, other = (binary(norm.cdf(common + 0.7 * rng.normal(size=sick + 40)), has) for _ in range(2))
        told += difference(one, other, "auroc", resamples=300, seed=seed).p < 0.05
    assert told <= 9


def test_one_patient_tells_no_difference():
    assert np.isnan(from_replicates(0.3, np.full(100, 0.3), 0).p)
    assert np.isnan(from_replicates(0.3, np.full(100, 0.3), 5).p)
    assert from_replicates(0.0, np.zeros(100), 5).p == 1
