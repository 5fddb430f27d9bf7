"""Oversampling with augmentation: the copies of the rarer classes are turned, moved and lit a little differently."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ._balance import Balance
from .oversample import oversample, oversampled

__all__ = ["oversample_augmented"]


def oversample_augmented(
    class_counts: NDArray[np.int64],
    ratio: Annotated[float, Gt(0), Le(1)] = 1.0,
    *,
    degrees: Annotated[float, Ge(0), Le(180)] = 10.0,
    shift: Annotated[float, Ge(0), Lt(1)] = 0.05,
    zoom: Annotated[float, Ge(0), Lt(1)] = 0.1,
    light: Annotated[float, Ge(0), Lt(1)] = 0.1,
) -> Balance:
    """As `oversample`; of each rarer class, the share of images that are copies is changed at random.

    Up to `degrees` of rotation, `shift` of the side, `zoom` of the scale, and `light` of brightness and of contrast;
    never mirrored, for that would swap left and right. Images are float (N, C, H, W) in 0..1; the edge is repeated.

    >>> mix = oversample_augmented(np.array([30, 10])).mix
    >>> x, y = torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 0])
    >>> bool((mix(x, y, np.random.default_rng(0))[0] == x).all())
    True
    """
    plain = oversample(class_counts, ratio)
    copied_K = 1 - class_counts / oversampled(class_counts, ratio)

    def mix(
        x_NCHW: Tensor, classes_N: Tensor, rng: np.random.Generator, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        told = classes_N if targets is None else targets
        chosen = np.flatnonzero(rng.random(len(classes_N)) < copied_K[classes_N.cpu().numpy()])
        if len(chosen) == 0:
            return x_NCHW, told
        where = torch.from_numpy(chosen).to(x_NCHW.device)
        changed = x_NCHW.clone()
        changed[where] = _varied(x_NCHW[where], rng, degrees, shift, zoom, light)
        return changed, told

    return Balance(sampler=plain.sampler, prior=plain.prior, mix=mix, needs_images=True)


def _varied(
    x_NCHW: Tensor, rng: np.random.Generator, degrees: float, shift: float, zoom: float, light: float
) -> Tensor:
    N = len(x_NCHW)
    angle = rng.uniform(-1, 1, N) * math.radians(degrees)
    scale = np.exp(rng.uniform(-1, 1, N) * math.log1p(zoom))
    move = rng.uniform(-1, 1, (N, 2)) * 2 * shift  # affine_grid counts a side as 2
    aspect = x_NCHW.shape[2] / x_NCHW.shape[3]
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    rows = np.stack([cosine, -sine * aspect, move[:, 0], sine / aspect, cosine, move[:, 1]], axis=1)
    theta = torch.tensor(rows.reshape(N, 2, 3)).to(x_NCHW)
    grid = affine_grid(theta, list(x_NCHW.shape), align_corners=False)
    moved = grid_sample(x_NCHW, grid, padding_mode="border", align_corners=False)
    contrast, brightness = (torch.tensor(rng.uniform(-light, light, (N, 1, 1, 1))).to(x_NCHW) for _ in range(2))
    middle = moved.mean(dim=(1, 2, 3), keepdim=True)
    return (middle + (moved - middle) * (1 + contrast) + brightness).clamp(0, 1)
