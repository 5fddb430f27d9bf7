"""Which part of a case is explained: the window of the network about what was called in it, or what it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.types import Dataset, Predictions
from evenray.data.annotations import read_mask
from evenray.data.letterbox import Placement
from evenray.evidence.explain.window import Window, about_box, densest
from evenray.metrics.boxes import found_boxes, true_boxes

__all__ = ["Windows"]


@dataclass(frozen=True)
class Windows:
    """Those of a network of `size` in prepared images of `side` pixels; `masks` is the folder of masks that were called."""

    dataset: Dataset
    predictions: Predictions
    masks: Path
    side: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether the network sees images whole."""
        return self.predictions.task in OF_IMAGES or self.side <= self.size

    @property
    def seen(self) -> int:
        """The side of what the network sees."""
        return self.side if self.whole else self.size

    def of(self, i: int, row: int, k: int, *, missed: bool = False) -> Window:
        """The part of a case, `i` in the predictions and `row` in the data set, by which the class `k` is explained: about what was
        called it or, where nothing was, what is of it; the other way round of what was `missed`. Of a class that is neither, the
        middle of the image."""
        if self.whole:
            return Window(0, 0, self.side)
        if self.predictions.task == "detect":
            return self._about_box(i, row, k, missed)
        place, marked_SS = self.place(row), np.zeros((self.side, self.side), bool)
        for own in self._masks(i, row)[:: -1 if missed else 1]:
            marked_SS = place.place((own == k + 1).astype(np.uint8)) == 1
            if marked_SS.any():
                break
        return densest(marked_SS, self.size)

    def place(self, row: int) -> Placement:
        """Where the image of a case lies in the square that is prepared of it."""
        rows, columns = self.dataset.cases.select("rows", "columns").row(row)
        return Placement.of((int(rows), int(columns)), self.side)

    def _masks(self, i: int, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What was called, and what is there."""
        case = self.predictions.table["case"][i]
        called = cv2.imread(str(self.masks / f"{case}.png"), cv2.IMREAD_UNCHANGED)
        return np.asarray(called, np.uint8), read_mask(self.dataset, row)

    def _about_box(self, i: int, row: int, k: int, missed: bool) -> Window:
        found, true = (boxes[i] for boxes in self._boxes)
        own = found[found[:, 0] == k]
        surest_first = own[np.argsort(-own[:, 5])]
        boxes = np.concatenate([surest_first[:, 1:5], true[true[:, 0] == k][:, 1:5]][:: -1 if missed else 1])
        if not len(boxes):
            return densest(np.zeros((self.side, self.side), bool), self.size)
        return about_box(self.place(row).boxes_from_image(boxes[0]), self.side, self.size)

    @cached_property
    def _boxes(self) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        return found_boxes(self.predictions), true_boxes(self.predictions)
