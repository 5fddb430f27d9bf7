"""Thresholds chosen by rule, checked against trying every one."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.core.errors import DataError, UsageError
from evenray.core.forms import numbers_by_class
from evenray.core.spec import by_class
from evenray.metrics import choose_threshold, score, threshold_spread
from evenray.metrics.operating import OperatingPoints

SCORES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.9, 1.0]), st.integers(0, 1)), min_size=2, max_size=25
)


def rates(p, t, threshold):
    return (p[t == 1] >= threshold).mean(), (p[t == 0] < threshold).mean()


def log_odds(p):
    return np.log(p / (1 - p))


def every_division(p):
    return [*np.unique(p), 1.1]


@settings(max_examples=60, deadline=None)
@given(cases=SCORES)
def test_each_rule_finds_the_best_of_all_thresholds(binary, cases):
    p, t = np.array([c[0] for c in cases]), np.array([c[1] for c in cases])
    if len(set(t)) < 2:
        return
    predictions = binary(list(p), list(t))
    tried = np.array([rates(p, t, x) for x in every_division(p)])
    prevalence = t.mean()

    sensitivity, specificity = rates(p, t, choose_threshold(predictions))
    assert sensitivity + specificity == pytest.approx(tried.sum(axis=1).max())

    for place, rule in enumerate(("sensitivity(0.8)", "specificity(0.8)")):
        n = int((t == 1 - place).sum())
        if n < 4:  # the lowest of three is missed by a new case one time in four
            with pytest.raises(DataError, match=f"{rule[:11]}.*needs 4 patients"):
                choose_threshold(predictions, rule)
            continue
        reached = rates(p, t, choose_threshold(predictions, rule))
        least = 1 - (int(0.2 * (n + 1) + 1e-9) - 1) / n  # all but the cases before the k-th
        assert reached[place] >= least - 1e-9
        assert reached[1 - place] == pytest.approx(tried[tried[:, place] >= least - 1e-9, 1 - place].max())

    costs = 500 * prevalence * (1 - tried[:, 0]) + (1 - prevalence) * (1 - tried[:, 1])
    sensitivity, specificity = rates(p, t, choose_threshold(predictions, "cost(sick=500, healthy=1)"))
    found = 500 * prevalence * (1 - sensitivity) + (1 - prevalence) * (1 - specificity)
    assert found == pytest.approx(costs.min(), abs=1e-9)

    benefit = prevalence * tried[:, 0] - 0.1 / 0.9 * (1 - prevalence) * (1 - tried[:, 1])
    sensitivity, specificity = rates(p, t, choose_threshold(predictions, "net_benefit(at=0.1)"))
    found = prevalence * sensitivity - 0.1 / 0.9 * (1 - prevalence) * (1 - specificity)
    assert found == pytest.approx(benefit.max(), abs=1e-9)


def test_calibrated_forecasts_get_the_textbook_cost_threshold(make_predictions):
    """Where p is the true posterior, acting pays from cost(healthy) / (cost(healthy) + cost(sick)) on."""
    predictions = make_predictions(cases=200_000, prevalence=0.1)
    assert choose_threshold(predictions, "cost(sick=9, class0=1)") == pytest.approx(0.1, abs=0.03)
    assert choose_threshold(predictions, "net_benefit(at=0.3)") == pytest.approx(0.3, abs=0.05)
    assert choose_threshold(predictions, "net_benefit") == choose_threshold(predictions)
    at = choose_threshold(predictions, "net_benefit(at=0.3)", prevalence=0.001)
    assert at > 0.9  # the same risk scores, read where the disease is rarer, must be higher to be worth acting on


def test_rules_that_do_not_look(make_predictions):
    predictions = make_predictions(prevalence=0.2)
    assert choose_threshold(predictions, "prevalence") == pytest.approx(predictions.targets.mean())
    assert choose_threshold(predictions, "prevalence", prevalence=0.01) == pytest.approx(0.01)
    assert choose_threshold(predictions, "fixed(0.3)") == 0.3


def test_the_middle_between_neighbours_is_taken_in_log_odds(binary):
    found = choose_threshold(binary([0.1, 0.2, 0.6, 0.7], [0, 0, 1, 1]))
    assert log_odds(found) == pytest.approx((log_odds(0.2) + log_odds(0.6)) / 2)
    neighbours = [0.5, np.nextafter(0.5, 1)]
    assert (
        score(binary(neighbours, [0, 1]), choose_threshold(binary(neighbours, [0, 1])), resamples=0).accuracy.value == 1
    )


@pytest.mark.parametrize("rule", ["youden", "net_benefit", "sensitivity(0.6)", "specificity(0.6)"])
@settings(max_examples=30, deadline=None)
@given(cases=SCORES, share=st.sampled_from([0.001, 0.05, 0.5, 0.9]))
def test_a_place_on_the_curve_moves_with_the_probabilities(binary, rule, cases, share):
    """Chosen for another prevalence, among probabilities that are for it, it is the same threshold, moved as they are."""
    p, t = np.clip([c[0] for c in cases], 1e-9, 1 - 1e-9), np.array([c[1] for c in cases])
    if len(set(t)) < 2:
        return
    if rule not in ("youden", "net_benefit") and min(t.sum(), len(t) - t.sum()) < 2:
        return
    moved = np.log(share / (1 - share)) - log_odds(t.mean())
    there = 1 / (1 + np.exp(-(log_odds(p) + moved)))
    here = choose_threshold(binary(list(p), list(t)), rule)
    assert log_odds(choose_threshold(binary(list(there), list(t)), rule, share)) == pytest.approx(
        log_odds(here) + moved, abs=0.02
    )


def test_nobody_and_everybody_are_among_the_points(binary):
    points = OperatingPoints.of(binary([1.0, 0.0, 1.0], [1, 0, 0]))
    assert points.sensitivity.tolist() == [0, 1, 1]
    assert points.specificity.tolist() == [1, 0.5, 0]
    assert points.thresholds[0] > 1
    assert points.thresholds[-1] == 0


def test_mistakes_are_named(binary, make_predictions):
    with pytest.raises(UsageError, match="no threshold rule named 'yuoden'; did you mean youden"):
        choose_threshold(make_predictions(), "yuoden")
    with pytest.raises(UsageError, match="there are 3"):
        choose_threshold(make_predictions(classes=3))
    with pytest.raises(DataError, match="no case of sick"):
        choose_threshold(binary([0.1, 0.2], [0, 0]))
    with pytest.raises(UsageError, match=r"costs are for ill.*cost\(sick=500, healthy=1\)"):
        choose_threshold(binary([0.1, 0.2], [0, 1]), "cost(ill=3)")
    with pytest.raises(UsageError, match="less than 1"):
        choose_threshold(binary([0.1, 0.2], [0, 1]), "sensitivity(95)")


@pytest.mark.parametrize(
    "classes",
    [("healthy", "sick"), ("0", "1"), ("no finding", "class"), ("points", "costs"), ("healthy", "Crohn's"), ("정상", "$a"),
     ("grade=1", "grade=2"), ("normal, benign", "malignant"), ('"', "\\")],
)  # fmt: skip
def test_the_costs_that_the_error_proposes_are_accepted(binary, classes):
    two = replace(binary([0.1, 0.2, 0.9], [0, 1, 1]), classes=classes, positive=classes[1])
    with pytest.raises(UsageError, match="The costs are for foo, but the classes are") as error:
        choose_threshold(two, "cost(foo=5)")
    proposed, _, short = str(error.value).partition("as in ")[2].removesuffix(".").partition(" or --cost ")
    words = shlex.split(short)
    assert len(words) == (not any(letter in "".join(classes) for letter in "=,"))
    for rule in [proposed, *(by_class("cost", "costs", numbers_by_class("cost", word)) for word in words)]:
        assert 0.1 < choose_threshold(two, rule) < 0.2


@settings(max_examples=20, deadline=None)
@given(moved=st.floats(-3, 3), sick=st.lists(st.floats(-2, 4), min_size=5, max_size=9))
def test_the_fewest_errors_do_not_depend_on_where_the_scores_begin(binary, moved, sick):
    """Adding to all log-odds moves the threshold with them: no calibration of that kind changes a call."""
    x = np.array([*sick, -4.0, -2.5, -2.0, -1.0, 0.5])
    t = [1] * len(sick) + [0] * 5
    if np.mean(sick) < 0:
        return
    here, there = (choose_threshold(binary(list(1 / (1 + np.exp(-at))), t), "accuracy") for at in (x, x + moved))
    assert log_odds(there) == pytest.approx(log_odds(here) + moved, abs=0.05)


def test_the_fewest_errors_lie_where_a_logistic_regression_says_one_half(binary):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    t = (rng.random(20_000) < 0.3).astype(int)
    x = rng.normal(1.5 * t, 1.0)
    p = 1 / (1 + np.exp(-x))
    curve = LogisticRegression(C=np.inf, tol=1e-8).fit(x[:, None], t)
    wanted = -curve.intercept_[0] / curve.coef_[0, 0]
    assert log_odds(choose_threshold(binary(list(p), list(t)), "accuracy")) == pytest.approx(wanted, abs=0.01)
    assert wanted == pytest.approx(0.75 + np.log(0.7 / 0.3) / 1.5, abs=0.05)  # Bayes' cut between two normals
    even = log_odds(choose_threshold(binary(list(p), list(t)), "accuracy", prevalence=0.5))
    assert even == pytest.approx(0.75, abs=0.05)


def test_the_fewest_errors_vary_less_than_the_best_of_the_cuts(binary):
    """Classes all but apart, as networks part them: the best cut jumps about in the gap, and errs more elsewhere."""
    rng = np.random.default_rng(1)
    found = {"accuracy": [], "cost(sick=1, class0=1)": []}
    for _ in range(60):
        t = np.arange(200) % 4 > 0
        p = 1 / (1 + np.exp(-rng.normal(np.where(t, 4, -4), 2.5)))
        predictions = binary(list(p), list(t.astype(int)))
        negative = next(name for name in predictions.classes if name != predictions.positive)
        for rule in found:
            named = rule.replace("sick", predictions.positive).replace("class0", negative)
            found[rule].append(log_odds(choose_threshold(predictions, named)))
    smooth, best = (np.std(values) for values in found.values())
    assert smooth < 0.7 * best


def test_scores_that_rank_the_wrong_way_call_everybody_what_most_are(binary):
    assert choose_threshold(binary([0.9, 0.8, 0.7, 0.2], [0, 0, 0, 1]), "accuracy") > 0.9
    assert choose_threshold(binary([0.9, 0.3, 0.2, 0.1], [0, 1, 1, 1]), "accuracy") <= 0.1


@pytest.mark.parametrize("sick", [19, 40, 100])
@pytest.mark.parametrize("rule", ["sensitivity(0.95)", "specificity(0.95)"])
def test_a_promised_rate_is_kept_for_new_cases(binary, rule, sick):
    """The mean rate at thresholds of many validation parts, each with so many cases of the class; known from the distribution."""
    from scipy.special import expit, ndtr

    rng, kept = np.random.default_rng(sick), []
    t = np.repeat([1, 0], sick)
    for _ in range(400):
        chosen = choose_threshold(binary(list(expit(rng.normal(3 * t - 1.5))), list(t)), rule)
        kept.append(ndtr(1.5 - log_odds(chosen)) if rule.startswith("sens") else ndtr(log_odds(chosen) + 1.5))
    assert 0.945 < np.mean(kept) < 0.985  # at 19 the threshold lies below all: by its distance it is a little better
    assert np.mean(np.array(kept) >= 0.95) > 0.5


def test_a_promise_for_which_patients_are_too_few_is_refused(binary):
    p, t = [0.9] * 18 + [0.1] * 30, [1] * 18 + [0] * 30
    with pytest.raises(
        DataError, match=r"sensitivity\(0.95\) needs 19 patients of sick.*there are 18; take sensitivity\(0.94\)"
    ):
        choose_threshold(binary(p, t), "sensitivity(0.95)")
    choose_threshold(binary(p, t), "sensitivity(0.94)")
    choose_threshold(binary(p, t), "specificity(0.95)")
    one_patient = [0] * 18 + list(range(1, 31))
    with pytest.raises(DataError, match="there are 1"):
        choose_threshold(binary(p, t, one_patient), "sensitivity(0.9)")


def test_the_spread_of_a_threshold_is_that_of_new_validation_parts(binary):
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(60):
        t = (np.arange(300) % 3 == 0).astype(int)
        parts.append(binary(list(1 / (1 + np.exp(-rng.normal(2 * t - 1)))), list(t)))
    for rule in ("accuracy", "specificity(0.9)"):
        across = np.std([log_odds(choose_threshold(part, rule, 1 / 3)) for part in parts])
        within = np.mean([np.std(log_odds(threshold_spread(part, rule, 1 / 3, resamples=60))) for part in parts[:10]])
        assert within == pytest.approx(across, rel=0.35)
    assert (threshold_spread(parts[0], "fixed(0.3)", resamples=5) == 0.3).all()


def test_a_resample_of_cases_once_each_is_the_part_of_these(binary):
    """Of four patients three are drawn."""
    part = binary([0.9, 0.2, 0.5, 0.7], [1, 0, 1, 0])
    own = OperatingPoints.of(binary([0.9, 0.2, 0.5], [1, 0, 1]))
    resampled = OperatingPoints.resampled(part, resamples=600)
    drawn = next(each for each in resampled if list(each.scores) == list(own.scores))
    assert (drawn.thresholds == own.thresholds).all()
    assert (drawn.true_positives == own.true_positives).all()
    assert (drawn.false_positives == own.false_positives).all()
