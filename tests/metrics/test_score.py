"""Scores against scikit-learn, by hand, and at their edges."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Predictions
from evenray.metrics import METRICS, RECALIBRATION, confusion, decide, measured, per_class, score
from evenray.metrics._meter import Meter


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("threshold", [0.2, None])
def test_two_classes_agree_with_scikit_learn(make_predictions, decimals, threshold):
    predictions = make_predictions(decimals=decimals)
    scores = score(predictions, threshold, resamples=0)
    t, p = predictions.targets, predictions.probabilities[:, 1]
    called = decide(predictions, threshold)
    expected = {
        "accuracy": sk.accuracy_score(t, called),
        "balanced_accuracy": sk.balanced_accuracy_score(t, called),
        "sensitivity": sk.recall_score(t, called),
        "specificity": sk.recall_score(t, called, pos_label=0),
        "ppv": sk.precision_score(t, called),
        "npv": sk.precision_score(t, called, pos_label=0),
        "f1": sk.f1_score(t, called),
        "mcc": sk.matthews_corrcoef(t, called),
        "auroc": sk.roc_auc_score(t, p),
        "auprc": sk.average_precision_score(t, p),
        "brier": sk.brier_score_loss(t, p),
        "log_loss": sk.log_loss(t, predictions.probabilities),
    }
    assert {name: scores.estimates[name].value for name in expected} == pytest.approx(expected, rel=1e-10)
    assert (scores.confusion == sk.confusion_matrix(t, called)).all()
    assert tuple(scores.estimates) == (*METRICS, *RECALIBRATION)


def test_several_classes_agree_with_scikit_learn(make_predictions):
    predictions = make_predictions(cases=400, classes=4)
    scores = score(predictions, resamples=0)
    t, p = predictions.targets, predictions.probabilities
    called, truth = p.argmax(axis=1), np.eye(4)[predictions.targets]
    expected = {
        "accuracy": sk.accuracy_score(t, called),
        "balanced_accuracy": sk.balanced_accuracy_score(t, called),
        "sensitivity": sk.recall_score(t, called, average="macro"),
        "ppv": sk.precision_score(t, called, average="macro"),
        "f1": sk.f1_score(t, called, average="macro"),
        "mcc": sk.matthews_corrcoef(t, called),
        "auroc": sk.roc_auc_score(t, p, multi_class="ovr"),
        "auprc": sk.average_precision_score(truth, p, average="macro"),
        "brier": sk.brier_score_loss(t, p),
        "log_loss": sk.log_loss(t, p),
    }
    assert {name: scores.estimates[name].value for name in expected} == pytest.approx(expected, rel=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_weights_count_like_repeated_cases(data):
    """Every metric under whole weights is that of the cases written out as often, as scikit-learn has it."""
    n = data.draw(st.integers(4, 30))
    p = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), min_size=n, max_size=n)))
    t = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    w = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    T, P = np.repeat(t, w), np.repeat(p, w)
    both = np.column_stack([1 - p, p])
    found = {k: v[0] for k, v in Meter(both, t, (p >= 0.5).astype(np.int64), 1)(w[None].astype(np.float32)).items()}
    if len(set(T)) < 2:
        assert math.isnan(found["auroc"])
        return
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(T, P), rel=1e-5)
    assert found["auprc"] == pytest.approx(sk.average_precision_score(T, P), rel=1e-5)
    assert found["brier"] == pytest.approx(sk.brier_score_loss(T, P), rel=1e-5, abs=1e-7)
    assert found["sensitivity"] == pytest.approx(sk.recall_score(T, P >= 0.5), rel=1e-5)
    assert found["mcc"] == pytest.approx(sk.matthews_corrcoef(T, P >= 0.5), abs=1e-6)


def test_expected_calibration_error_by_hand(binary):
    # Bins of width 1/15: 0.1, 0.1 -> observed 1/2, forecast 0.1; 0.9 x 4 -> observed 3/4, forecast 0.9.
    predictions = binary([0.1, 0.1, 0.9, 0.9, 0.9, 0.9], [1, 0, 1, 1, 1, 0])
    assert score(predictions, resamples=0).ece.value == pytest.approx((2 * 0.4 + 4 * 0.15) / 6)


def test_always_healthy_is_right_for_all_but_one_and_finds_nobody(binary):
    """The slide: one sick, five hundred healthy."""
    scores = score(binary([0.0] * 500 + [0.4], [0] * 500 + [1]), 0.5, resamples=200)
    baseline = {name: estimate.baseline for name, estimate in scores.estimates.items()}
    prevalence = 1 / 501
    expected = {
        "accuracy": 500 / 501,
        "balanced_accuracy": 0.5,
        "sensitivity": 0.0,
        "specificity": 1.0,
        "npv": 500 / 501,
        "f1": 0.0,
        "mcc": 0.0,
        "auroc": 0.5,
        "auprc": prevalence,
        "brier": prevalence * (1 - prevalence),
        "ece": 0.0,
        "log_loss": -prevalence * math.log(prevalence) - (1 - prevalence) * math.log(1 - prevalence),
    }
    assert {name: baseline[name] for name in expected} == pytest.approx(expected)
    assert math.isnan(baseline["ppv"])  # it calls nobody sick
    assert scores.accuracy.value == baseline["accuracy"]
    assert scores.sensitivity.value == 0


@pytest.mark.parametrize("classes", [2, 3])
def test_a_baseline_whose_majority_is_positive_is_as_the_guide_says(make_predictions, classes):
    predictions = make_predictions(classes=classes, prevalence=0.8)
    scores, p = score(predictions, resamples=0), float((predictions.targets == classes - 1).mean())
    K = 1 if classes == 2 else classes  # of several classes the mean: the others are never called
    expected = {"sensitivity": 1 / K, "ppv": p / K, "f1": 2 * p / (1 + p) / K, "mcc": 0, "auroc": 0.5, "accuracy": p}
    found = {name: scores.estimates[name].baseline for name in expected}
    assert found == pytest.approx(expected)
    assert found["f1"] == pytest.approx(
        sk.f1_score(predictions.targets, np.full(300, classes - 1), average="binary" if classes == 2 else "macro")
    )
    if classes == 2:
        assert scores.specificity.baseline == 0
        assert math.isnan(scores.npv.baseline)
    guide = (Path(__file__).parents[2] / "docs/guides/evaluation.md").read_text(encoding="utf-8")
    assert "f1 is 2π / (1 + π) where the positive class is the majority" in guide
    assert "f1 2p / (1 + p)" in str(score.__doc__)


def test_the_baseline_knows_the_training_prior_only(binary):
    scores = score(binary([0.2, 0.3, 0.8, 0.9], [0, 0, 1, 1]), prior=[9, 1], resamples=0)
    assert scores.accuracy.baseline == 0.5
    assert scores.brier.baseline == pytest.approx((0.1**2 + 0.9**2) / 2)
    assert scores.ece.baseline == pytest.approx(0.4)


def test_intervals_cover_the_truth_about_as_often_as_they_say(make_predictions):
    """AUROC of a binormal model is known: Phi(d / sqrt(2)); 95 % intervals ought to hold it in 90 to 99 of 100 draws."""
    from scipy.stats import norm

    truth = norm.cdf(1.0)  # the difference of two logits, each with unit variance, shifts by 2: d = sqrt(2)
    held = 0
    for seed in range(100):
        estimate = score(make_predictions(cases=200, seed=seed, prevalence=0.3), resamples=300, seed=seed).auroc
        held += estimate.low <= truth <= estimate.high
    assert 88 <= held <= 100


def test_images_of_one_patient_do_not_pass_for_independent(make_predictions):
    alone = make_predictions(cases=200)
    copies = 5
    table = alone.table.with_columns(patient=alone.table["case"])
    repeated = Predictions(
        type(table)({name: np.repeat(table[name].to_numpy(), copies) for name in table.columns}), alone.classes, "sick"
    )
    one, many = score(alone, resamples=2000).auroc, score(repeated, resamples=2000).auroc
    assert many.value == pytest.approx(one.value)
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.1)


def test_same_seed_same_intervals_and_another_seed_others(make_predictions):
    predictions = make_predictions(patients=90)
    again, other = score(predictions, seed=3), score(predictions, seed=4)
    assert str(score(predictions, seed=3).estimates) == str(again.estimates)
    assert other.auprc != again.auprc
    assert other.auprc.value == again.auprc.value


def test_replicates_without_a_class_are_left_out(binary):
    predictions = binary([0.1, 0.2, 0.3, 0.9], [0, 0, 0, 1])
    spread = {name: found.replicates for name, found in measured(predictions, resamples=500).items()}
    share = np.isnan(spread["auroc"]).mean()
    assert share == pytest.approx(0.75**3 + 0.25**3, abs=0.06)  # of three patients drawn
    assert np.isnan(spread["auroc"]).any()
    estimate = score(predictions, resamples=500).brier
    assert not np.isnan([estimate.low, estimate.high]).any()


def test_a_part_without_the_sick_is_scored_as_far_as_it_goes(binary):
    scores = score(binary([0.1, 0.2, 0.6], [0, 0, 0]), resamples=50)
    assert all(
        math.isnan(x) for x in (scores.sensitivity.value, scores.auroc.value, scores.auroc.low, scores.auprc.value)
    )
    assert scores.specificity.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("sick", [1, 2, 3, 10])
def test_the_fewer_the_sick_the_less_a_perfect_ranking_shows(binary, sick):
    """Three of three found is 1.000 (0.292 to 1.000), and so it is with every figure that the smallest class bounds."""
    found = score(binary([0.1] * 40 + [0.9] * sick, [0] * 40 + [1] * sick), resamples=50)
    for name in ("auprc", "f1", "mcc", "sensitivity", "ppv"):
        estimate = found.estimates[name]
        assert (estimate.low, estimate.high) == (pytest.approx(0.025 ** (1 / sick)), 1)
    assert found.balanced_accuracy.low < 1 == found.balanced_accuracy.high
    m, n, theta = sick, 40, found.auroc.low  # the least area from which 1 is 1.96 of its errors away
    error = theta * (1 - theta) * (1 + ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (m * n)
    assert (1 - theta) ** 2 == pytest.approx(1.959964**2 * error, rel=1e-4)
    assert found.auroc.high == 1


def test_one_wrong_of_a_rare_class_leaves_the_mean_over_classes_open():
    """Four classes of fifty are right, and the only case of the fifth is not: a bootstrap sees 0.8 to 0.8."""
    target = [k for k in range(4) for _ in range(50)] + [4]
    p = np.full((201, 5), 0.02)
    p[np.arange(201), [*target[:-1], 0]] = 0.92
    table = {"target": target, "patient": [None] * 201, **{f"p_{k}": p[:, k] for k in range(5)}}
    found = score(
        Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), tuple("abcde"), "e"), resamples=50
    )
    for estimate in (found.balanced_accuracy, found.sensitivity):
        assert estimate.value == pytest.approx(0.8)
        assert estimate.low < 0.79
        assert estimate.high > 0.9


@pytest.mark.parametrize(("sick", "healthy", "apart"), [(5, 80, 2.5), (20, 20, 3.0)])
def test_the_interval_of_auroc_covers_with_few_sick(binary, sick, healthy, apart):
    """A bootstrap of the patients covers .7 of the time here."""
    truth, rng, held = norm.cdf(apart / 2**0.5), np.random.default_rng(0), 0
    for _ in range(200):
        z = np.append(rng.normal(size=healthy), rng.normal(apart, size=sick))
        estimate = score(binary(norm.cdf(z), [0] * healthy + [1] * sick), resamples=1).auroc
        held += estimate.low <= truth <= estimate.high
    assert held >= 0.88 * 200


def test_a_figure_about_a_class_without_cases_is_nan_never_0(binary):
    for target, lost in ((0, ("sensitivity", "ppv")), (1, ("specificity", "npv"))):
        found = score(binary([0.1, 0.2, 0.6], [target] * 3), resamples=50)
        for name in ("f1", "mcc", "balanced_accuracy", *lost) if target == 0 else ("mcc", "balanced_accuracy", *lost):
            assert math.isnan(found.estimates[name].value)


def test_a_calibration_error_that_chance_explains_reaches_to_0(binary):
    rng, reached = np.random.default_rng(0), 0
    for _ in range(40):
        p = rng.beta(2, 5, size=300)
        reached += score(binary(p, (rng.random(300) < p).astype(int)), resamples=100).ece.low == 0
    assert reached >= 36
    p = rng.beta(2, 5, size=2000)
    bent = score(binary(p, (rng.random(2000) < p**2).astype(int)), resamples=100).ece
    assert 0 < bent.low < bent.value


def test_a_class_absent_from_the_part_is_left_out_of_means(make_predictions):
    predictions = make_predictions(cases=300, classes=3)
    part = Predictions(predictions.table.filter(predictions.table["target"] != 1), predictions.classes, "sick")
    recalls = [(decide(part, None)[part.targets == k] == k).mean() for k in (0, 2)]
    scores = score(part, resamples=50)
    assert scores.balanced_accuracy.value == pytest.approx(np.mean(recalls))
    assert all(np.isfinite(scores.estimates[name].low) for name in METRICS)


def test_a_share_of_one_has_an_interval(binary):
    """Three of three found does not prove that all will be: the exact bound over the three patients is 0.292."""
    patients = [0, 1, 2, 2, 3, 4, 5]
    found = score(
        binary([0.1, 0.2, 0.9, 0.9, 0.8, 0.7, 0.3], [0, 0, 1, 1, 1, 1, 0], patients), 0.5, resamples=100
    ).sensitivity
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 3))


def test_prevalence_moves_predictive_values_by_bayes_and_leaves_rates_alone(make_predictions):
    predictions = make_predictions(prevalence=0.4)
    here, there = score(predictions, 0.4), score(predictions, 0.4, prevalence=0.01)
    sensitivity, specificity = here.sensitivity.value, here.specificity.value
    sick, healthy = 0.01 * sensitivity, 0.99 * (1 - specificity)
    assert there.sensitivity.value == here.sensitivity.value
    assert there.sensitivity.low == pytest.approx(here.sensitivity.low, abs=1e-6)
    assert there.auroc.value == pytest.approx(here.auroc.value)
    assert there.ppv.value == pytest.approx(sick / (sick + healthy))
    assert there.npv.value == pytest.approx(0.99 * specificity / (0.99 * specificity + 0.01 * (1 - sensitivity)))
    assert there.ppv.low < there.ppv.value < there.ppv.high
    assert there.accuracy.baseline == pytest.approx(0.99)


def test_the_positive_class_may_stand_first(binary):
    predictions = binary([0.1, 0.6, 0.4, 0.9, 0.7], [0, 0, 1, 1, 1])
    flipped = Predictions(predictions.table, predictions.classes, "healthy")
    one, other = score(predictions, 0.5, resamples=0), score(flipped, 0.5, resamples=0)
    assert one.sensitivity.value == other.specificity.value
    assert one.ppv.value == other.npv.value
    assert one.auroc.value == pytest.approx(other.auroc.value)
    assert (confusion(predictions, 0.5) == confusion(flipped, 0.5)).all()


def test_mistakes_are_named(binary, make_predictions):
    empty = binary([0.5], [1])
    empty = Predictions(empty.table.clear(), empty.classes, "sick")
    with pytest.raises(DataError, match="no predictions"):
        score(empty)
    with pytest.raises(UsageError, match="for two classes, but there are 3"):
        score(make_predictions(classes=3), 0.5)
    with pytest.raises(UsageError, match="prevalence is 1"):
        score(binary([0.5], [1]), prevalence=1.5)
    with pytest.raises(UsageError, match="share for each of healthy, sick"):
        score(binary([0.5], [1]), prior=[1, 2, 3])


def test_each_class_against_the_rest(make_predictions):
    predictions = make_predictions(cases=400, classes=3)
    each, whole = per_class(predictions, resamples=100), score(predictions, resamples=0)
    assert list(each) == list(predictions.classes)
    for name in ("auroc", "auprc", "sensitivity", "specificity", "f1"):
        assert np.mean([s.estimates[name].value for s in each.values()]) == pytest.approx(whole.estimates[name].value)
    sick = each["sick"]
    t, called = predictions.targets == 2, predictions.probabilities.argmax(axis=1) == 2
    assert sick.ppv.value == pytest.approx(sk.precision_score(t, called))
    assert sick.confusion.tolist() == sk.confusion_matrix(t, called).tolist()
    assert sick.sensitivity.low < sick.sensitivity.value < sick.sensitivity.high
    assert sick.accuracy.baseline == pytest.approx(1 - t.mean())
    two = make_predictions()
    assert [str(e) for e in per_class(two, 0.3)["sick"].estimates.values()] == [
        str(e) for e in score(two, 0.3).estimates.values()
    ]


def test_the_interval_of_the_calibration_error_holds_its_value_and_leans_to_the_truth(make_predictions):
    """The forecasts are the true posteriors, so the true error is 0, yet chance alone makes ece positive."""
    estimates = [score(make_predictions(cases=400, seed=s), resamples=200).ece for s in range(10)]
    assert all(e.low <= e.value <= e.high for e in estimates)
    assert sum(e.low < 0.02 for e in estimates) >= 8
    assert all(e.high < 2 * e.value for e in estimates)


def test_a_class_missing_from_a_resample_leaves_that_replicate_out(make_predictions):
    predictions = make_predictions(cases=60, classes=3, prevalence=0.03, seed=4)
    few = int((predictions.targets == 2).sum())
    assert 1 <= few <= 3
    spread = measured(predictions, resamples=1000)["auroc"].replicates
    assert np.isnan(spread).mean() == pytest.approx((1 - few / 60) ** 60, abs=0.05)


def test_a_perfect_forecast_at_a_prevalence_has_a_calibration_error_that_reaches_to_0(binary):
    """100 sick and 250 healthy, forecast rightly for a place where a twentieth is sick."""
    rng, reached, apart = np.random.default_rng(0), 0, 1.5
    sick = np.repeat([1, 0], [100, 250])
    for _ in range(40):
        z = rng.normal(size=350) + apart * sick
        p = 1 / (1 + np.exp(-(apart * z - apart**2 / 2 + np.log(0.05 / 0.95))))
        reached += score(binary(p, sick), prevalence=0.05, resamples=100).ece.low == 0
    assert reached >= 35
    bent = score(binary(p**0.3, sick), prevalence=0.05, resamples=100).ece
    assert 0 < bent.low < bent.value


def test_ten_images_of_each_of_five_sick_patients_are_few(binary):
    """A bootstrap of five patients covers .8 of the time."""
    rng, held = np.random.default_rng(0), 0
    patients = [*np.repeat(np.arange(5), 10), *range(5, 55)]
    for _ in range(200):
        z = np.append(np.repeat(rng.normal(scale=0.8, size=5), 10) + rng.normal(scale=0.6, size=50) + 0.7, [-2.0] * 50)
        estimate = score(binary(norm.cdf(z), [1] * 50 + [0] * 50, patients), resamples=1).sensitivity
        held += estimate.low <= norm.cdf(0.7) <= estimate.high
    assert held >= 0.84 * 200


def test_of_a_class_with_one_patient_little_is_known(binary):
    p = [0.9, 0.8, 0.7, 0.2, *np.linspace(0, 0.6, 40)]
    found = score(binary(p, [1] * 4 + [0] * 40, [0] * 4 + list(range(1, 41))), 0.5, resamples=200)
    assert found.sensitivity.low < 0.2
    assert found.sensitivity.high > 0.95
    for name in ("f1", "mcc", "auprc"):
        assert not math.isnan(found.estimates[name].value)
        assert math.isnan(found.estimates[name].low)


def test_a_specificity_of_0_at_a_prevalence_is_0_with_its_exact_bound(binary):
    p, sick = [*np.linspace(0.3, 0.9, 30), *np.linspace(0.1, 0.6, 70)], [1] * 30 + [0] * 70
    found = score(binary(p, sick), 0.0, prevalence=0.05, resamples=50).specificity
    assert str(found).startswith("0.000 (0.000 to 0.051;")  # 1 - .025 ** (1 / 70)


@pytest.mark.parametrize(
    ("sick", "healthy", "share", "sensitivity", "specificity"), [(40, 100, 0.05, 0.8, 0.99), (10, 200, 0.5, 0.88, 0.9)]
)
def test_predictive_values_at_a_prevalence_are_covered(binary, sick, healthy, share, sensitivity, specificity):
    """With one false alarm in a hundred, many parts have none: PPV 1.000 (0.832 to 1.000) was said of .81, and covered .69."""
    right, wrong = share * sensitivity, (1 - share) * (1 - specificity)
    truth = {"ppv": right / (right + wrong), "accuracy": right + (1 - share) * specificity}
    truth["npv"] = (1 - share) * specificity / ((1 - share) * specificity + share * (1 - sensitivity))
    rng, held = np.random.default_rng(0), dict.fromkeys(truth, 0)
    for _ in range(100):
        p = np.append(rng.random(sick) < sensitivity, rng.random(healthy) >= specificity) * 0.8 + 0.1
        found = score(binary(p, [1] * sick + [0] * healthy), prevalence=share, resamples=100).estimates
        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high
    assert min(held.values()) >= 88, held


def test_one_patient_of_a_class_tells_little_at_any_prevalence(binary):
    p = [0.9] * 27 + [0.2] * 3 + [0.1]
    found = score(binary(p, [1] * 30 + [0]), prevalence=0.05, resamples=100)
    assert found.accuracy.low < 0.1
    assert found.ppv.low < 0.1
    for name in ("brier", "log_loss", "ece", "mcc"):
        assert math.isnan(found.estimates[name].low), name


def test_what_is_undefined_has_no_interval(make_predictions):
    found = score(make_predictions(), 0.5, prevalence=[1.0, 0.0], resamples=50)
    assert math.isnan(found.sensitivity.value)
    assert math.isnan(found.sensitivity.low)


def test_probabilities_that_are_no_numbers_are_refused(binary):
    with pytest.raises(DataError, match=r"probabilities of 1 of 4 cases are no numbers \('case2' is the first\)"):
        score(binary([0.8, 0.9, math.nan, 0.2], [1, 1, 0, 0]))


def test_at_a_prevalence_one_class_alone_tells_its_own_rate(binary):
    found = score(binary([0.7, 0.8, 0.2], [0, 0, 0]), prevalence=0.1, resamples=50)
    assert found.specificity.value == pytest.approx(1 / 3)
    assert all(math.isnan(each.value) for name, each in found.estimates.items() if name != "specificity")


def test_where_most_resamples_lack_a_class_there_is_no_interval():
    """Nine cases of nine classes: one resample of a thousand has all of them, and that one is the cases themselves."""
    p = np.random.default_rng(0).dirichlet(np.ones(9), size=9) + np.eye(9) * 0.05
    table = {"case": [str(i) for i in range(9)], "target": range(9), "patient": [None] * 9}
    table |= {f"p_{k}": (p / p.sum(axis=1, keepdims=True))[:, k] for k in range(9)}
    found = score(Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), tuple("abcdefghi"), "i"))
    assert 0 < found.auprc.value < 1
    for name, each in found.estimates.items():
        assert math.isnan(each.low) or each.low <= each.value <= each.high, name
    assert math.isnan(found.auprc.low)
    assert math.isnan(found.mcc.low)
