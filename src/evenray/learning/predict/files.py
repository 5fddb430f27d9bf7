"""Prediction of image files: decoding goes on in other processes while the network computes, a little ahead and no further."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.events import Map
from evenray.core.names import as_path, as_text
from evenray.core.types import REJECTED
from evenray.data.scan.files import list_files

from .about import About
from .answers import Answers, as_input, beside, columns_of, set_aside
from .boxes import answer_image, predict_boxes
from .decoding import Decoded, Item, batches, fragments_of
from .engines import Model
from .masks import answer_frame, predict_masks
from .sets import set_columns

__all__ = ["Answers", "Item", "answer", "images", "items", "predict"]


def items(sources: Sequence[str | Path]) -> list[Item]:
    """The files of some files and folders, in order; folders as the scan lists them. DataError where there is none."""
    found: list[Item] = []
    for source in map(Path, sources):
        if source.is_dir():
            listed = list_files(source)
            names = [*((name, "") for name in listed.paths), *listed.rejected]
            above = as_text(f"{source.as_posix()}/") if len(sources) > 1 else ""  # two folders may hold the same name
            found += [Item(f"{above}{name}", as_path(source / name), reason) for name, reason in names]
        elif source.exists():
            found.append(Item(as_text(source), source))
        else:
            raise DataError(f"There is no '{source}'; give image files, or folders of them.")
    if not found:
        raise DataError(f"'{sources[0]}' holds no image; give image files, or folders of them.")
    return found


def images(files: Sequence[Item]) -> int:
    """How many images some files hold, none opened but archives."""
    return sum(len(fragments_of(item)) for item in files)


def predict(
    model: Model,
    files: Sequence[Item],
    *,
    prevalence: float | Mapping[str, float] | None = None,
    masks: Path | None = None,
    keep_masks: bool = True,
    map: Map = map,
    tick: Callable[[int], None] = lambda files: None,
) -> Answers:
    """The answers of a model for files; what cannot be read is set aside with its reason, and the rest goes on.

    `prevalence` is the share of the positive class (or of every class) at the place of use. `map` decodes, ahead of the
    network where it can. `tick` is called with the number of files that are done. A file with many frames gives its middle
    one, a .npz file all of its images. Of a network of masks all frames are answered, and the masks are written below the
    folder `masks` in the form of their files, or where there is none returned, unless `keep_masks` is false.
    """
    about = model.about.at(prevalence)
    if about.task == "segment":
        return predict_masks(model, about, files, masks, keep=keep_masks, map=map, tick=tick)
    if about.task == "detect":
        return predict_boxes(model, about, files, map=map, tick=tick)
    rejected = list[tuple[str, str]]()
    tables = [
        _answers(model, about, batch, rejected)
        for batch in batches(files, about.preparation, model.batch, rejected, map, tick)
    ]
    refused = pl.DataFrame(rejected, schema=REJECTED, orient="row")
    return Answers(pl.concat(tables), refused, about, model.engine, model.precision, len(files))


def answer(model: Model, one: Decoded) -> tuple[pl.DataFrame, NDArray[Any] | None]:
    """The row that `predict` has for an image, of one that is decoded; none where the network has no number for it.

    Beside it the mask, uint8 (H, W): 0 background, k + 1 class k; or the boxes that were called, float64 (m, 6): class, left, top,
    right, bottom in pixels of the file, and the probability; None of a task that has neither.
    """
    about = model.about
    if about.task == "segment":
        return answer_frame(model, about, one)
    if about.task == "detect":
        return answer_image(model, about, one)
    return _answers(model, about, [one], []), None


def _answers(model: Model, about: About, batch: Sequence[Decoded], rejected: list[tuple[str, str]]) -> pl.DataFrame:
    """The rows of one batch, which may be empty; what the network has no number for goes to `rejected`."""
    logits_NK = p_NK = np.zeros((0, len(about.classes)))
    if batch:
        logits_NK = model.run(as_input([one.pixels for one in batch], about))
        known = set_aside(batch, logits_NK, rejected)
        batch, logits_NK = [one for one, kept in zip(batch, known, strict=True) if kept], logits_NK[known]
        p_NK = about.probabilities(logits_NK)
    columns: dict[str, tuple[type[pl.DataType], Any]] = {
        "file": (pl.String, [one.file for one in batch]), "fragment": (pl.String, [one.fragment for one in batch]),
        **{f"p_{name}": (pl.Float64, p_NK[:, k]) for k, name in enumerate(about.classes)},
    }  # fmt: skip
    sets = set_columns(about, logits_NK) if about.sets else []
    return pl.DataFrame([*columns_of(columns), *about.answers(p_NK), *sets, *beside(batch, about)])
