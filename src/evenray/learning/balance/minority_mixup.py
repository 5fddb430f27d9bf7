"""Minority mixup: repeated cases of the rarer classes are blended with other cases, labels and all."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Gt, Le
from numpy.typing import NDArray
from scipy import special
from torch import Tensor
from torch.nn.functional import one_hot

from ._balance import Balance
from .oversample import oversample, oversampled

__all__ = ["minority_mixup"]


def minority_mixup(
    class_counts: NDArray[np.int64],
    alpha: Annotated[float, Gt(0)] = 0.2,
    ratio: Annotated[float, Gt(0), Le(1)] = 1.0,
) -> Balance:
    """As `oversample`; every image of a class that is repeated is blended with another of its batch.

    The blend keeps the share max(b, 1 - b) of the image and of its label, b drawn from Beta(alpha, alpha) (mixup,
    Zhang et al. 2018, on the rare classes alone; compare Galdran et al. 2021). The learnt prior is the mean of the
    blended labels; what else blending does to the probabilities is left to calibration.

    >>> minority_mixup(np.array([30, 10])).prior.round(3)
    array([0.525, 0.475])
    """
    K = len(class_counts)
    plain = oversample(class_counts, ratio)
    aims = oversampled(class_counts, ratio)
    rare_K = aims > class_counts

    def mix(
        x_NCHW: Tensor, classes_N: Tensor, rng: np.random.Generator, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        N = len(classes_N)
        drawn = rng.beta(alpha, alpha, N)
        kept = np.where(rare_K[classes_N.cpu().numpy()], np.maximum(drawn, 1 - drawn), 1.0)
        partner = torch.from_numpy(rng.permutation(N)).to(x_NCHW.device)
        share = torch.from_numpy(kept).to(x_NCHW)
        labels = (one_hot(classes_N, K) if targets is None else targets).to(x_NCHW)
        pixels = share.view(-1, *[1] * (x_NCHW.ndim - 1))  # images, or what a frozen trunk made of them
        mixed = pixels * x_NCHW + (1 - pixels) * x_NCHW[partner]
        blended = share[:, None] * labels + (1 - share[:, None]) * labels[partner]
        if targets is not None:  # what is unknown of either image is unknown of their blend
            unknown = (labels < 0) | ((labels[partner] < 0) & (share[:, None] < 1))
            blended = torch.where(unknown, -1.0, blended)
        return mixed, blended

    drawn_share = aims / aims.sum()
    lost_K = drawn_share * rare_K * (1 - float(special.betaincc(alpha + 1, alpha, 0.5)))  # E max(b, 1 - b)
    return Balance(sampler=plain.sampler, prior=drawn_share - lost_K + lost_K.sum() * drawn_share, mix=mix)
