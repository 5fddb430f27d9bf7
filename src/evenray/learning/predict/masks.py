"""Masks of image files: every frame is called, and the masks of a file are written in its own form and geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.events import Map
from evenray.core.lost import Lost
from evenray.core.types import REJECTED
from evenray.metrics.pixel_bins import log_odds_of

from .about import About
from .answers import NO_NUMBER, Answers, as_input, beside, columns_of
from .decoding import Decoded, Item, Task, decode, tasks_of
from .writing import Writing

if TYPE_CHECKING:
    from .engines import Model

__all__ = ["answer_frame", "predict_masks"]

Mask = NDArray[np.uint8]


def predict_masks(
    model: Model, about: About, files: Sequence[Item], folder: Path | None, *, keep: bool = True, map: Map = map,
    tick: Callable[[int], None] = lambda files: None,
) -> Answers:  # fmt: skip
    """The masks of files, written below `folder` (a folder of theirs for each folder of images), or kept where there is none,
    if they are to be (`keep`). The slices of a DICOM series, a file each, have one file of masks together.

    What cannot be read is set aside with its reason; a file with a frame that cannot be read has no mask.
    """
    tables, rejected = list[pl.DataFrame](), list[tuple[str, str]]()
    kept: dict[tuple[str, str], Mask] = {}
    writing = None if folder is None else Writing(folder, about.classes, files)
    work = [task for item in files for task in tasks_of(item, every=True)]
    for item, frames, reason in _by_file(work, map(partial(decode, preparation=about.preparation), work)):
        masks = {} if reason else _masks(model, about, frames)
        if masks is None or reason:
            rejected.append((item.file, reason or NO_NUMBER))
        else:
            if writing is not None:
                writing.add(item, masks)
            elif keep:
                kept |= {(item.file, name): mask for name, mask in masks.items()}
            tables.append(_rows(about, frames, masks))
        tick(1)
    table = pl.concat(tables or [_rows(about, [], {})])
    written = {} if writing is None else writing.done()
    where = pl.Series("mask", [written.get(row) for row in table.select("file", "fragment").iter_rows()], pl.String)
    table = table.insert_column(2 + 2 * len(about.classes), where)
    refused = pl.DataFrame(rejected, schema=REJECTED, orient="row")
    return Answers(table, refused, about, model.engine, model.precision, len(files), kept)


def answer_frame(model: Model, about: About, one: Decoded) -> tuple[pl.DataFrame, Mask | None]:
    """The row of one frame and its mask; none where the network has no number for it."""
    masks = _masks(model, about, [one])
    return (_rows(about, [], {}), None) if masks is None else (_rows(about, [one], masks), masks[one.fragment])


def _by_file(
    work: Sequence[Task], decoded: Iterable[Decoded | str | Lost]
) -> Iterator[tuple[Item, list[Decoded], str]]:
    """Each file with its frames, or the reason why one cannot be read."""
    frames, reason = list[Decoded](), ""
    for task, found in zip(work, decoded, strict=True):
        if isinstance(found, str | Lost):
            reason = reason or (found if isinstance(found, str) else found.reason)
        else:
            frames.append(found)
        if task.last:
            yield task.item, frames, reason
            frames, reason = [], ""


def _masks(model: Model, about: About, frames: Sequence[Decoded]) -> dict[str, Mask] | None:
    """The mask of each frame; None where the network has no number for one, which must not pass for nothing to mark."""
    calling, found = about.calling, dict[str, Mask]()
    for start in range(0, len(frames), model.batch):
        batch = frames[start : start + model.batch]
        answers = model.run(as_input([one.pixels for one in batch], about))
        if not np.isfinite(answers).all():
            return None
        for one, logits_KHW in zip(batch, answers, strict=True):
            found[one.fragment] = calling.in_image(np.moveaxis(log_odds_of(logits_KHW), 0, -1), one.shape)
    return found


def _rows(about: About, frames: Sequence[Decoded], masks: dict[str, Mask]) -> pl.DataFrame:
    columns: dict[str, tuple[type[pl.DataType], object]] = {
        "file": (pl.String, [one.file for one in frames]), "fragment": (pl.String, [one.fragment for one in frames]),
    }  # fmt: skip
    for k, name in enumerate(about.classes):
        pixels = [int(np.count_nonzero(masks[one.fragment] == k + 1)) for one in frames]
        area = [
            None if one.spacing is None else n * one.spacing[0] * one.spacing[1]
            for n, one in zip(pixels, frames, strict=True)
        ]
        columns |= {f"pixels_{name}": (pl.Int64, pixels), f"mm2_{name}": (pl.Float64, area)}
    return pl.DataFrame([*columns_of(columns), *beside(frames, about)])
