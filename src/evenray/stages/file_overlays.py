"""Overlays of image files that belong to no run: where a network looked for what it called in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.data.letterbox import Placement
from evenray.evidence.explain.answers import NEAREST, by_place, chances
from evenray.evidence.explain.attribution import attribute
from evenray.evidence.explain.window import Window, about_box, densest, middle
from evenray.learning import networks
from evenray.learning.boxes.decoding import decode
from evenray.learning.looks import look_of
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import as_input
from evenray.learning.predict.decoding import Opened
from evenray.learning.tasks.detect import in_file_pixels
from evenray.reporting.overlay import overlay

from .overlays import picture

__all__ = ["Looked", "called"]


def called(row: pl.DataFrame, about: About) -> list[int]:
    """The classes that the answer of an image, one row, calls at the thresholds of its run: of masks those that have pixels, of boxes
    those of which there is one."""
    if about.task == "classify":
        return [about.classes.index(row["decision"].item())]
    if about.task == "tag":
        return [k for k, name in enumerate(about.classes) if row[f"decision_{name}"].item() == "present"]
    what = {"segment": "pixels", "detect": "boxes"}[about.task]
    return [k for k, name in enumerate(about.classes) if row[f"{what}_{name}"].item() > 0]


@dataclass(frozen=True)
class Looked:
    """An image file as a network sees it, to be explained."""

    one: Opened
    about: About
    model: networks.Classifier
    marks: NDArray[Any] | None  # the mask or the boxes of its answer, see `predict.files.answer`

    def probabilities(self, row: pl.DataFrame, classes: Sequence[int]) -> list[float]:
        """Those of classes that the answer of the image calls: calibrated, of boxes the highest; of masks, whose answers have none,
        the network's own of what is explained."""
        if self.about.task == "segment":
            return self._own(classes)
        start = "highest" if self.about.task == "detect" else "p"
        return [row[f"{start}_{self.about.classes[k]}"].item() for k in classes]

    def nearest(self, row: pl.DataFrame) -> tuple[int, float]:
        """The most probable class of an image whose answer calls none, with its probability; of masks and boxes the network's own, for
        their answers do not tell it."""
        told = self.about.task == "tag"
        names = self.about.classes
        each = [row[f"p_{name}"].item() for name in names] if told else self._own(range(len(names)))
        k = max(range(len(names)), key=each.__getitem__)
        return k, each[k]

    def overlays(
        self, classes: Sequence[int], method: str, side: int, opacity: float = 0.5
    ) -> Iterator[NDArray[np.uint8]]:
        """A picture for each class, RGB, uint8 (H, W + bar, 3): the image, of `side` pixels at the most, under the map of that class.
        Of an image that the network sees in windows that is the map of one, which has a frame."""
        shown, shape = picture(self.one.image, side), self.one.image.shape
        place, map_HW = Placement.of(shape, self.about.side), np.zeros(shape, np.float32)
        for k in classes:
            window, size = self._window(k, place), self.about.size if self.about.windowed else self.about.side
            bounds = window.bounds(place)
            map_HW[:] = 0
            map_HW[bounds] = window.in_image(attribute(self.model, window.of(self._input, size), k, method)[0], place)
            across, down = shown.shape[1] / shape[1], shown.shape[0] / shape[0]
            own = np.asarray(cv2.resize(map_HW, shown.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)
            yield overlay(_framed(shown, bounds, (down, across)) if self.about.windowed else shown, own, opacity)

    @cached_property
    def _input(self) -> torch.Tensor:
        return torch.from_numpy(as_input([self.one.decoded.pixels], self.about)).to(self.model.mean.device)

    @cached_property
    def _out(self) -> torch.Tensor:
        """What the network says of the whole image, by windows where it sees these alone."""
        with torch.no_grad():
            return look_of(self.about.task)(self.model, self._input, "centre")

    def _own(self, classes: Sequence[int]) -> list[float]:
        found: list[float] = chances(self.model, self._out, self._targets(classes)).double().tolist()
        return found

    def _window(self, k: int, place: Placement) -> Window:
        """The part of the image that a class is explained by: about what was called it, else where it comes nearest."""
        side, size, rng = self.about.side, self.about.size, np.random.default_rng(k)
        if not self.about.windowed:
            return Window(0, 0, side)
        if self.about.task == "segment":
            assert self.marks is not None
            marked_SS = place.place((self.marks == k + 1).astype(np.uint8)) == 1
            if not marked_SS.any():
                inside = place.inside(by_place(self._out)[0, k].view(side, side).cpu().numpy())
                (top, left), (rows, columns) = place.offset, place.inner
                marked_SS[top : top + rows, left : left + columns] = inside >= np.quantile(inside, 1 - NEAREST)
            return densest(marked_SS, size, rng)
        boxes = self._boxes(k, place)
        if not len(boxes):
            return middle(side, size)
        return about_box(place.boxes_from_image(boxes[boxes[:, 4].argmax(), :4]), side, size, rng)

    def _boxes(self, k: int, place: Placement) -> NDArray[np.float64]:
        """Those of a class in pixels of the file, with their scores: those that were called, else what the network found at all."""
        assert self.marks is not None
        called: NDArray[np.float64] = self.marks[self.marks[:, 0] == k, 1:]
        if len(called):
            return called
        (found,) = decode(self._out)
        own = found.classes == k
        boxes = np.column_stack([found.classes[own], found.boxes[own] * place.size, found.scores[own]])
        return in_file_pixels(boxes, found.scores[own], place.shape, place.size)[:, 1:]

    def _targets(self, classes: Sequence[int]) -> torch.Tensor:
        return torch.tensor(list(classes), device=self._input.device)


def _framed(shown: NDArray[np.uint8], bounds: tuple[slice, slice], scale: tuple[float, float]) -> NDArray[np.uint8]:
    """A picture with a line about a part of its image."""
    (top, bottom), (left, right) = (
        (round(own.start * by), round(own.stop * by)) for own, by in zip(bounds, scale, strict=True)
    )
    found = shown.copy() if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)
    cv2.rectangle(found, (left, top), (right - 1, bottom - 1), (255, 255, 255), max(1, max(found.shape) // 512))
    return found
