"""The compiled losses against the same remedies' torch steps in double precision, which do not take the kernel."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from evenray.learning.balance import _fused, make

SPECS = ["logit_adjustment(tau=1.3)", "ldam", "class_balanced_focal(gamma=2)"]
SPECS += [f"focal(gamma={gamma})" for gamma in (0, 0.5, 1, 1.7, 2, 5)]


def both(spec, logits, targets, progress):
    """Value and gradient, times three on the way back."""
    K = logits.shape[1]
    loss = make(spec, np.arange(1, K + 1) * 10, tuple("abcdef"[:K])).loss
    z = logits.clone().requires_grad_()
    value = loss(z, targets, progress)
    (3 * value).backward()
    return value.item(), z.grad.double().numpy()


@settings(max_examples=60, deadline=None)
@given(
    spec=st.sampled_from(SPECS), N=st.integers(1, 40), K=st.integers(2, 6), seed=st.integers(0, 999),
    scale=st.sampled_from([0.1, 1.0, 30.0, 1000.0]), progress=st.sampled_from([0.0, 1.0]),
)  # fmt: skip
def test_value_and_gradient_are_those_of_torch(spec, N, K, seed, scale, progress):
    torch.manual_seed(seed)
    logits, targets = torch.randn(N, K) * scale, torch.randint(0, K, (N,))
    value, gradient = both(spec, logits, targets, progress)
    expected, slope = both(spec, logits.double(), targets, progress)
    assert value == pytest.approx(expected, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=2e-5, atol=3e-6)


def kernel_calls(monkeypatch):
    calls, kernel = [], _fused._fill
    monkeypatch.setattr(_fused, "_fill", lambda *given: calls.append(given) or kernel(*given))
    return calls


def test_what_the_kernel_is_not_made_for_goes_to_torch(monkeypatch):
    calls = kernel_calls(monkeypatch)
    loss = make("focal", [30, 10], ("a", "b")).loss
    z, t = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 0, 1])
    expected = loss(z, t, 0.0).item()
    assert len(calls) == 1
    across, wide, twice = z.T.contiguous().T, torch.cat([z, z], dim=1)[:, :2], t.repeat_interleave(2)[::2]
    for other in (loss(z.double(), t, 0.0), loss(z, torch.eye(2)[t], 0.0), loss(across, t, 0.0), loss(wide, t, 0.0)):
        assert other.item() == pytest.approx(expected, rel=1e-5)
    assert loss(z, twice, 0.0).item() == pytest.approx(expected, rel=1e-5)
    half = loss(z.bfloat16(), t, 0.0)
    assert half.dtype is torch.bfloat16
    assert half.item() == pytest.approx(expected, rel=0.05)
    assert loss(z.to("meta"), t.to("meta"), 0.0).device.type == "meta"
    by_row = torch.func.vmap(lambda row, y: loss(row[None], y[None], 0.0))(z, t)
    assert by_row.mean().item() == pytest.approx(expected, rel=1e-5)
    assert len(calls) == 1


def test_under_autocast_and_without_gradients_the_value_is_the_same():
    loss = make("focal", [30, 10], ("a", "b")).loss
    z, t = torch.randn(6, 2, requires_grad=True), torch.tensor([0, 1, 1, 0, 0, 1])
    value = loss(z, t, 0.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(z, t, 0.0).item() == value.item()
    with torch.no_grad():
        assert loss(z, t, 0.0).item() == value.item()
    with torch.inference_mode():
        found = loss(z.detach().clone(), t, 0.0)
    assert found.item() == value.item()
    assert found.shape == value.shape == ()
    assert not found.requires_grad


def test_a_batch_without_cases_is_what_torch_makes_of_it():
    assert torch.isnan(
        make("focal", [30, 10], ("a", "b")).loss(torch.empty(0, 2), torch.empty(0, dtype=torch.int64), 0.0)
    )


@pytest.mark.parametrize("spec", SPECS)
def test_second_derivatives_are_those_of_torchs_steps(spec):
    loss = make(spec, [30, 20, 10], "abc").loss
    t, w = torch.tensor([0, 1, 2, 1, 0]), torch.randn(5, 3)

    def curvature(z):
        z = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(2 * loss(z * w.to(z), t, 1.0), z, create_graph=True)
        slope.square().sum().backward()
        return z.grad.double()

    z = torch.randn(5, 3)
    torch.testing.assert_close(curvature(z), curvature(z.double()), rtol=1e-3, atol=1e-5)


def test_logits_changed_in_place_leave_the_gradient_as_it_was_and_stop_the_second():
    loss, t = make("focal", [30, 10], ("a", "b")).loss, torch.tensor([0, 1])
    leaf = torch.randn(2, 2, requires_grad=True)

    def after_change(**how):
        z = leaf * 1
        value = loss(z, t, 0.0)
        with torch.no_grad():
            z.mul_(100)
        return torch.autograd.grad(value, leaf, **how)[0]

    torch.testing.assert_close(after_change(), torch.autograd.grad(loss(leaf * 1, t, 0.0), leaf)[0])
    with pytest.raises(RuntimeError, match="changed in place 1 times"):
        after_change(create_graph=True)


def test_going_back_twice_adds_up():
    z = torch.randn(4, 2, requires_grad=True)
    value = make("focal", [30, 10], ("a", "b")).loss(z, torch.tensor([0, 1, 1, 0]), 0.0)
    value.backward(retain_graph=True)
    once = z.grad.clone()
    value.backward(retain_graph=True)
    torch.testing.assert_close(z.grad, 2 * once)
    (3 * value).backward()
    torch.testing.assert_close(z.grad, 5 * once)


def test_many_ways_back_at_once():
    z = torch.randn(4, 2, requires_grad=True)
    value = make("focal", [30, 10], ("a", "b")).loss(z, torch.tensor([0, 1, 1, 0]), 0.0)
    above = torch.tensor([1.0, -2.0, 0.5])
    (together,) = torch.autograd.grad(value, z, above, is_grads_batched=True, retain_graph=True)
    (alone,) = torch.autograd.grad(value, z)
    torch.testing.assert_close(together, above[:, None, None] * alone)


def test_threads_get_the_same_as_one(monkeypatch):
    calls = kernel_calls(monkeypatch)
    loss = make("class_balanced_focal", [30, 10], ("a", "b")).loss

    def one(seed):
        made = torch.Generator().manual_seed(seed)
        z, t = torch.randn(500, 2, generator=made).requires_grad_(), torch.randint(0, 2, (500,), generator=made)
        value = loss(z, t, 0.0)
        value.backward()
        return value.item(), z.grad.sum(0).tolist()

    expected = [one(seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(40))) == expected
    assert len(calls) == 80


@pytest.mark.parametrize(
    "logits", [[[math.inf, 0.0]], [[0.0, math.inf]], [[-math.inf, 0.0]], [[0.0, -math.inf]], [[math.nan, 0.0]]]
)
def test_values_that_are_not_finite_are_those_of_torch(logits):
    z, t = torch.tensor(logits), torch.tensor([0])
    torch.testing.assert_close(
        make("logit_adjustment", [1, 1], "ab").loss(z, t, 0.0), cross_entropy(z, t), equal_nan=True
    )
    wide = torch.cat([z, torch.tensor([[0.5]])], dim=1)
    found = make("logit_adjustment", [1, 1, 1], "abc").loss(wide, t, 0.0)
    torch.testing.assert_close(found, cross_entropy(wide, t), equal_nan=True)


@pytest.mark.parametrize("spec", SPECS)
def test_the_slope_of_the_reference_is_that_of_its_values(spec):
    loss = make(spec, [30, 20, 10], "abc").loss
    z = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: loss(z, torch.tensor([0, 1, 2, 1, 0]), 1.0), (z,))


def test_a_target_that_is_no_class_is_an_error_as_in_torch_and_nan_stays_nan():
    loss = make("focal", [30, 10], ("a", "b")).loss
    with pytest.raises(IndexError, match="out of bounds"):
        loss(torch.randn(2, 2), torch.tensor([0, 2]), 0.0)
    assert torch.isnan(loss(torch.tensor([[0.0, float("nan")]]), torch.tensor([0]), 0.0))
