"""What the verb histogram counts of a table's column: quantities in a histogram, categories in a bar chart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError
from evenray.data.tables.meanings import meaning_of
from evenray.data.tables.words import MISSING
from evenray.images.binning import frequencies, is_quantity
from evenray.images.histogram import Histogram

from ._copies import TABLES, load_table
from ._counting import PERCENTILES, Counted, finer, outside

__all__ = ["is_table", "names_images", "of_column"]


def is_table(paths: list[str]) -> bool:
    return all(Path(path).suffix.lower() in TABLES for path in paths)


def names_images(paths: list[str]) -> bool:
    """Whether all tables have a column of paths, whose images can be counted where no column is asked for."""
    return all("path" in map(meaning_of, _load(path).columns) for path in paths)


def of_column(paths: list[str], column: str | None, **binning: Any) -> Counted:
    """Quantities give a histogram, categories a bar chart: the kind of the column decides."""
    found = pl.concat([_load(path) for path in paths], how="diagonal_relaxed")
    if column is None and len(found.columns) == 1:
        column = found.columns[0]
    if column is None or column not in found.columns:
        wrong = "Say which column" if column is None else f"There is no column '{column}'"
        raise UsageError(f"{wrong}: --column {' | '.join(found.columns)}.")
    values, asked = _settled(found[column]), {name: value for name, value in binning.items() if value is not None}
    title = f"{column}, {values.len():,} rows, {values.null_count():,} missing"
    if values.null_count() == values.len():
        raise DataError(
            f"The column '{column}' holds no value: its {values.len():,} rows are empty or say that it is missing."
        )
    if not is_quantity(values.drop_nulls().to_numpy()) or (_is_code(values) and not asked):
        if asked:
            raise UsageError(
                f"The column '{column}' holds names, not numbers, such as '{values.drop_nulls()[0]}'; leave out"
                f" {', '.join(f'--{name}' for name in asked)}."
            )
        return Counted(title, frequencies(values.to_list()))
    numbers = values.cast(pl.Float64).fill_null(math.nan).to_numpy()
    histogram = _told_apart(numbers, asked)
    return Counted(title, histogram.table(), histogram, _figures_of_values(numbers, histogram))


def _settled(values: pl.Series) -> pl.Series:
    """The values with what says that one is missing as null; as numbers where all others are."""
    if values.dtype == pl.String:
        values = values.str.strip_chars()
        values = values.set(values.is_in(MISSING), None)
        numbers = values.cast(pl.Float64, strict=False)
        values = numbers if numbers.null_count() == values.null_count() else values
    if not values.dtype.is_float():
        return values
    values = values.fill_nan(None)
    whole = values.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == values.null_count() and (whole == values).all() else values


def _is_code(values: pl.Series) -> bool:
    """Whether whole numbers name two classes rather than measure: 0 and 1, say."""
    return values.dtype.is_integer() and values.drop_nulls().n_unique() <= 2 < values.len()


def _told_apart(numbers: NDArray[np.float64], asked: dict[str, Any]) -> Histogram:
    """The histogram, its bins in as many digits as it takes to tell them apart, and none beyond the largest value."""
    kept = numbers[np.isfinite(numbers)]
    if asked.get("bins") and "width" not in asked and kept.size and kept.max() == asked.get("start", kept.min()):
        asked = asked | {"bins": 1}  # there is nothing to divide
    found = Histogram.of_values(numbers, **asked)
    while (step := finer(found)) != found.resolution:
        found = Histogram.of_values(numbers, **asked, resolution=step)
    return found


def _load(path: str) -> pl.DataFrame:
    if not Path(path).exists():
        raise DataError(f"There is no '{path}'; give a table that exists.")
    return load_table(Path(path))


def _figures_of_values(numbers: NDArray[np.float64], found: Histogram) -> dict[str, Any]:
    """Of the numbers themselves, not of the middles of their intervals; entropy is that of the intervals."""
    kept = numbers[np.isfinite(numbers)]
    centred = kept - kept.mean()
    spread = float((centred**2).mean()) if kept.min() < kept.max() else 0.0
    moments = {power: float((centred**power).mean()) / spread ** (power / 2) if spread else 0.0 for power in (3, 4)}
    return {
        "total": int(kept.size),
        "missing": int(numbers.size - kept.size),
        "mean": float(kept.mean()),
        "variance": spread,
        "skewness": moments[3],
        "kurtosis": moments[4] - 3 if spread else 0.0,
        "entropy": found.entropy,
        "percentiles": {str(q): float(np.percentile(kept, q)) for q in PERCENTILES},
    } | outside(found.missing - int(numbers.size - kept.size))
