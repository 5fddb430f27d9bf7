"""What the verb histogram counts, and how it prints and exports it."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray import readers
from evenray.contrast._svg import bar_chart, histogram_chart, pixels
from evenray.contrast.advice import Advice, advise
from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, MissingExtra, ReadError, UsageError
from evenray.dataset.labels import NAMES
from evenray.dataset.words import MISSING
from evenray.histogram import Histogram, frequencies, is_quantity

from ._copies import TABLES, files_of, load_table

__all__ = [
    "Counted",
    "check_targets",
    "export",
    "is_table",
    "names_images",
    "of_column",
    "of_images",
    "reference_histogram",
]

ROWS = 16  # intervals of the printed table of an image
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True)
class Counted:
    """A histogram of quantities, or the frequencies of categories; with what is said beside it."""

    title: str
    rows: list[tuple[str, int]]
    histogram: Histogram | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    images: int = 0
    skipped: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    drawn: Histogram | None = None  # what the chart shows, where not the histogram itself

    def text(self) -> str:
        """The frequency table, figures and advice, as plain text."""
        wide = max([12, *(len(name) for name, _ in self.rows)])
        most = max((count for _, count in self.rows), default=1) or 1
        first = "Bin/Interval" if self.histogram else "Category"
        lines = [self.title, "", f"{first:<{wide}}  {'Count/Frequency':>15}"]
        for name, count in self.rows:
            bar = "█" * round(30 * count / most)
            lines.append(f"{name:<{wide}}  {count:>15,}  {bar}".rstrip())
        if self.figures:
            lines += ["", *_sentences(self.figures)]
        lines += [f"skipped {line}" for line in self.skipped]
        if self.advice:
            lines += ["", "Advice (the choice is for 'evenray compare' to make, on validation data):"]
            lines += [f"- {a.title} Methods that suit it: {', '.join(a.methods)}." for a in self.advice]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"title": self.title, "table": [list(row) for row in self.rows]}
        content |= {name: _finite(value) for name, value in self.figures.items()}
        content["advice"] = [
            {"name": a.name, "title": a.title, "figures": dict(a.figures), "methods": list(a.methods)}
            for a in self.advice
        ]
        return content | {"images": self.images, "skipped": list(self.skipped)}


def is_table(paths: list[str]) -> bool:
    return all(Path(path).suffix.lower() in TABLES for path in paths)


def names_images(paths: list[str]) -> bool:
    """Whether all tables have a column of paths, whose images can be counted where no column is asked for."""
    return all(set(NAMES["path"]) & {column.strip().lower() for column in _load(path).columns} for path in paths)


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
    while (step := _finer(found)) != found.resolution:
        found = Histogram.of_values(numbers, **asked, resolution=step)
    return found


def _finer(found: Histogram) -> float | None:
    """The step that intervals are named in: the values' own, or where bins are narrower the next decimal one."""
    narrowest = float(np.diff(found.edges).min())
    if found.resolution is None or narrowest > found.resolution * (1 - 1e-9):
        return found.resolution
    return float(10.0 ** math.floor(math.log10(narrowest) + 1e-9))


def _load(path: str) -> pl.DataFrame:
    if not Path(path).exists():
        raise DataError(f"There is no '{path}'; give a table that exists.")
    return load_table(Path(path))


@dataclass(frozen=True)
class _File:
    """The images of one file: how many, their histogram at full depth if they share a range, and over 0 to 1."""

    images: int
    total: Histogram | None
    even: Histogram


def of_images(
    files: Sequence[Path],
    binning: Mapping[str, Any],
    levels: tuple[float, float] | None,
    window: str,
    jobs: int,
    tick: Callable[[int], None],
) -> Counted:
    """All images together, a few in memory at a time; over 0 to 1 where their ranges differ.

    `binning` may hold bins alone, which divide the whole range, or width, start and rule as `Histogram.binned` has them.
    """
    found: _File | None = None
    skipped: list[str] = []
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for one in pool.map(lambda file: _of_file(file, levels, window), files):
            tick(1)
            if isinstance(one, str):
                skipped.append(one)
            else:
                found = one if found is None else _merged(found, one)
    if found is None:
        raise DataError(f"None of the files could be read; the first: {skipped[0]}")
    histogram = found.total or found.even
    title = f"{found.images:,} image{'s' if found.images > 1 else ''}, {histogram.total:,} pixels, {histogram.missing:,} missing"
    if found.total is None:
        title += "; their grey ranges differ, so levels are 0 (black) to 1 (white)"
    asked = {name: value for name, value in binning.items() if value is not None}
    if "width" in asked:  # of the range, not of what happens to be in it
        asked.setdefault("start", histogram.range[0])
    whole = not asked.keys() - {"bins"}
    binned = histogram.grouped(asked.get("bins", ROWS)) if whole or not histogram.total else histogram.binned(**asked)
    binned = replace(binned, resolution=_finer(binned))
    figures = _figures(histogram) | _outside(binned.missing - histogram.missing)
    return Counted(
        title, binned.table(), histogram, figures, found.images, tuple(skipped), tuple(advise(histogram)),
        binned if asked else None,
    )  # fmt: skip


def _outside(values: int) -> dict[str, int]:
    """What intervals from a given start on leave out, where that is anything."""
    return {"outside": values} if values else {}


def _of_file(file: Path, levels: tuple[float, float] | None, window: str) -> _File | str:
    try:
        found: _File | None = None
        for part in readers.fragments(file):
            one = Histogram.of(readers.read(file, fragment=part, levels=levels, window=window))
            single = _File(1, one, one.unit())
            found = single if found is None else _merged(found, single)
    except (ReadError, MissingExtra) as error:
        return str(error)
    return found or f"{file}: holds no image"


def _merged(one: _File, other: _File) -> _File:
    first, second = one.total, other.total
    alike = first is not None and second is not None and first.bins == second.bins and first.range == second.range
    total = first + second if alike and first is not None and second is not None else None
    return _File(one.images + other.images, total, one.even + other.even)


def reference_histogram(path: Path, levels: tuple[float, float] | None, window: str) -> Histogram:
    """The histogram of an image, or of all images of a folder, to match to."""
    counted = of_images(files_of(path), {}, levels, window, 0, lambda _: None)
    assert counted.histogram is not None
    return counted.histogram


def check_targets(targets: Sequence[Path]) -> None:
    """UsageError for a name whose ending says no format."""
    for target in targets:
        if target.suffix.lower() not in (".csv", ".json", ".svg", ".png"):
            raise UsageError(f"'{target}' cannot be written; give a name that ends in .csv, .json, .svg or .png.")


def export(counted: Counted, target: Path) -> None:
    """Write .csv (the table), .json (the whole histogram, or of categories what --json prints), .svg or .png (the chart)."""
    with atomic(target) as path:
        _export(counted, path, target.suffix.lower())


def _export(counted: Counted, target: Path, kind: str) -> None:
    if kind == ".csv":
        head = ("Bin/Interval", "Count/Frequency") if counted.histogram else ("Category", "Count/Frequency")
        with target.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *counted.rows])
    elif kind == ".json":
        if counted.histogram is not None:
            counted.histogram.save(target)
        else:
            target.write_text(json.dumps(counted.as_json(), ensure_ascii=False), encoding="utf-8")
    else:
        found = counted.drawn or counted.histogram
        shown = found if found is None or found.bins <= 1024 else found.grouped(256)
        drawing = bar_chart(counted.rows, counted.title) if shown is None else histogram_chart(shown, counted.title)
        if kind == ".svg":
            target.write_text(drawing, encoding="utf-8")
        else:
            target.write_bytes(cv2.imencode(".png", pixels(drawing))[1].tobytes())


def _figures(found: Histogram) -> dict[str, Any]:
    names = ("total", "missing", "mean", "variance", "skewness", "kurtosis", "entropy", "saturation")
    quantiles = {str(q): found.percentile(q) for q in PERCENTILES}
    return {name: getattr(found, name) for name in names} | {"percentiles": quantiles}


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
    } | _outside(found.missing - int(numbers.size - kept.size))


def _sentences(figures: Mapping[str, Any]) -> list[str]:
    if not figures["total"]:
        return [
            f"no pixel is there to be measured: all {figures['missing']:,} are missing, as transparent ones and padding are"
        ]
    quantiles = ", ".join(f"{q} % {value:.6g}" for q, value in figures["percentiles"].items())
    lines = [
        f"mean {figures['mean']:.6g}, variance {figures['variance']:.6g}, skewness {figures['skewness']:.3f},"
        f" kurtosis {figures['kurtosis']:.3f}, entropy {figures['entropy']:.3f} bits, missing {figures['missing']:,}",
        f"percentiles: {quantiles}",
    ]
    if "outside" in figures:
        lines.append(f"outside the intervals: {figures['outside']:,}, which the figures above count")
    if "saturation" in figures:
        low, high = figures["saturation"]
        lines.append(f"black {low:.2%}, white {high:.2%}")
    return lines


def _finite(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return value if not isinstance(value, float) or math.isfinite(value) else None
