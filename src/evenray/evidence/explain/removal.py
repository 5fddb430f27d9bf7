"""Deletion and insertion (Petsiuk, Das & Saenko 2018): does the answer hang on what a map marks?

The places that a map marks most are blurred away first (deletion), or brought back first into a blurred image (insertion), and the
probability of what is explained is followed. The same is done in the order of two maps that know nothing of the network: the map
itself moved elsewhere, so that it marks places as large and as scattered, and the nearness to the image's centre.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.learning.networks import Classifier

from .answers import Answers, chance, focus_of
from .layers import evaluating
from .room import parts_of

__all__ = ["SHARES", "removal"]

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)  # of the image that are deleted, or inserted
BLUR = 0.1  # deviation as a share of the image's side
Curves = NDArray[np.float64]


def removal(
    model: Classifier, x_NCHW: Tensor, targets_N: Tensor, maps_NHW: NDArray[np.float32], seed: int = 0
) -> dict[tuple[str, str], Curves]:
    """The probability of each image's target by kind ("deletion", "insertion") and order ("map", "random", "centre"): float64
    (N, 6), one column for each of SHARES.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> found = removal(model, torch.rand(3, 1, 28, 28), torch.tensor([1, 1, 0]), np.random.rand(3, 28, 28).astype(np.float32))
    >>> found["deletion", "centre"].shape
    (3, 6)
    """
    rng, sides = np.random.default_rng(seed), maps_NHW.shape[1:]
    moves = [(int(rng.integers(sides[0])), int(rng.integers(sides[1]))) for _ in maps_NHW]
    parts: dict[tuple[str, str], list[Curves]] = {}
    with evaluating(model), torch.no_grad():
        for part in parts_of(x_NCHW):
            own = _followed(model, x_NCHW[part], targets_N[part], _orders(maps_NHW[part], moves[part]))
            for key, curves in own.items():
                parts.setdefault(key, []).append(curves)
    return {key: np.concatenate(each) for key, each in parts.items()}


def _followed(
    model: Classifier, x_NCHW: Tensor, targets_N: Tensor, orders: dict[str, NDArray[np.float32]]
) -> dict[tuple[str, str], Curves]:
    blurred, found = _blurred(x_NCHW), dict[tuple[str, str], Curves]()
    focus_NP, answers = focus_of(model, x_NCHW, targets_N), Answers(model)
    for order, maps in orders.items():
        rank_NHW = torch.from_numpy(_ranks(maps)).to(x_NCHW.device)
        for kind, inside, outside in (("deletion", blurred, x_NCHW), ("insertion", x_NCHW, blurred)):
            columns = []
            for share in SHARES:
                mixed = torch.where((rank_NHW < share)[:, None], inside, outside)
                columns.append(chance(model, answers(mixed, focus_NP), targets_N))
            found[kind, order] = torch.stack(columns, 1).double().cpu().numpy()
    return found


def _orders(maps_NHW: NDArray[np.float32], moves: Sequence[tuple[int, int]]) -> dict[str, NDArray[np.float32]]:
    """The maps, the same moved round the image by chance, and nearness to the centre."""
    _, height, width = maps_NHW.shape
    moved = [np.roll(one, move, (0, 1)) for one, move in zip(maps_NHW, moves, strict=True)]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    centre = np.broadcast_to(-(x**2 + y**2), maps_NHW.shape).astype(np.float32)
    return {"map": maps_NHW, "random": np.stack(moved), "centre": centre}


def _ranks(maps_NHW: NDArray[np.float32]) -> NDArray[np.float32]:
    """The place of each pixel in its image's order, from 0 for the most marked to 1; equal ones by chance."""
    flat = maps_NHW.reshape(len(maps_NHW), -1)
    ties = np.random.default_rng(0).permutation(flat.shape[1])
    ranks = np.empty(flat.shape, np.float32)
    for own, values in zip(ranks, flat, strict=True):
        own[np.lexsort((ties, -values))] = np.arange(flat.shape[1]) / flat.shape[1]
    return ranks.reshape(maps_NHW.shape)


def _blurred(x_NCHW: Tensor) -> Tensor:
    """The images blurred so far that small things are gone."""
    deviation = BLUR * max(x_NCHW.shape[-2:])
    reach = min(int(2.5 * deviation), *(side - 1 for side in x_NCHW.shape[-2:]))
    at = torch.arange(-reach, reach + 1, device=x_NCHW.device, dtype=x_NCHW.dtype)
    weights = torch.exp(-(at**2) / (2 * deviation**2))
    weights = (weights / weights.sum()).expand(x_NCHW.shape[1], 1, 1, -1)
    for turned in (weights, weights.transpose(2, 3)):
        pad = (reach, reach, 0, 0) if turned is weights else (0, 0, reach, reach)
        x_NCHW = functional.conv2d(functional.pad(x_NCHW, pad, mode="reflect"), turned, groups=x_NCHW.shape[1])
    return x_NCHW
