"""Masks once more: called at the thresholds that were chosen, taken back to the pixels of the files, and measured there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.drawn import DrawnMasks
from evenray.core.artefacts.explained import Gallery
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.types import Dataset, Predictions
from evenray.data.annotations import read_mask
from evenray.learning import networks
from evenray.learning.predict.calling import Calling
from evenray.learning.train import Part, outputs
from evenray.learning.train.mask_part import log_odds
from evenray.metrics.overlap import Overlap, overlap

from .tools import Tools
from .volumes import MeasuredVolumes

__all__ = ["called_masks", "in_own_pixels", "spacing_of", "watched_masks"]

Masks = Iterator[tuple[int, NDArray[np.uint8]]]  # by row


def called_masks(
    network: networks.Classifier, cases: Dataset, part: Part, calling: Calling, tools: Tools, batch: int, tta: str
) -> Masks:
    """The mask of every case of a part, by its row, in the pixels of its own image."""
    shapes = cases.cases.select("rows", "columns").rows()
    for _, which, logits in outputs(network, part, batch, tools.machine, tta=tta):
        for row, own in zip(which.tolist(), log_odds(logits.float()), strict=True):
            yield row, calling.in_image(own.permute(1, 2, 0).cpu().numpy(), shapes[row])


def watched_masks(masks: Masks, tick: Callable[[int], None]) -> Masks:
    """The same, each told to `tick`."""
    for found in masks:
        yield found
        tick(1)


@dataclass(frozen=True)
class Spacing:
    """The (row, column) spacing of every case: in mm where that of all is known, else 1 in pixels."""

    unit: str
    of: list[tuple[float, float]]


def spacing_of(cases: Dataset) -> Spacing:
    """That of a data set."""
    table = cases.cases
    if {"spacing_row", "spacing_column"} <= set(table.columns):
        both = table.select("spacing_row", "spacing_column")
        if both.null_count().sum_horizontal()[0] == 0:
            return Spacing("mm", [(float(row), float(column)) for row, column in both.iter_rows()])
    return Spacing("px", [(1.0, 1.0)] * len(cases))


def in_own_pixels(
    whole: Dataset, cases: Dataset, predictions: Predictions, masks: Masks
) -> tuple[Predictions, Gallery[DrawnMasks]]:
    """The predictions of a part with what its masks are worth in the pixels of the files, and the masks as pictures.

    Distances and areas are in mm where the spacing of every case of the whole data set is known, else in pixels.
    """
    unit = spacing_of(whole).unit
    spacing = spacing_of(cases).of if unit == "mm" else [(1.0, 1.0)] * len(cases)
    found: dict[int, list[Overlap]] = {}
    volumes = MeasuredVolumes(cases, spacing if unit == "mm" else None)
    pixels, right = np.zeros(len(cases), np.int64), np.zeros(len(cases), np.int64)
    pictures, files = dict[str, bytes](), dict[str, str]()
    names = cases.cases["case"].to_list()
    for row, called in masks:
        true = read_mask(cases, row)
        known = true != UNKNOWN_PIXEL
        pixels[row], right[row] = np.count_nonzero(known), np.count_nonzero(known & (true == called))
        volumes.add(row, np.where(known, true, 0), np.where(known, called, 0))
        found[row] = [overlap(true == k, called == k, spacing[row], known) for k in range(1, len(cases.classes) + 1)]
        files[names[row]] = f"{names[row]}.png"
        pictures[files[names[row]]] = cv2.imencode(".png", called)[1].tobytes()
    columns = [pl.Series("unit", [unit] * len(cases)), pl.Series("diagonal", _diagonals(cases, spacing))]
    columns.append(pl.Series("right", right))
    for k in range(len(cases.classes)):
        own = [found[row][k] for row in range(len(cases))]
        columns += [pl.Series(f"{name}_{k}", [getattr(one, name) for one in own]) for name in Overlap.__annotations__]
        columns.append(pl.Series(f"pixels_{k}", pixels))
    measured = replace(predictions, table=predictions.table.with_columns(*columns, *volumes.columns))
    return measured, Gallery(DrawnMasks(classes=cases.classes, files=files), pictures)


def _diagonals(cases: Dataset, spacing: list[tuple[float, float]]) -> list[float]:
    shapes = cases.cases.select("rows", "columns").rows()
    return [float(np.hypot(r * a, c * b)) for (r, c), (a, b) in zip(shapes, spacing, strict=True)]
