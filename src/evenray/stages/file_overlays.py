"""Overlays of image files that belong to no run: where a network looked for what it called in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.evidence.explain.answers import chances
from evenray.evidence.explain.attribution import attribute
from evenray.learning import networks
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import as_input
from evenray.learning.predict.decoding import Opened
from evenray.reporting.overlay import overlay

from .attributing import in_image
from .overlays import picture

__all__ = ["called", "nearest", "overlays", "probabilities"]


def called(row: pl.DataFrame, about: About) -> list[int]:
    """The classes that the answer of an image, one row, calls at the thresholds of its run: of masks those that have pixels, of boxes
    those of which there is one."""
    if about.task == "classify":
        return [about.classes.index(row["decision"].item())]
    if about.task == "tag":
        return [k for k, name in enumerate(about.classes) if row[f"decision_{name}"].item() == "present"]
    what = {"segment": "pixels", "detect": "boxes"}[about.task]
    return [k for k, name in enumerate(about.classes) if row[f"{what}_{name}"].item() > 0]


def probabilities(
    row: pl.DataFrame, classes: Sequence[int], one: Opened, about: About, model: networks.Classifier
) -> list[float]:
    """Those of classes that an answer calls: calibrated, of boxes the highest; of masks, whose answers have none, the network's own of
    what is explained."""
    if about.task == "segment":
        return _own(one, about, model, classes)
    start = "highest" if about.task == "detect" else "p"
    return [row[f"{start}_{about.classes[k]}"].item() for k in classes]


def nearest(row: pl.DataFrame, one: Opened, about: About, model: networks.Classifier) -> tuple[int, float]:
    """The most probable class of an image whose answer calls none, with its probability; of masks and boxes the network's own, for
    their answers do not tell it."""
    every = range(len(about.classes))
    told = about.task == "tag"
    each = [row[f"p_{name}"].item() for name in about.classes] if told else _own(one, about, model, every)
    k = max(every, key=each.__getitem__)
    return k, each[k]


def _own(one: Opened, about: About, model: networks.Classifier, classes: Sequence[int]) -> list[float]:
    x_NCHW = _input(one, about, model)
    found: list[float] = chances(model, x_NCHW, torch.tensor(list(classes), device=x_NCHW.device)).double().tolist()
    return found


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
    return torch.from_numpy(as_input([one.decoded.pixels], about)).to(model.mean.device)
