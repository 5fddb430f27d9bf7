"""Prediction of image files: decoding goes on in other processes while the network computes, a little ahead and no further."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import RunFolder, atomic
from evenray.core.errors import DataError, MissingExtra, ReadError
from evenray.core.events import Map
from evenray.core.lost import Lost
from evenray.core.names import as_path, as_text
from evenray.core.types import REJECTED
from evenray.data.scan.files import list_files
from evenray.images.readers import fragments, middle, read

from .about import About
from .engines import Model
from .out_of_distribution import Fingerprint, deviations

__all__ = ["Answers", "Item", "images", "items", "predict"]


@dataclass(frozen=True)
class Item:
    """One file to predict, by the name that its answer carries: the path as given, or below the one folder that was given.

    `lost` is why there is nothing to open, such as a folder that is shut.
    """

    file: str
    path: Path
    lost: str = ""


@dataclass(frozen=True)
class Answers:
    """The answers of a model: a row an image, in the order of the files, and the files that could not be read.

    Columns of `table`: file, fragment ("" for the only image of a file); p_CLASS, corrected and calibrated, for each
    class; decision, the class that it is called; threshold, from which probability of the positive class on (null
    with more than two classes); of findings decision_NAME (absent or present) and threshold_NAME for each;
    out_of_distribution, whether the image is unlike the training images (null where the model cannot tell), and
    why. `about` is the model's, at the prevalence that was asked for; `files` counts all files.
    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    about: About
    engine: str
    precision: str
    files: int

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
            "prevalence": about.given.tolist(), "engine": self.engine, "precision": self.precision,
            "images": self.table.height, "out_of_distribution": self.flagged,
            "false_flags": None if about.training_images is None else about.training_images.false_flags,
            "rejected": self.rejected.to_dicts(),
        }  # fmt: skip

    def write(self, path: Path) -> None:
        """Write a .json file of everything, or a .csv or .parquet table with what was set aside in a table beside it."""
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
    return sum(len(_fragments(item)) for item in files)


def predict(
    model: Model,
    files: Sequence[Item],
    *,
    prevalence: float | Mapping[str, float] | None = None,
    map: Map = map,
    tick: Callable[[int], None] = lambda files: None,
) -> Answers:
    """The answers of a model for files; what cannot be read is set aside with its reason, and the rest goes on.

    `prevalence` is the share of the positive class (or of every class) at the place of use. `map` decodes, ahead of the
    network where it can. `tick` is called with the number of files that are done. A file with many frames gives its middle
    one, a .npz file all of its images.
    """
    about = model.about.at(prevalence)
    tables, rejected, batch = list[pl.DataFrame](), list[tuple[str, str]](), list[_Decoded]()
    work = [task for item in files for task in _tasks(item)]
    for task, found in zip(work, map(partial(_decode, about=about), work), strict=True):
        if isinstance(found, str | Lost):
            rejected.append((task.item.file, found if isinstance(found, str) else found.reason))
        else:
            batch.append(found)
        if len(batch) == model.batch:
            tables.append(_answers(model, about, batch))
            batch = []
        tick(int(task.last))
    tables.append(_answers(model, about, batch))
    refused = pl.DataFrame(rejected, schema=REJECTED, orient="row")
    return Answers(pl.concat(tables), refused, about, model.engine, model.precision, len(files))


class _Task(NamedTuple):
    """One image to decode; None is the middle one of its file. `last` says that no other of the file comes behind it."""

    item: Item
    fragment: str | None
    last: bool


class _Decoded(NamedTuple):
    file: str
    fragment: str
    pixels: NDArray[Any]
    fingerprint: Fingerprint | None


def _tasks(item: Item) -> Iterator[_Task]:
    names = _fragments(item)
    yield from (_Task(item, name, number == len(names)) for number, name in enumerate(names, 1))


def _fragments(item: Item) -> Sequence[str | None]:
    """The images of a file to predict: all of an archive, the middle one of any other."""
    if item.path.suffix.lower() == ".npz":
        try:
            return fragments(item.path)
        except (ReadError, MissingExtra):
            pass  # its reason is told where it is read
    return [None]


def _decode(task: _Task, about: About) -> _Decoded | str:
    """An image as the network takes it, or why it cannot be read."""
    item, fragment = task.item, task.fragment
    try:
        if item.lost:
            return item.lost
        if fragment is None:
            names = fragments(item.path)
            fragment = middle(names)
        image = read(item.path, fragment=fragment, value_range=about.value_range)
        fingerprint = None if about.training_images is None else Fingerprint.of(image)
        return _Decoded(item.file, fragment, about.pixels(image), fingerprint)
    except ReadError as error:
        return error.reason
    except MissingExtra as error:
        return str(error)


def _answers(model: Model, about: About, batch: Sequence[_Decoded]) -> pl.DataFrame:
    """The rows of one batch, which may be empty."""
    p_NK = np.zeros((0, len(about.classes)))
    whys: list[str | None] = [None] * len(batch)
    if batch:
        x = np.stack([one.pixels for one in batch]).astype(np.float32) / np.float32(about.scale)
        p_NK = about.probabilities(
            model.run(x[:, None] if x.ndim == 3 else np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
        )
        if about.training_images is not None:
            prints = [one.fingerprint for one in batch if one.fingerprint is not None]
            whys = ["; ".join(map(str, found)) for found in deviations(about.training_images, prints)]
    columns: dict[str, tuple[type[pl.DataType], Any]] = {
        "file": (pl.String, [one.file for one in batch]), "fragment": (pl.String, [one.fragment for one in batch]),
        **{f"p_{name}": (pl.Float64, p_NK[:, k]) for k, name in enumerate(about.classes)},
    }  # fmt: skip
    beside: dict[str, tuple[type[pl.DataType], Any]] = {
        "out_of_distribution": (pl.Boolean, [None if why is None else bool(why) for why in whys]), "why": (pl.String, whys),
    }  # fmt: skip
    first, last = (
        [pl.Series(name, values, dtype) for name, (dtype, values) in each.items()] for each in (columns, beside)
    )
    return pl.DataFrame([*first, *about.answers(p_NK), *last])
