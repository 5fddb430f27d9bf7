"""Regions that matter in images, to hold attribution maps against: those that the task is about, or boxes or masks from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, ReadError
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.names import as_path
from evenray.core.types import Dataset
from evenray.data.annotations import read_boxes, read_mask
from evenray.data.annotations.circles import is_circle_table, read_circles
from evenray.data.annotations.finding import Beside, Wanted, annotations_of
from evenray.data.annotations.found import Annotated, Annotations
from evenray.data.annotations.mask_pixels import mask_pixels, uncoloured
from evenray.data.annotations.measuring import describe_boxes
from evenray.data.annotations.reading import clean_boxes
from evenray.data.scan.files import list_files

__all__ = ["Regions", "regions_of"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Regions:
    """Where regions are known: in masks or boxes of the data set itself, of a class each, or `given` by file, whatever the class."""

    dataset: Dataset
    given: dict[str, Annotated] = field(default_factory=dict)
    shares: bool = False
    circles: bool = False

    def of(self, row: int, target: int) -> Mask | None:
        """The region of the case at a row of `cases` for a class, bool (H, W) in the file's pixels; None where none is known there.

        Raises ReadError where a mask cannot be read.
        """
        file, rows, columns = self.dataset.cases.select("file", "rows", "columns").row(row)
        shape = (int(rows), int(columns))
        if self.given:
            found = self._given(self.given.get(file), shape)
        elif self.dataset.facts.task == "segment":
            found = read_mask(self.dataset, row) == target + 1
        elif self.dataset.facts.task == "detect":
            boxes = read_boxes(self.dataset, row)
            found = _filled(boxes[boxes[:, 0] == target, 1:], shape)
        else:
            return None
        return found if found is not None and found.any() else None

    def _given(self, annotated: Annotated | None, shape: tuple[int, int]) -> Mask | None:
        if annotated is None:
            return None
        if annotated.boxes:
            boxes = clean_boxes(describe_boxes(annotated, self.shares, shape)["boxes"], shape)
            return _filled(boxes[boxes[:, 0] >= 0, 1:], shape, round_=self.circles)
        found = np.zeros(shape, np.bool_)
        for mask in annotated.masks:
            path = as_path(Path(self.dataset.root) / mask.file)
            try:
                pixels = uncoloured(mask_pixels(path, mask.fragment or "", mask.runs, annotated.size or shape))
            except ValueError as error:
                raise ReadError(path, f"has a mask that cannot be read: {error}") from None
            pixels = np.where(pixels == UNKNOWN_PIXEL, 255, pixels)
            least = int(pixels.max()) / 2 if pixels.max() > 127 else 0  # JPEG leaves greys about black
            own = (pixels > least).astype(np.uint8)
            found |= cv2.resize(own, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(np.bool_)
        return found


def regions_of(dataset: Dataset, place: str | None) -> Regions:
    """The regions that a user named, a file or a folder of boxes or masks; else those of the task; else of the tables of places that
    lie beside the images, as the demo's lesions do.

    Raises DataError where what was named holds neither boxes nor masks of these images.
    """
    images = dataset.cases["file"].unique(maintain_order=True).to_list()
    root = Path(dataset.root)
    if place is not None:
        return _named(dataset, root, images, as_path(place))
    if dataset.facts.task not in ("segment", "detect"):
        for name in dataset.facts.box_tables:
            path = as_path(root / name)
            if path.is_file():
                with suppress(DataError):  # nobody asked for it
                    return _named(dataset, root, images, path)
    return Regions(dataset)


def _named(dataset: Dataset, root: Path, images: Sequence[str], place: Path) -> Regions:
    if place.is_file() and is_circle_table(place):
        return Regions(dataset, read_circles(place, images).images, circles=True)
    found = _annotations(root, images, place)
    return Regions(dataset, found.images, found.shares)


def _annotations(root: Path, images: Sequence[str], place: Path) -> Annotations:
    refused = []
    for wanted in (Wanted(boxes=str(place)), Wanted(masks=str(place))):
        try:
            found, _ = annotations_of(root, images, Beside({}, [], _files_of), wanted, labelled=False)
        except DataError as error:
            refused.append(str(error))
            continue
        if found is not None:
            return found
    raise DataError(
        f"--regions is '{place}'; expected boxes or masks of the images. {' '.join(dict.fromkeys(refused))}"
    )


def _files_of(folder: Path) -> tuple[list[str], list[str]]:
    files = list_files(folder)
    return files.paths, files.others


def _filled(corners: NDArray[np.float64], shape: tuple[int, int], *, round_: bool = False) -> Mask:
    """Boxes (n, 4) of left, top, right and bottom as a region; `round_` ones as the ellipses in them."""
    found = np.zeros(shape, np.bool_)
    y, x = np.ogrid[0.5 : shape[0], 0.5 : shape[1]]
    for x0, y0, x1, y1 in corners.tolist():
        if round_:
            found |= ((x - (x0 + x1) / 2) / (x1 - x0)) ** 2 + ((y - (y0 + y1) / 2) / (y1 - y0)) ** 2 <= 0.25
        else:
            found[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = True
    return found
