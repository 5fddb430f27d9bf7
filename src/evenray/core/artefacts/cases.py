"""A data set on disk: cases.parquet, dataset.json, rejected.csv and the sketches of a run folder, and its split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from evenray.core.dataset import Dataset
from evenray.core.facts import Facts
from evenray.core.sketches import OnDisk, SketchWriter, blocks, open_sketches

from .folder import RunFolder
from .record import Record
from .tables import require

__all__ = ["SKETCHES", "DatasetRecord", "keep_root", "load", "save", "with_own_sketches"]

RATINGS = "ratings.parquet"  # what each of several readers said
SKETCHES = "sketches"  # the folder of arrays with one row a case


class DatasetRecord(Record):
    """dataset.json: what a data set is beside its cases."""

    file: ClassVar[str] = "dataset.json"

    version: Literal[2] = 2
    classes: tuple[str, ...]
    positive: str
    facts: Facts


def with_own_sketches(dataset: Dataset, folder: Path | None) -> Dataset:
    """The data set with sketches of its own cases alone, row by row as they stand, in `folder` or without one in memory.

    What the folder holds of other data is removed; a data set without sketches loses the column that points to them.
    """
    known = [name for name in dataset.sketches if dataset.has_sketch(name)]
    if not known:
        dataset = replace(dataset, cases=dataset.cases.drop("sketch", strict=False), sketches={})
    elif not _in_place(dataset, folder):
        with SketchWriter(folder) as writer:
            for rows in blocks(len(dataset)):
                writer.add({name: dataset.sketch(name, rows) for name in known})
        numbered = dataset.cases.with_columns(sketch=pl.int_range(pl.len(), dtype=pl.UInt32))
        dataset = replace(dataset, cases=numbered, sketches=writer.rows)
    for path in folder.glob("*.npy") if folder else ():
        if path.stem not in dataset.sketches:
            path.unlink()
    return dataset


def _in_place(dataset: Dataset, folder: Path | None) -> bool:
    """Whether the sketches are where they should be, and row n of each belongs to case n."""
    numbers = dataset.cases["sketch"].to_numpy()
    return np.array_equal(numbers, np.arange(len(numbers))) and all(
        len(rows) == len(numbers)
        and (folder is None or (isinstance(rows, OnDisk) and rows.path == folder / f"{name}.npy"))
        for name, rows in dataset.sketches.items()
    )


def save(dataset: Dataset, run: RunFolder) -> list[str]:
    """Write the artefacts and return their names."""
    dataset = with_own_sketches(dataset, run / SKETCHES)
    run.write_table("cases.parquet", dataset.cases)
    run.write_table("rejected.csv", dataset.rejected)
    DatasetRecord(classes=dataset.classes, positive=dataset.positive, facts=dataset.facts).write(run.path)
    keep_root(run, dataset.root)
    if dataset.ratings is None:
        (run / RATINGS).unlink(missing_ok=True)
    else:
        run.write_table(RATINGS, dataset.ratings)
    return ["cases.parquet", "dataset.json", "rejected.csv", *([RATINGS] if dataset.ratings is not None else []),
            *(f"{SKETCHES}/{name}.npy" for name in dataset.sketches)]  # fmt: skip


def keep_root(run: RunFolder, root: str) -> None:
    """Where the images are goes into the ledger: none of the artefacts changes when they are moved."""
    run.note(lambda ledger: ledger.model_copy(update={"root": root}))


def load(run: RunFolder, *, split: bool = True) -> Dataset:
    """The data set of a run folder; with `split`, its parts as split.parquet says, without the excluded cases."""
    run.needed(DatasetRecord.file)
    about = DatasetRecord.read(run.path)
    cases = require(run.read_table("cases.parquet"), run / "cases.parquet")
    sketches = open_sketches(run / SKETCHES, cases.height) if "sketch" in cases.columns else {}
    if split:
        parts = run.read_table("split.parquet")
        cases = cases.drop("part").join(parts, on="case", how="inner", maintain_order="left")
        cases = cases.filter(pl.col("part") != "excluded")
    rejected = run.read_table("rejected.csv")
    ratings = run.read_table(RATINGS) if run.has(RATINGS) else None
    return Dataset(cases, about.classes, about.positive, run.ledger.root, rejected, about.facts, sketches, ratings)
