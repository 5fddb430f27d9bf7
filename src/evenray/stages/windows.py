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
from evenray.evidence.explain.window import Window, about_box, densest, middle
from evenray.metrics.boxes import box_matches, found_boxes, true_boxes
from evenray.metrics.matching import Matches
from evenray.metrics.measuring import Cut

from .answered import cut_of

__all__ = ["Windows"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """Those of a network of `size` in prepared images of `side` pixels; `masks` is the folder of masks that were called, `cuts` are
    the thresholds that boxes were called at, and `seed` draws where in a window things lie."""

    dataset: Dataset
    predictions: Predictions
    cuts: Cut
    masks: Path
    side: int
    size: int
    seed: int

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
        found of it, else what was called it, else what is of it; of what was `missed` about what is of it. Of a class that is neither
        called nor there about the box that comes nearest, or the middle of the image."""
        if self.whole:
            return Window(0, 0, self.side)
        rng, place = np.random.default_rng([self.seed, row, k]), self.place(row)
        if self.predictions.task == "detect":
            for boxes in self._boxes(i, k)[2 if missed else 0 :]:
                if len(boxes):
                    return about_box(place.boxes_from_image(boxes[0]), self.side, self.size, rng)
        else:
            for own in self._masks(i, row, k)[2 if missed else 0 :]:
                if (marked_SS := place.place(own.astype(np.uint8)) == 1).any():
                    return densest(marked_SS, self.size, rng)
        return middle(self.side, self.size)

    def place(self, row: int) -> Placement:
        """Where the image of a case lies in the square that is prepared of it."""
        rows, columns = self.dataset.cases.select("rows", "columns").row(row)
        return Placement.of((int(rows), int(columns)), self.side)

    def _masks(self, i: int, row: int, k: int) -> list[NDArray[np.bool_]]:
        """What was found, what was called, what is there."""
        case = self.predictions.table["case"][i]
        called = np.asarray(cv2.imread(str(self.masks / f"{case}.png"), cv2.IMREAD_UNCHANGED)) == k + 1
        true = read_mask(self.dataset, row) == k + 1
        return [called & true, called, true]

    def _boxes(self, i: int, k: int) -> list[Floats]:
        """Boxes that were found, that were called, that are there, and that were not called, the surest first."""
        found, true, matched = self._all_boxes
        own = matched[k].image == i
        boxes, called = found[i][matched[k].box[own], 1:5], matched[k].score[own] >= cut_of(self.cuts, k)
        hit, counted = matched[k].hit[0, own], ~matched[k].ignored[0, own]
        return [boxes[hit & called], boxes[counted & called], true[i][true[i][:, 0] == k, 1:5], boxes]

    @cached_property
    def _all_boxes(self) -> tuple[list[Floats], list[Floats], list[Matches]]:
        return found_boxes(self.predictions), true_boxes(self.predictions), box_matches(self.predictions, (0.5,))
