"""A data set on disk: cases.parquet, dataset.json, rejected.csv and the sketches of a run folder, and its split."""

from __future__ import annotations

import polars as pl

from evenray.core.artefacts import RunFolder
from evenray.core.sketches import on_disk, write_rows
from evenray.core.types import REJECTED, Dataset

__all__ = ["SKETCHES", "load", "save"]

SKETCHES = "sketches"  # the folder of arrays with one row a case


def save(dataset: Dataset, run: RunFolder) -> list[str]:
    """Write the artefacts and return their names."""
    write_rows(run / SKETCHES, dataset.sketches)
    run.write_table("cases.parquet", dataset.cases)
    run.write_table("rejected.csv", dataset.rejected)
    facts = dict(dataset.facts)
    about = {
        "classes": dataset.classes, "positive": dataset.positive, "positive_why": facts.pop("positive_why", ""),
        "root": dataset.root, "facts": facts,
    }  # fmt: skip
    run.write_json("dataset.json", about)
    return ["cases.parquet", "dataset.json", "rejected.csv", *(f"{SKETCHES}/{name}.npy" for name in dataset.sketches)]


def load(run: RunFolder, *, split: bool = True) -> Dataset:
    """The data set of a run folder; with `split`, its parts as split.parquet says, without the excluded cases."""
    about = run.read_json("dataset.json")
    cases = run.read_table("cases.parquet")
    if split:
        parts = run.read_table("split.parquet")
        cases = cases.drop("part").join(parts, on="case", how="inner", maintain_order="left")
        cases = cases.filter(pl.col("part") != "excluded")
    rejected = pl.read_csv(run / "rejected.csv", schema=REJECTED)
    facts = about["facts"] | {"positive_why": about["positive_why"]}
    sketches = on_disk(run / SKETCHES)
    return Dataset(cases, tuple(about["classes"]), about["positive"], about["root"], rejected, facts, sketches)
