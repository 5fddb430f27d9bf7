"""The losses against formulas written out, and the slide's example by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from evenray.core.errors import UsageError
from evenray.learning.balance import DoubleCorrectionWarning, correct, make
from evenray.learning.balance._weights import effective_number
from evenray.learning.balance.focal import focal_link
from evenray.learning.balance.ldam import margin_link
from evenray.learning.balance.weighted import weighted_cross_entropy

TWO = ("healthy", "sick")


def logits_for(y: list[float]) -> torch.Tensor:
    """Logits whose softmax says `y` of the second class."""
    p = torch.tensor(y, dtype=torch.float64)
    return torch.stack([1 - p, p], dim=1).log()


def slide(t: int, y: float, alpha: float) -> float:
    """The slide's formula with its brackets mended."""
    return -(alpha * t * math.log(y) + (1 - alpha) * (1 - t) * math.log(1 - y))


def test_the_slide_by_hand():
    """75 % for the sick, 25 % for the healthy: a sick one told with 0.2 costs 0.75 x 1.609 = 1.207, a healthy one told
    as sick with 0.8 costs a third of that, 0.25 x 1.609 = 0.402.
    """
    loss = weighted_cross_entropy(torch.tensor([0.25, 0.75]))
    sick = loss(logits_for([0.2]), torch.tensor([1])).item()
    healthy = loss(logits_for([0.8]), torch.tensor([0])).item()
    assert sick == pytest.approx(0.75 * 1.6094379)
    assert healthy == pytest.approx(0.25 * 1.6094379)
    assert sick == pytest.approx(3 * healthy)


@given(y=st.floats(0.01, 0.99), t=st.integers(0, 1), alpha=st.floats(0.05, 0.95))
def test_alpha_is_the_slides_formula_up_to_a_constant(y, t, alpha):
    counts = np.array([500, 100])
    average_weight = ((1 - alpha) * 500 + alpha * 100) / 600
    loss = make(f"weighted(alpha={alpha})", counts, TWO, positive="sick").loss
    assert loss(logits_for([y]), torch.tensor([t]), 0.0).item() == pytest.approx(
        slide(t, y, alpha) / average_weight, rel=1e-5
    )


def test_with_the_slides_own_brackets_healthy_cases_would_cost_nothing():
    """As printed, -alpha t (log y + (1 - alpha)(1 - t) log(1 - y)): the healthy term has the factor t (1 - t) = 0."""

    def as_printed(t: int, y: float, alpha: float) -> float:
        return -alpha * t * (math.log(y) + (1 - alpha) * (1 - t) * math.log(1 - y))

    loss = weighted_cross_entropy(torch.tensor([0.25, 0.75]))
    assert as_printed(0, 0.99, 0.75) == as_printed(0, 0.01, 0.75) == 0
    assert loss(logits_for([0.99]), torch.tensor([0])).item() == pytest.approx(slide(0, 0.99, 0.75))
    assert slide(0, 0.99, 0.75) > slide(0, 0.01, 0.75) > 0
    assert loss(logits_for([0.3]), torch.tensor([1])).item() == pytest.approx(
        as_printed(1, 0.3, 0.75)
    )  # the sick agree


def test_weights_by_name_do_not_depend_on_their_order_or_unit():
    counts = [300, 50]
    same = ["weighted(alpha=0.75)", "weighted(sick=0.75, healthy=0.25)", "weighted(healthy=25, sick=75)"]
    same.append("weighted(class_weights={'sick': 3, 'healthy': 1})")
    logits, targets = logits_for([0.1, 0.6, 0.9]), torch.tensor([1, 0, 1])
    values = [make(spec, counts, TWO, positive="sick").loss(logits, targets, 0.0).item() for spec in same]
    assert values == pytest.approx([values[0]] * 4, rel=1e-6)


def test_alpha_is_for_the_positive_class_wherever_it_stands():
    by_name = make("weighted(sick=0.9, well=0.1)", [10, 90], ("sick", "well")).prior
    np.testing.assert_allclose(make("weighted(0.9)", [10, 90], ("sick", "well"), positive="sick").prior, by_name)
    np.testing.assert_allclose(make("weighted(0.9, positive=sick)", [10, 90], ("sick", "well")).prior, by_name)
    np.testing.assert_allclose(
        make("weighted(0.9)", [10, 90], ("sick", "well")).prior, by_name
    )  # the rarest, if not told


@pytest.mark.parametrize("counts", [[500, 1], [3, 40, 90]])
@pytest.mark.parametrize(
    ("spec", "weight"),
    [
        ("weighted(auto)", lambda n: 1 / n),
        ("weighted(sqrt)", lambda n: n**-0.5),
        ("weighted(effective, beta=0.9)", lambda n: 0.1 / (1 - 0.9**n)),
    ],
)
def test_schemes_weigh_as_they_say(spec, weight, counts):
    n = np.array(counts, dtype=float)
    w = weight(n)
    balance = make(spec, counts, tuple("abc"[: len(n)]))
    np.testing.assert_allclose(balance.prior, w * n / (w * n).sum())
    logits = torch.zeros(1, len(n))
    losses = np.array([balance.loss(logits, torch.tensor([k]), 0.0).item() for k in range(len(n))])
    np.testing.assert_allclose(losses / losses[0], w / w[0], rtol=1e-5)
    assert (losses * n).sum() / n.sum() == pytest.approx(math.log(len(n)), rel=1e-5)  # the average case weighs one


def test_the_effective_number_runs_from_one_to_the_count():
    n = np.array([1, 10, 1000])
    assert effective_number(n, 0.0).tolist() == [1, 1, 1]
    np.testing.assert_allclose(effective_number(n, 1 - 1e-9), n, rtol=1e-5)
    np.testing.assert_allclose(effective_number(n, 0.9), [sum(0.9**i for i in range(k)) for k in n])


def test_focal_by_hand():
    """Lin et al.: at gamma 2 a case told with 0.9 counts (1 - 0.9)^2 = a hundredth of its cross-entropy."""
    loss = make("focal(gamma=2)", [9, 1], TWO).loss
    assert loss(logits_for([0.9]), torch.tensor([1]), 0.0).item() == pytest.approx(-math.log(0.9) / 100)
    assert make("focal(gamma=0)", [9, 1], TWO).loss(logits_for([0.9]), torch.tensor([0]), 0.0).item() == pytest.approx(
        -math.log(0.1)
    )


def test_class_balanced_focal_is_focal_times_its_weights():
    counts = np.array([100, 10])
    w = 1 / effective_number(counts, 0.999)
    w = w * counts.sum() / (w * counts).sum()
    both = make("class_balanced_focal(gamma=2)", counts, TWO).loss
    plain = make("focal(gamma=2)", counts, TWO).loss
    for k in (0, 1):
        expected = w[k] * plain(logits_for([0.3]), torch.tensor([k]), 0.0).item()
        assert both(logits_for([0.3]), torch.tensor([k]), 0.0).item() == pytest.approx(expected, rel=1e-5)


def test_logit_adjustment_adds_the_log_prior():
    logits, targets = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 1, 0])
    prior = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    for tau in (0.0, 0.5, 1.0):
        found = make(f"logit_adjustment(tau={tau})", [70, 20, 10], "abc").loss(logits, targets, 0.0)
        assert found.item() == pytest.approx(cross_entropy(logits + tau * prior.log(), targets).item(), rel=1e-6)


def test_ldam_margins_and_their_deferred_weights_by_hand():
    """Counts 16 and 1: margins in the ratio 1/16^(1/4) = 1/2 to 1; at equal logits the loss is log(1 + e^margin)."""
    loss = make("ldam(margin=2, beta=0.5)", [16, 1], TWO).loss
    level = torch.zeros(1, 2)
    margins = [math.log(1 + math.exp(1)), math.log(1 + math.exp(2))]
    early = [loss(level, torch.tensor([k]), 0.79).item() for k in (0, 1)]
    assert early == pytest.approx(margins)
    late = [loss(level, torch.tensor([k]), 0.8).item() for k in (0, 1)]
    number = (1 - 0.5**16) / 0.5
    assert late[1] / late[0] == pytest.approx(number * margins[1] / margins[0])


@pytest.mark.parametrize(
    "spec", ["none", "weighted(auto)", "focal(gamma=1.5)", "class_balanced_focal", "ldam", "logit_adjustment"]
)
def test_soft_targets_that_are_hard_change_nothing(spec):
    logits, targets = torch.randn(7, 3), torch.tensor([0, 1, 2, 1, 0, 2, 2])
    loss = make(spec, [50, 30, 20], "abc").loss or (lambda z, t, p: cross_entropy(z, t))
    soft = torch.nn.functional.one_hot(targets, 3).float()
    for progress in (0.0, 0.9):
        assert loss(logits, soft, progress).item() == pytest.approx(loss(logits, targets, progress).item(), rel=1e-5)


@given(st.lists(st.floats(-40, 40), min_size=2, max_size=4), st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]))
def test_at_the_focal_links_posterior_the_expected_gradient_vanishes(logits, gamma):
    posterior = np.exp(correct(focal_link(np.array([logits]), gamma), np.ones(len(logits)), np.ones(len(logits))))[0]
    z = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
    log_p = z.log_softmax(1)
    expected = -((-torch.expm1(log_p)).clamp_min(1e-300) ** gamma * log_p * torch.from_numpy(posterior)).sum()
    expected.backward()
    assert np.isfinite(posterior).all()
    assert z.grad.abs().max().item() < 1e-7


@given(st.lists(st.floats(-15, 15), min_size=2, max_size=4), st.floats(0, 5))
def test_at_the_margin_links_posterior_the_expected_gradient_vanishes(logits, margin):
    K = len(logits)
    margins = margin * np.linspace(0.3, 1, K)
    posterior = np.exp(correct(margin_link(np.array([logits]), margins), np.ones(K), np.ones(K)))[0]
    z = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
    rows = (z - torch.diag(torch.from_numpy(margins))).log_softmax(1)
    (-(rows.diagonal() * torch.from_numpy(posterior)).sum()).backward()
    assert z.grad.abs().max().item() < 1e-9


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_correction_is_bayes_rule_and_undoes_itself(one, other):
    p = np.array([[0.2, 0.5, 0.3]])
    a, b = np.array(one) / sum(one), np.array(other) / sum(other)
    there = correct(np.log(p), true_prior=a, learnt_prior=b)
    by_bayes = p * a / b
    np.testing.assert_allclose(np.exp(there), by_bayes / by_bayes.sum())
    np.testing.assert_allclose(np.exp(correct(there, true_prior=b, learnt_prior=a)), p)


def test_a_target_prevalence_moves_plain_training_too():
    plain = make("none", [90, 10], TWO)
    np.testing.assert_allclose(np.exp(plain.correct(np.log([[0.9, 0.1]]), [90, 10], [0.99, 0.01])), [[0.99, 0.01]])


def test_chains_fill_one_balance():
    both = make("undersample | focal(gamma=2)", [90, 10], TWO)
    assert both.loss is not None
    assert both.sampler is not None
    assert both.link is not None
    assert both.prior.tolist() == [0.5, 0.5]
    assert make("threshold", [90, 10], TWO).rule == "prevalence"
    assert make("oversample | threshold('sensitivity(0.9)')", [90, 10], TWO).rule == "sensitivity(0.9)"


def test_two_corrections_warn_unless_named():
    with pytest.warns(DoubleCorrectionWarning, match=r"oversample and weighted\(auto\) each correct .* twice"):
        twice = make("oversample | weighted(auto)", [90, 10], TWO)
    np.testing.assert_allclose(twice.prior, [0.1, 0.9])  # as if the sick were nine in ten
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        meant = make("oversample | weighted(auto) | double", [90, 10], TWO)
        make("oversample | focal(gamma=2)", [90, 10], TWO)
    np.testing.assert_allclose(meant.prior, twice.prior)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("oversampel", "no balance named 'oversampel'; did you mean oversample"),
        ("oversample | undersample", "oversample and undersample both set the sampler; keep one"),
        ("focal | weighted", "both set the loss"),
        ("weighted(1.5)", "alpha is 1.5, but"),
        ("weighted(sick=3)", "weights are for sick, but the classes are healthy, sick; give each class one"),
        ("weighted(ill=3, healthy=1)", "weights are for ill, healthy"),
        ("weighted(sick=-1, healthy=1)", "sick is -1, but"),
        ("oversample(ratio=2)", "ratio is 2, but"),
        ("none(3)", "none takes no parameters"),
        ("progressive(epochs=0)", "epochs is 0, but"),
        ("progressive(until=2)", "until is 2, but"),
    ],
)
def test_mistakes_are_named(spec, message):
    with pytest.raises(UsageError, match=message):
        make(spec, [90, 10], TWO)


def test_mistakes_of_callers_are_named():
    with pytest.raises(UsageError, match="which is for two classes, but there are 3"):
        make("weighted(0.75)", [3, 2, 1], "abc")
    with pytest.raises(UsageError, match="positive is 'ill', which is no class"):
        make("none", [3, 2], TWO, positive="ill")
    with pytest.raises(UsageError, match="one count for each of healthy, sick"):
        make("none", [3, 2, 1], TWO)
    with pytest.raises(UsageError, match=r"true_prior is .* expected 2 shares, each above 0"):
        correct([[0.0, 0.0]], [1.0, 0.0], [0.5, 0.5])
