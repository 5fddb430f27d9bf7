"""Can an attribution map be trusted? The tests of Adebayo et al. 2018, "Sanity checks for saliency maps"."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn

from evenray.core.artefacts.explained import Check
from evenray.core.messages import Message
from evenray.learning.networks import Classifier

from .attribution import attribute

__all__ = ["sanity"]

UNRELATED = 0.7
DRAWS = 2


def sanity(model: Classifier, x_NCHW: Tensor, target: int, method: str = "gradcam", seed: int = 0) -> list[Check]:
    """Four checks of the maps that `method` makes of `x_NCHW` for the class `target`; a few images are enough.

    The same call gives the same map; maps are not constant; another head, and other weights throughout, change them.
    "Change" is a mean rank correlation (Spearman) with the trained maps of at most 0.7, over the images and two draws of
    random weights, each with both signs of the last layer (of which one may resemble the trained one by chance). A map
    that survives other weights shows edges of the image, not reasons of the network.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> [check.name for check in sanity(model, torch.rand(2, 1, 28, 28), target=1)]
    ['same_twice', 'not_constant', 'other_head', 'other_weights']
    """
    maps = attribute(model, x_NCHW, target, method)
    again = attribute(model, x_NCHW, target, method)
    drift = float(np.abs(maps - again).max())
    varied = float(np.mean(maps.std((1, 2)) > 0))
    checks = [
        Check(name="same_twice", value=drift, expected=_at_most(1e-5), passed=drift <= 1e-5),
        Check(name="not_constant", value=varied, expected=Message("sanity.half"), passed=varied >= 0.5),
    ]
    for name, head_only in (("other_head", True), ("other_weights", False)):
        others = (_randomised(model, head_only, seed + draw, sign) for draw in range(DRAWS) for sign in (1, -1))
        likeness = float(np.mean([_likeness(maps, attribute(other, x_NCHW, target, method)) for other in others]))
        passed = likeness <= UNRELATED
        checks.append(Check(name=name, value=likeness, expected=_at_most(UNRELATED), passed=passed))
    return checks


def _at_most(limit: float) -> Message:
    return Message("sanity.at_most", {"limit": limit})


def _randomised(model: Classifier, head_only: bool, seed: int, sign: int) -> Classifier:
    """A copy whose filters are noise of the same spread, the last layer's times `sign`."""
    other = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    layers = [(n, layer) for n, layer in other.network.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for name, layer in layers:
        if not head_only or name.startswith(tuple(other.network.head_modules)):
            spread = float(layer.weight.detach().std())
            nn.init.normal_(layer.weight, std=spread, generator=generator)
    with torch.no_grad():
        for name, layer in layers:
            if name in other.network.outputs:
                layer.weight.mul_(sign)
    return other


def _likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Mean Spearman correlation over the images; a constant map is like nothing."""
    found = []
    for a, b in zip(first, second, strict=True):
        constant = np.ptp(a) == 0 or np.ptp(b) == 0
        found.append(0.0 if constant else float(stats.spearmanr(a, b, axis=None).statistic))
    return float(np.mean(found))
