"""What a model answers for image files, and the columns that answers of every task have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import RunFolder, atomic
from evenray.images.writers.boxes import write_boxes

from .about import About
from .decoding import Decoded
from .out_of_distribution import deviations

__all__ = ["NO_NUMBER", "Answers", "FoundBoxes", "as_input", "beside", "columns_of", "set_aside"]

NO_NUMBER = (
    "the network answers with NaN or infinity in place of numbers; check the pixels, or predict with --device cpu"
)

Columns = Mapping[str, tuple[type[pl.DataType], Any]]


@dataclass(frozen=True)
class FoundBoxes:
    """Boxes that were called: `images` has name, rows and columns of each image, `boxes` name, class (an index), x0, y0, x1, y1
    (half-open, in pixels of the file) and score, the calibrated probability."""

    images: pl.DataFrame
    boxes: pl.DataFrame


@dataclass(frozen=True)
class Answers:
    """The answers of a model: a row an image, in the order of the files, and the files that could not be read.

    Columns of `table`: file, fragment ("" for the only image of a file); p_CLASS, corrected and calibrated, for each
    class; decision, the class that it is called; threshold, from which probability of the positive class on (null
    with more than two classes); of findings decision_NAME (absent or present) and threshold_NAME for each; set (set_NAME), the
    classes that the image may have, with the coverage that `about` promises, null where that is refused;
    out_of_distribution, whether the image is unlike the training images (null where the model cannot tell), and
    why. Of masks there are in place of p, decision and threshold pixels_CLASS, mm2_CLASS (null where the spacing is not known) and
    mask, the file that was written; where none was, `masks` has them by file and fragment: 0 background, k + 1 class k.
    Of boxes there are boxes_CLASS, how many were called, and highest_CLASS, the highest of their probabilities; `boxes` has them.
    `about` is the model's, at the prevalence that was asked for; `files` counts all files.
    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    about: About
    engine: str
    precision: str
    files: int
    masks: Mapping[tuple[str, str], NDArray[np.uint8]] = field(default_factory=dict)
    boxes: FoundBoxes | None = None

    @property
    def flagged(self) -> int:
        """How many images are unlike the training images."""
        return int(self.table["out_of_distribution"].sum() or 0)

    def as_json(self) -> dict[str, Any]:
        """All but the table as plain values, for JSON."""
        about = self.about
        return {
            "task": about.task, "classes": list(about.classes), "positive": about.positive,
            "threshold": [point.threshold for point in about.points] or about.threshold,
            "prevalence": about.given.tolist(), "coverage": about.coverage if any(about.sets) else None,
            "engine": self.engine, "precision": self.precision,
            "images": self.table.height, "out_of_distribution": self.flagged,
            "false_flags": None if about.training_images is None else about.training_images.false_flags,
            "rejected": self.rejected.to_dicts(),
        }  # fmt: skip

    def write(self, path: Path) -> None:
        """Write a .json file of everything, or a .csv or .parquet table with what was set aside in a table beside it; boxes as COCO
        JSON and as a table, called as it with `_boxes`."""
        if self.boxes is not None:
            for ending in ("json", "csv"):
                target = path.with_name(f"{path.stem}_boxes.{ending}")
                write_boxes(target, self.boxes.images, self.boxes.boxes, self.about.classes)
        folder, beside = RunFolder(path.parent), f"{path.stem}.rejected.csv"
        if path.suffix.lower() == ".json":
            with atomic(path) as temporary:
                told = self.as_json() | {"answers": self.table.to_dicts()}
                temporary.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            return
        folder.write_table(path.name, self.table)
        (path.parent / beside).unlink(missing_ok=True)
        if self.rejected.height:
            folder.write_table(beside, self.rejected)


def as_input(pixels: Sequence[NDArray[Any]], about: About) -> NDArray[np.float32]:
    """What `about.pixels` made of images as x_NCHW in unit levels."""
    x = np.stack(pixels).astype(np.float32) / np.float32(about.scale)
    return x[:, None] if x.ndim == 3 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def set_aside(batch: Sequence[Decoded], answers: NDArray[Any], rejected: list[tuple[str, str]]) -> NDArray[np.bool_]:
    """Which images of a batch are answered by finite numbers, (N,); what is not has no class, and goes to `rejected`."""
    finite = np.isfinite(answers).reshape(len(batch), -1).all(axis=1) if len(batch) else np.zeros(0, bool)
    for one, known in zip(batch, finite.tolist(), strict=True):
        if not known:
            rejected.append((one.file, NO_NUMBER))
    return np.asarray(finite)


def columns_of(columns: Columns) -> list[pl.Series]:
    """Columns by name, each with its type, which an empty one has too."""
    return [pl.Series(name, values, dtype) for name, (dtype, values) in columns.items()]


def beside(batch: Sequence[Decoded], about: About) -> list[pl.Series]:
    """Whether each image is unlike the training images, and why."""
    whys: list[str | None] = [None] * len(batch)
    if batch and about.training_images is not None:
        prints = [one.fingerprint for one in batch if one.fingerprint is not None]
        whys = ["; ".join(map(str, found)) for found in deviations(about.training_images, prints)]
    return columns_of({
        "out_of_distribution": (pl.Boolean, [None if why is None else bool(why) for why in whys]), "why": (pl.String, whys),
    })  # fmt: skip
