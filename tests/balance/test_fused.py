"""The compiled losses against the same remedies' torch expressions in double precision, which do not take the kernel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evenray.balance import _fused, make

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


def test_what_the_kernel_is_not_made_for_goes_to_torch(monkeypatch):
    calls = []
    kernel = _fused._fill
    monkeypatch.setattr(_fused, "_fill", lambda *given: calls.append(given) or kernel(*given))
    loss = make("focal", [30, 10], ("a", "b")).loss
    z, t = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 0, 1])
    expected = loss(z, t, 0.0).item()
    assert len(calls) == 1
    across = z.T.contiguous().T
    with torch.autocast("cpu", torch.bfloat16):
        under_autocast = loss(z, t, 0.0).item()
    for other in (loss(across, t, 0.0), loss(z.double(), t, 0.0), loss(z, torch.eye(2)[t], 0.0)):
        assert other.item() == pytest.approx(expected, rel=1e-5)
    assert under_autocast == pytest.approx(expected, rel=1e-2)
    assert loss(z.bfloat16(), t, 0.0).dtype is torch.bfloat16
    assert len(calls) == 1


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
