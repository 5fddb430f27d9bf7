"""The split: train, validation and test by patient, stratified by class or finding; splits that come with the data are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.components import components
from evenray.core.errors import DataError
from evenray.core.patient_groups import patient_groups
from evenray.core.types import PARTS, Dataset

from .audit import near_groups
from .strata import strata_of

__all__ = ["folds", "groups", "near_groups_of", "share", "split", "why_excluded"]


CONFLICT, HELD = (
    "split.conflict",
    "split.held",
)  # codes of the reasons for which a case is left out; texts in locales/*/scan.json


def split(
    dataset: Dataset,
    *,
    test: float | None = 0.2,
    validation: float = 0.15,
    seed: int = 0,
    together: Iterable[Sequence[str]] | None = None,
) -> Dataset:
    """The data set with its column `part` filled: train, validation, test or excluded.

    Patients (where unknown, studies), exact duplicates and the case groups of `together` (None: the near duplicates that
    the audit finds) never stand on two sides. Parts that came with the data are kept; only the missing ones are made,
    from the training part.
    Left out as `excluded`: images that the data label in two ways, training or validation copies of images that a given
    test part holds, and cases without a given part whose group a given validation or test part holds. Fractions are of
    the cases to divide, in whole groups; with `test` None no test part is made. Raises DataError where a class has too few groups.

    >>> table = pl.DataFrame({"case": list("abcdef"), "label": ["sick", "well"] * 3, "part": [None] * 6,
    ...                       "patient": list("ppqqrr"), "pixel_hash": list("123456"), "file": list("abcdef")},
    ...                      schema_overrides={"part": pl.String})
    >>> done = split(Dataset(table, ("sick", "well"), "sick", "."), test=0.3, validation=0.3)
    >>> done.cases.group_by("patient").agg(pl.col("part").n_unique())["part"].to_list()
    [1, 1, 1]
    """
    # By file, so that the draws are the same however the table is ordered: in the order that a scan has.
    by = ("file", pl.col("case").str.len_chars(), "case")  # image 10 of an archive comes after image 9
    order = dataset.to_learn_from().cases.select(pl.arg_sort_by(*by)).to_series()
    dataset = replace(dataset, cases=dataset.cases[order])
    cases = dataset.cases
    group = groups(dataset, near_groups_of(dataset) if together is None else together)
    part = np.array(cases["part"].fill_null("").to_list(), dtype=object)
    strata, picture = strata_of(dataset), _pictures(cases)
    part[strata.conflicts(picture) & (part != "test")] = "excluded"
    _drop_copies(part, picture)
    held = np.isin(group, group[(part == "validation") | (part == "test")])
    part[held & (part == "")] = "excluded"
    given = {name for name in PARTS if (part == name).any()}
    rng = np.random.default_rng([seed, 7])
    # Both fractions are of the same whole; once the test part is drawn from it, less remains to draw from.
    whole = test is None or "test" in given
    wanted = [("validation", validation if whole else validation / (1 - (test or 0.0)))]
    if test is not None:
        wanted.insert(0, ("test", test))
    missing = [name for name, _ in wanted if name not in given] + ["train"]
    for name, fraction in wanted:
        if name in given:
            continue
        free = ((part == "") | (part == "train")) & ~held
        strata.check(group, free, part == "excluded", missing)
        missing.remove(name)
        part[free & np.isin(group, strata.draw(group, free, fraction, rng, left=len(missing)))] = name
    part[part == ""] = "train"
    drawn = cases.with_columns(part=pl.Series(part.tolist(), dtype=pl.String))
    done = replace(dataset, cases=drawn[order.arg_sort()])
    for name in PARTS:
        if (name != "test" or test is not None) and (absent := strata.lacking(done.part(name))):
            raise DataError(
                f"The {name} part has no case of class '{absent}': add cases, or give a split with every class in every part."
            )
    return done


def why_excluded(dataset: Dataset) -> pl.DataFrame:
    """The cases that the split left out, with the reason: columns case, by (always "split") and reason, the code of a text."""
    conflict = pl.lit(pl.Series(strata_of(dataset).conflicts(_pictures(dataset.cases))))
    reason = pl.when(conflict).then(pl.lit(CONFLICT)).otherwise(pl.lit(HELD))
    cases = dataset.cases.with_columns(by=pl.lit("split"), reason=reason)
    return cases.filter(pl.col("part") == "excluded").select("case", "by", "reason")


def groups(dataset: Dataset, together: Iterable[Sequence[str]] = ()) -> NDArray[np.int64]:
    """The index of the group of every case, int64 (cases,): what must not be torn apart.

    Cases are tied by patient (where unknown, by study), by equal pixels, and by the lists of case names in `together`.
    """
    cases = dataset.cases
    edges: list[tuple[int, int]] = []
    row = {name: i for i, name in enumerate(cases["case"])}
    for names in together:
        known = [row[name] for name in names if name in row]
        edges += [(known[0], other) for other in known[1:]]
    # The frames of one file are of one patient; the images of one archive are not.
    file = pl.when(~pl.col("file").str.ends_with(".npz")).then("file")
    tied = cases.select("pixel_hash", file=file, patient_group=patient_groups(cases)).with_row_index("row")
    for name in tied.columns[1:]:
        alike = tied.drop_nulls(name).select(pl.col("row").first().over(name).alias("first"), "row")
        edges += alike.filter(pl.col("first") != pl.col("row")).rows()
    return components(cases.height, edges)


def share(dataset: Dataset, group: NDArray[np.int64], fraction: float, least: int, seed: int = 0) -> NDArray[np.bool_]:
    """A stratified share of the cases in whole groups, bool (cases,): of every class about `fraction`, from `least` groups up."""
    rng = np.random.default_rng([seed, 11])
    everyone = np.ones(len(dataset), dtype=bool)
    return np.isin(group, strata_of(dataset).draw(group, everyone, fraction, rng, least, left=0))


def folds(dataset: Dataset, group: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """The fold of every case, int64 (cases,) in 0 .. count - 1: grouped, stratified by class or finding, by the seed."""
    return strata_of(dataset).folds(group, count, seed)


def _pictures(cases: pl.DataFrame) -> NDArray[np.int64]:
    """A number for every picture, int64 (cases,)."""
    return np.asarray(np.unique(cases["pixel_hash"].to_numpy(), return_inverse=True)[1], dtype=np.int64)


def _drop_copies(part: NDArray[np.object_], picture: NDArray[np.int64]) -> None:
    """Of a picture that a given split has on two sides, keep the copy furthest from training."""
    rank = np.array([PARTS.index(name) + 1 if name in PARTS else 0 for name in part])
    best = np.zeros(len(part), int)
    np.maximum.at(best, picture, rank)
    part[(rank > 0) & (rank < best[picture])] = "excluded"


def near_groups_of(dataset: Dataset) -> list[tuple[str, ...]]:
    """Groups of case names that are nearly the same image."""
    return [tuple(group.cases) for group in near_groups(dataset)]
