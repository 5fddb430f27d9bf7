"""Loss and gradient of a batch in one pass, compiled: for what torch needs many small steps for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import carray, types  # type: ignore[attr-defined]
from numba.extending import intrinsic
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.compiled import compiled

__all__ = ["fused"]

Loss = Callable[[Tensor, Tensor], Tensor]
Floats = NDArray[np.float32]


def fused(
    plain: Loss,
    K: int,
    *,
    weights_K: NDArray[np.float64] | None = None,
    added_KK: NDArray[np.float64] | None = None,
    gamma: float = 0.0,
) -> Loss:
    """The loss `plain` (logits_NK, targets) -> scalar, in one pass for float32 logits and int64 targets (N,) on the CPU.

    `plain` is the mean over the cases of weights[y] (1 - p)^gamma (-log p), where p is the softmax of the true class y in
    logits + added[y]. Other types and devices, soft targets, strided tensors, targets that are no class, transforms such
    as vmap, and second derivatives are left to it.

    The kernel reads logits and targets, and writes a new tensor that nothing else has seen: the gradient, a constant to
    autograd. It gets addresses, for numba takes longer to look at five arrays than to go through 64 cases.

    >>> from torch.nn.functional import cross_entropy
    >>> z = torch.tensor([[0.0, 1.0]], requires_grad=True)
    >>> loss = fused(cross_entropy, 2)(z, torch.tensor([1]))
    >>> loss.backward()
    >>> round(loss.item(), 4), [round(slope, 4) for slope in z.grad[0].tolist()]
    (0.3133, [0.2689, -0.2689])
    """
    weights = np.ones(K) if weights_K is None else weights_K
    added = np.zeros(K * K) if added_KK is None else added_KK.ravel()
    settings = np.concatenate([[gamma], weights, added]).astype(np.float32)
    settings_at, float32, int64 = settings.ctypes.data, torch.float32, torch.int64
    transformed = torch._C._are_functorch_transforms_active

    def loss(logits_NK: Tensor, targets: Tensor, kept: Floats = settings) -> Tensor:
        N = targets.numel()
        if (
            type(logits_NK) is not Tensor
            or logits_NK.dtype is not float32
            or targets.dtype is not int64
            or not (logits_NK.is_cpu and targets.is_cpu)
            or not (logits_NK.is_contiguous() and targets.is_contiguous())
            or logits_NK.shape != (N, K)
            or targets.dim() != 1
            or transformed()
        ):
            return plain(logits_NK, targets)
        slope_NK = torch.empty_like(logits_NK)
        value = _fill(logits_NK.data_ptr(), targets.data_ptr(), N, K, settings_at, slope_NK.data_ptr())
        if value == NOTHING:
            return plain(logits_NK, targets)
        if not logits_NK.requires_grad:
            return torch.scalar_tensor(value, dtype=float32)
        return _known(logits_NK, value, slope_NK, (targets, logits_NK, logits_NK._version, plain))  # type: ignore[no-any-return]

    return loss


class _Known(torch.autograd.Function):
    """A loss whose value and gradient are known. The gradient is handed out as it is, once, for every step on a small
    tensor counts; a second way back, and the gradient's gradient, are those of the plain loss."""

    @staticmethod
    def forward(ctx: Any, _logits_NK: Tensor, value: float, slope_NK: Tensor, origin: tuple[Any, ...]) -> Tensor:
        ctx.slope_NK, ctx.origin = slope_NK, origin
        return torch.from_numpy(np.array(value, np.float32))  # a third less than torch.scalar_tensor takes

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None, None]:
        slope_NK = ctx.slope_NK
        if slope_NK is None or torch.is_grad_enabled():
            return _anew(above, *ctx.origin), None, None, None
        try:
            factor = above.item()
        except RuntimeError:  # several at once, as in a Jacobian
            return slope_NK * above, None, None, None
        ctx.slope_NK = None
        return slope_NK if factor == 1 else slope_NK.mul_(factor), None, None, None


def _anew(above: Tensor, targets: Tensor, logits_NK: Tensor, version: int, plain: Loss) -> Tensor:
    """The gradient by the plain loss, differentiable itself where that is asked for."""
    if logits_NK._version != version:
        raise RuntimeError(
            f"The logits were changed in place {logits_NK._version - version} times since their loss was computed, so"
            " neither its second derivative nor its gradient a second time is known; expected none. Change a clone of them."
        )
    further = torch.is_grad_enabled()
    with torch.enable_grad():
        return torch.autograd.grad(plain(logits_NK, targets), logits_NK, above, create_graph=further)[0]


_known: Any = super(torch.autograd.Function, _Known).apply  # less the look at transforms, which has been had
NOTHING = -1.0


def _as_pointer(_context: Any, address: Any) -> Any:
    """An address as what `numba.carray` takes."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


_pointer: Any = intrinsic(_as_pointer)


@compiled
def _fill(logits_at: int, targets_at: int, N: int, K: int, settings_at: int, slope_at: int) -> float:
    """Fill in the gradient, float32 (N, K); gives the loss, or NOTHING where a target is no class or there is none."""
    z_NK = carray(_pointer(logits_at), (N, K), np.float32)
    y_N = carray(_pointer(targets_at), (N,), np.int64)
    slope_NK = carray(_pointer(slope_at), (N, K), np.float32)
    settings = carray(_pointer(settings_at), (1 + K + K * K,), np.float32)
    gamma, weight_K, added_KK = settings[0], settings[1 : K + 1], settings[K + 1 :].reshape(K, K)
    if N == 0:
        return NOTHING
    total, share = 0.0, np.float32(1 / N)
    for n in range(N):
        y = y_N[n]
        if y < 0 or y >= K:
            return NOTHING
        if K == 2:
            surprise, right, wrong = _two(z_NK[n], y, added_KK[y], slope_NK[n])
        else:
            surprise, right, wrong = _many(z_NK[n], y, added_KK[y], slope_NK[n])
        level, steep = _focus(surprise, right, wrong, gamma)
        total += weight_K[y] * level
        steep *= weight_K[y] * share
        for k in range(K):
            slope_NK[n, k] *= steep
        slope_NK[n, y] = -steep * wrong
    return total / N


@compiled
def _two(z_K: Floats, y: int, added_K: Floats, softmax_K: Floats) -> tuple[Any, Any, Any]:
    """-log p, p and 1 - p of the true class of two; the softmax of the other is filled in."""
    one, zero = np.float32(1), np.float32(0)
    other, true = z_K[1 - y] + added_K[1 - y], z_K[y] + added_K[y]
    most = other if other > true else true
    behind = other - true + (most - most)  # NaN where torch's softmax is, at infinity
    small = math.exp(-abs(behind))
    part = one / (one + small)
    wrong = part if behind > 0 else small * part
    right = small * part if behind > 0 else part
    softmax_K[1 - y] = wrong
    return (behind if behind > 0 else zero) + math.log1p(small), right, wrong


@compiled
def _many(z_K: Floats, y: int, added_K: Floats, softmax_K: Floats) -> tuple[Any, Any, Any]:
    """-log p, p and 1 - p of the true class, the latter exact near p = 1; the softmax of the others is filled in."""
    most, others = np.float32(-np.inf), np.float32(0)
    for k in range(len(z_K)):
        softmax_K[k] = z_K[k] + added_K[k]
        most = softmax_K[k] if softmax_K[k] > most else most
    ahead = most - softmax_K[y]
    for k in range(len(z_K)):
        softmax_K[k] = math.exp(softmax_K[k] - most)
    true = softmax_K[y]
    softmax_K[y] = 0
    for k in range(len(z_K)):
        others += softmax_K[k]
    whole = np.float32(1) / (others + true)
    for k in range(len(z_K)):
        softmax_K[k] *= whole
    surprise = math.log1p(others) if ahead == 0 else ahead + math.log(others + true)
    return surprise, true * whole, others * whole


@compiled
def _focus(surprise: Any, right: Any, wrong: Any, gamma: Any) -> tuple[Any, Any]:
    """(1 - p)^gamma (-log p), and the factor of (softmax - one-hot) in its gradient."""
    if gamma == 0:
        return surprise, np.float32(1)
    if gamma < 1 and wrong < np.float32(1e-12):  # the slope of 0^gamma is infinite
        wrong, right = np.float32(1e-12), np.float32(0)
    lower = wrong if gamma == 2 else wrong ** (gamma - np.float32(1))
    return lower * wrong * surprise, lower * (wrong + gamma * right * surprise)
