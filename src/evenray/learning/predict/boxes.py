"""Boxes of image files: found, given their probabilities, called at the thresholds, and taken back to the pixels of the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.events import Map
from evenray.core.types import REJECTED
from evenray.learning.boxes import decoding
from evenray.learning.boxes.told import found_in, told
from evenray.learning.tasks.detect import in_file_pixels

from .about import About
from .answers import Answers, FoundBoxes, as_input, beside, columns_of, set_aside
from .decoding import Decoded, Item, batches

if TYPE_CHECKING:
    from .engines import Model

__all__ = ["answer_image", "predict_boxes"]

IMAGES = {"name": pl.String, "rows": pl.Int64, "columns": pl.Int64}
BOXES = {"name": pl.String, "class": pl.Int64, **dict.fromkeys(("x0", "y0", "x1", "y1", "score"), pl.Float64)}
Floats = NDArray[np.float64]


def predict_boxes(
    model: Model, about: About, files: Sequence[Item], *, map: Map = map, tick: Callable[[int], None] = lambda files: None
) -> Answers:  # fmt: skip
    """The boxes of files: of a file with many frames those of its middle one, of a .npz file those of all of its images."""
    found, rejected, tables = list[tuple[Decoded, Floats]](), list[tuple[str, str]](), list[pl.DataFrame]()
    for batch in batches(files, about.preparation, model.batch, rejected, map, tick):
        batch, boxes = _boxes(model, about, batch, rejected)
        found.extend((one._replace(pixels=one.pixels[:0]), own) for one, own in zip(batch, boxes, strict=True))
        tables.append(_rows(about, batch, boxes))
    names = [one.file + (f"#{one.fragment}" if one.fragment else "") for one, _ in found]
    images = [(name, *one.shape) for name, (one, _) in zip(names, found, strict=True)]
    rows = [(name, int(box[0]), *box[1:].tolist()) for name, (_, own) in zip(names, found, strict=True) for box in own]
    kept = FoundBoxes(pl.DataFrame(images, schema=IMAGES, orient="row"), pl.DataFrame(rows, schema=BOXES, orient="row"))
    refused = pl.DataFrame(rejected, schema=REJECTED, orient="row")
    return Answers(pl.concat(tables), refused, about, model.engine, model.precision, len(files), boxes=kept)


def answer_image(model: Model, about: About, one: Decoded) -> tuple[pl.DataFrame, Floats | None]:
    """The row of one image and its boxes, as `_boxes` has them; none where the network has no number for it."""
    known, boxes = _boxes(model, about, [one], [])
    return _rows(about, known, boxes), boxes[0] if boxes else None


def _boxes(
    model: Model, about: About, batch: list[Decoded], rejected: list[tuple[str, str]]
) -> tuple[list[Decoded], list[Floats]]:
    """The images that the network has numbers for, and what is called in each, (m, 6): class, left, top, right, bottom, in pixels of
    the file, and the probability."""
    if not batch:
        return [], []
    answers = model.run(as_input([one.pixels for one in batch], about))
    filled_up = np.isnan(answers).all(axis=2, keepdims=True) & about.windowed  # which is how `box_answers` fills up
    known = set_aside(batch, np.where(filled_up, 0, answers), rejected)
    batch = [one for one, kept in zip(batch, known, strict=True) if kept]
    if not batch:
        return [], []
    detected = decoding.decode(torch.from_numpy(answers[known]), decoding.kept_in(about.side))
    kept = told(detected, np.full((len(batch), 1, 5), np.nan), about.side)
    cuts = np.array([1.0 if point.threshold is None else point.threshold for point in about.points])
    found = []
    for one, row, p in zip(batch, kept, about.probabilities(kept), strict=True):
        boxes = in_file_pixels(found_in(row), p, one.shape, about.side)
        found.append(boxes[boxes[:, 5] >= cuts[boxes[:, 0].astype(int)]])
    return batch, found


def _rows(about: About, batch: Sequence[Decoded], boxes: Sequence[Floats]) -> pl.DataFrame:
    columns: dict[str, tuple[type[pl.DataType], Any]] = {
        "file": (pl.String, [one.file for one in batch]), "fragment": (pl.String, [one.fragment for one in batch]),
    }  # fmt: skip
    for k, name in enumerate(about.classes):
        own = [each[each[:, 0] == k, 5] for each in boxes]
        columns[f"boxes_{name}"] = (pl.Int64, [len(scores) for scores in own])
        columns[f"highest_{name}"] = (pl.Float64, [float(scores.max()) if len(scores) else None for scores in own])
    return pl.DataFrame([*columns_of(columns), *beside(batch, about)])
