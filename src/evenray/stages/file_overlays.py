"""Overlays of image files that belong to no run: where a network looked for what it called in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from evenray.evidence.explain.answers import Answers, chance, classes_of, focus_of
from evenray.evidence.explain.attribution import attribute
from evenray.learning import networks
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import as_input
from evenray.learning.predict.decoding import Opened
from evenray.learning.windows import map_logits
from evenray.metrics.pixel_bins import log_odds_of
from evenray.reporting.overlay import overlay

from .attributing import in_image
from .overlays import picture

__all__ = ["called", "overlays"]


def called(one: Opened, about: About, model: networks.Classifier) -> list[tuple[int, float]]:
    """The classes that an image is called with their probabilities, of masks those of which the answer has pixels; the most probable
    one where it is called none."""
    x_NCHW = _input(one, about, model)
    with torch.no_grad():
        if about.task in ("classify", "tag"):
            p_K = about.probabilities(model(x_NCHW).double().cpu().numpy())[0]
            decisions = about.decisions
            if about.task == "classify":
                k = about.classes.index(decisions[0].called(p_K[None])[0])
                return [(k, float(p_K[k]))]
            least = [1.0 if one.threshold is None else one.threshold for one in decisions]
        else:
            K = classes_of(model)
            targets, many = torch.arange(K, device=x_NCHW.device), x_NCHW.expand(K, -1, -1, -1)
            p_K = chance(model, Answers(model)(many, focus_of(model, many, targets)), targets).double().cpu().numpy()
            least = [0.5] * K
            if about.task == "segment":
                marked = _marked(one, about, model, x_NCHW)
                least = [0.0 if k in marked else np.inf for k in range(K)]
    found = [(k, float(p)) for k, p in enumerate(p_K) if p >= least[k]]
    return found or [(int(p_K.argmax()), float(p_K.max()))]


def _marked(one: Opened, about: About, model: networks.Classifier, x_NCHW: torch.Tensor) -> set[int]:
    """The classes that have pixels in the mask which prediction gives, at their thresholds."""
    logits_KHW = map_logits(model, x_NCHW, about.view)[0].double().cpu().numpy()
    mask = about.calling.in_image(np.moveaxis(log_odds_of(logits_KHW), 0, -1), one.image.shape)
    return {int(index) - 1 for index in np.unique(mask) if index}


def overlays(
    one: Opened, about: About, model: networks.Classifier, classes: Sequence[int], method: str, side: int, opacity: float = 0.5
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """A picture for each class, RGB, uint8 (H, W + bar, 3): the image, of `side` pixels at the most, under the map of that class."""
    x_NCHW, shown = _input(one, about, model), picture(one.image, side)
    for k in classes:
        own = in_image(attribute(model, x_NCHW, k, method)[0], one.image.shape)
        if own.shape != shown.shape[:2]:
            own = np.asarray(cv2.resize(own, shown.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)
        yield overlay(shown, own, opacity)


def _input(one: Opened, about: About, model: networks.Classifier) -> torch.Tensor:
    return torch.from_numpy(as_input([one.pixels], about)).to(model.mean.device)
