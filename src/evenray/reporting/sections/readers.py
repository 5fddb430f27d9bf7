"""How far several readers of the same images agree with each other beyond chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Estimate
from evenray.metrics import cohen_kappa, fleiss_kappa
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

FEW = 4  # readers of whom every two are compared
Readings = NDArray[np.int64]  # (cases, readers): class indices, -1 where a reader said nothing


@dataclass(frozen=True)
class Row:
    """Of what the agreement is, of whom, on how many images that two or more of them read, and the kappa."""

    what: str
    who: str
    images: int
    kappa: Estimate
    weighted: Estimate | None


@dataclass(frozen=True)
class Shown:
    readers: int
    rows: list[Row]
    ordered: bool
    findings: bool


def context(run: RunView, say: Language) -> Shown | None:
    ratings = run.ratings
    if ratings is None or ratings.is_empty():
        return None
    readers = ratings["reader"].unique().sort().to_list()
    patients = _patients(run, ratings)
    rows = [
        row
        for what, readings in _questions(run, ratings, readers)
        for row in _rows(run, what, readings, readers, patients, say)
    ]
    return Shown(len(readers), rows, run.facts.ordered, run.tags)


def _questions(run: RunView, ratings: pl.DataFrame, readers: list[str]) -> Iterator[tuple[str, Readings]]:
    """What was read, once of classes, and of each finding: absent 0, present 1."""
    if not run.tags:
        index = {name: k for k, name in enumerate(run.classes)}
        said = pl.col("label").replace_strict(index, default=None, return_dtype=pl.Int64)
        yield "", _table(ratings.with_columns(said=said), readers)
        return
    for k, name in enumerate(run.classes):
        yield name, _table(ratings.with_columns(said=pl.col("findings").list.get(k).cast(pl.Int64)), readers)


def _table(ratings: pl.DataFrame, readers: list[str]) -> Readings:
    """One row a case, in the order in which they first come."""
    wide = ratings.pivot("reader", index="case", values="said", aggregate_function="first", maintain_order=True)
    return wide.select(pl.col(readers).fill_null(-1)).to_numpy().astype(np.int64)


def _patients(run: RunView, ratings: pl.DataFrame) -> Readings | None:
    """A number for the patient of each case; None where they are not known of all."""
    if run.cases is None or "patient" not in run.cases.columns:
        return None
    cases = ratings.select("case").unique(maintain_order=True)
    who = cases.join(run.cases.select("case", "patient"), on="case", how="left", maintain_order="left")["patient"]
    return None if who.null_count() else np.unique(who.to_numpy().astype(str), return_inverse=True)[1].astype(np.int64)


def _rows(
    run: RunView, what: str, readings: Readings, readers: list[str], patients: Readings | None, say: Language
) -> Iterator[Row]:
    """Every two of a few readers by Cohen's kappa, and all of more than two by Fleiss'."""
    pairs = (
        list(combinations(range(len(readers)), 2))
        if len(readers) <= FEW and (not run.tags or len(readers) == 2)
        else []
    )
    for one, other in pairs:
        both = readings[:, [one, other]]
        images = int((both >= 0).all(axis=1).sum())
        if images:
            kappa = cohen_kappa(*both.T, patients=patients)
            weighted = cohen_kappa(*both.T, weights="quadratic", patients=patients) if run.facts.ordered else None
            yield Row(what, f"{readers[one]} – {readers[other]}", images, kappa, weighted)
    if len(readers) > 2:
        try:
            kappa = fleiss_kappa(readings, patients=patients)
        except DataError:  # nobody read what another did
            return
        images = int(((readings >= 0).sum(axis=1) > 1).sum())
        yield Row(what, say("readers.all", n=len(readers)), images, kappa, None)
