"""What the checks share to judge a case table: columns that may be absent, fellows to compare with, groups, findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.patient_groups import whose

__all__ = [
    "column",
    "deviations",
    "group_sizes",
    "names",
    "numbers",
    "only",
    "patient_numbers",
    "usual",
    "values_text",
    "worst_first",
]

FELLOWS = 20  # fewer cases than this say nothing about what is usual


def column(cases: pl.DataFrame, name: str) -> pl.Series:
    """A column of the table, all null where the table has none.

    >>> column(pl.DataFrame({"case": ["a"]}), "site").to_list()
    [None]
    """
    return cases[name] if name in cases.columns else pl.Series(name, [None] * cases.height, dtype=pl.String)


def only(cases: pl.DataFrame, *wanted: str) -> pl.DataFrame:
    """Of these columns those that the table has: rows of few columns are taken without copying all.

    >>> only(pl.DataFrame({"case": ["a"], "mean": [0.5]}), "case", "patient").columns
    ['case']
    """
    return cases.select([name for name in wanted if name in cases.columns])


def numbers(cases: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as float64 (cases,), NaN where null or absent.

    >>> numbers(pl.DataFrame({"rows": [4, None]}), "rows")
    array([ 4., nan])
    """
    return column(cases, name).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def names(cases: pl.DataFrame, chosen: NDArray[Any]) -> tuple[str, ...]:
    """The case names at a mask or at row numbers, in that order."""
    rows = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
    return tuple(cases["case"].gather(rows).to_list()) if len(rows) else ()


def worst_first(cases: pl.DataFrame, chosen: NDArray[np.bool_], badness: NDArray[Any]) -> tuple[str, ...]:
    """The chosen case names, the worst one first and equals by name, however the table is ordered.

    >>> worst_first(pl.DataFrame({"case": ["b", "a", "c"]}), np.array([True, True, False]), np.array([1, 1, 9]))
    ('a', 'b')
    """
    rows = np.flatnonzero(chosen)
    found = zip(names(cases, rows), badness[rows].tolist(), strict=True)
    return tuple(name for name, _ in sorted(found, key=lambda pair: (-pair[1], pair[0])))


def patient_numbers(cases: pl.DataFrame) -> NDArray[np.int64]:
    """A number for each patient (see `whose`), cases of whom nothing is known each with their own, int64 (cases,).

    >>> patient_numbers(pl.DataFrame({"case": ["a", "b", "c", "d"], "patient": ["p", None, "p", None]})).tolist()
    [3, 1, 3, 2]
    """
    # Every case of unknown patient stands alone, named so that it cannot be mistaken for a patient.
    who = pl.coalesce(whose(cases), pl.lit("\0") + cases["case"])
    return pl.select(who.rank("dense")).to_series().to_numpy().astype(np.int64)


def usual(cases: pl.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each case the median of its fellows (cases of its modality), float64 (cases,).

    >>> usual(pl.DataFrame({"modality": ["CT", "CT", "MR"]}), np.array([1.0, 3.0, 7.0]))
    array([2., 2., 7.])
    """
    frame = pl.DataFrame({"group": column(cases, "modality").fill_null(""), "value": values})
    return frame.select(pl.col("value").median().over("group"))["value"].to_numpy()


def deviations(cases: pl.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many robust standard deviations each value lies from the median of its fellows (cases of its modality).

    Each side has its own scale, 1.4826 times the median distance of the values on that side, so that a skewed
    measure does not accuse its long tail. NaN where fewer than 20 fellows are known. float64 (cases,).

    >>> table = pl.DataFrame({"case": [str(i) for i in range(41)]})
    >>> deviations(table, np.r_[np.arange(40.0), 200.0]).round(1)[[0, 20, 40]]
    array([-1.3,  0. , 12.1])
    """
    result = np.full(len(values), np.nan)
    groups = column(cases, "modality").fill_null("").to_numpy()
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & np.isfinite(values))
        if len(rows) >= FELLOWS:
            result[rows] = _deviations(values[rows])
    return result


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    distance = values - np.median(values)
    scale = np.where(distance < 0, _scale(-distance[distance <= 0]), _scale(distance[distance >= 0]))
    return np.asarray(distance / scale)


def _scale(distances: NDArray[np.float64]) -> float:
    return max(1.4826 * float(np.median(distances)), 1e-12)


def group_sizes(groups: Iterable[tuple[str, ...]]) -> str:
    """The sizes of groups as one text, "2,2,3": with the cases in order, it tells the groups apart."""
    return ",".join(str(len(group)) for group in groups)


def values_text(values: pl.Series, limit: int = 6) -> str:
    """The values of a column with their counts, most frequent first.

    >>> values_text(pl.Series(["MR", "CT", "CT", None]))
    'CT (2), MR (1)'
    """
    counts = values.drop_nulls().cast(pl.String).value_counts().sort(["count", values.name], descending=[True, False])
    shown = [f"{value} ({count})" for value, count in counts.head(limit).iter_rows()]
    more = counts.height - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
