"""What the verb histogram counts of images, and how it prints and exports what it counts."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, MissingExtra, ReadError, UsageError
from evenray.core.lost import Lost
from evenray.core.messages import Message
from evenray.core.names import printable
from evenray.core.spreadsheets import cell
from evenray.core.texts import Texts
from evenray.images import readers
from evenray.images.contrast.advice import Advice, advise
from evenray.images.histogram import Histogram
from evenray.scale import isolated

from ._copies import WITHIN, files_of, proposed_range, unit_span

__all__ = ["PERCENTILES", "Counted", "check_targets", "export", "finer", "of_images", "outside", "reference_histogram"]

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
    notes: tuple[Message, ...] = ()

    def text(self) -> str:
        """The frequency table, figures and advice, as plain text."""
        wide = max([12, *(len(name) for name, _ in self.rows)])
        most = max((count for _, count in self.rows), default=1) or 1
        first = "Bin/Interval" if self.histogram else "Category"
        lines = [printable(self.title), "", f"{first:<{wide}}  {'Count/Frequency':>15}"]
        for name, count in self.rows:
            bar = "█" * round(30 * count / most)
            lines.append(f"{printable(name):<{wide}}  {count:>15,}  {bar}".rstrip())
        if self.figures:
            lines += ["", *_sentences(self.figures)]
        lines += [f"skipped {printable(line)}" for line in self.skipped]
        lines += [f"note: {Texts('en').message(note)}" for note in self.notes]
        if self.advice:
            say = Texts("en")
            lines += ["", "Advice only ('evenray compare' shows on validation data which contrast helps):"]
            lines += [
                "- " + say("advice.try", advice=say.message(a.message), methods=", ".join(a.methods))
                for a in self.advice
            ]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"title": self.title, "table": [list(row) for row in self.rows]}
        content |= {name: _finite(value) for name, value in self.figures.items()}
        say = Texts("en").message
        content["advice"] = [
            {"name": a.name, "title": say(a.message), "figures": dict(a.figures), "methods": list(a.methods)}
            for a in self.advice
        ]
        return content | {
            "images": self.images,
            "skipped": list(self.skipped),
            "notes": [note.as_json() for note in self.notes],
        }


def finer(found: Histogram) -> float | None:
    """The step that intervals are named in: the values' own, or where bins are narrower the next decimal one."""
    narrowest = float(np.diff(found.edges).min())
    if found.resolution is None or narrowest > found.resolution * (1 - 1e-9):
        return found.resolution
    return float(10.0 ** math.floor(math.log10(narrowest) + 1e-9))


@dataclass(frozen=True)
class _File:
    """The images of one file: how many, their histogram at full depth if they share a range, and over 0 to 1.

    `span` is that of floats which are taken to be 0 to 1.
    """

    images: int
    total: Histogram | None
    even: Histogram
    span: tuple[float, float] = WITHIN


def of_images(
    files: Sequence[Path], value_range: tuple[float, float] | None, window: str, jobs: int, tick: Callable[[int], None], *,
    bins: int | None = None, width: float | None = None, start: float | None = None, rule: str | None = None,
) -> Counted:  # fmt: skip
    """All images together, a few in memory at a time; over 0 to 1 where their ranges differ.

    `bins` alone divide the whole range; with width, start and rule they are as `Histogram.binned` has them.
    """
    found: _File | None = None
    skipped: list[str] = []
    count = partial(_of_file, value_range=value_range, window=window)
    for file, one in zip(files, isolated(jobs)(count, files), strict=True):
        tick(1)
        if isinstance(one, str | Lost):
            skipped.append(one if isinstance(one, str) else f"{file}: {one.reason}")
        else:
            found = one if found is None else _merged(found, one)
    if found is None:
        raise DataError(f"None of the files could be read; the first: {skipped[0]}")
    histogram = found.total or found.even
    title = f"{found.images:,} image{'s' if found.images > 1 else ''}, {histogram.total:,} pixels, {histogram.missing:,} missing"
    if found.total is None:
        title += "; their grey ranges differ, so levels are 0 (black) to 1 (white)"
    binning: dict[str, Any] = {"bins": bins, "width": width, "start": start, "rule": rule}
    asked = {name: value for name, value in binning.items() if value is not None}
    if "width" in asked:  # of the range, not of what happens to be in it
        asked.setdefault("start", histogram.range[0])
    whole = not asked.keys() - {"bins"}
    binned = histogram.grouped(asked.get("bins", ROWS)) if whole or not histogram.total else histogram.binned(**asked)
    binned = replace(binned, resolution=finer(binned))
    figures = _figures(histogram) | outside(binned.missing - histogram.missing)
    return Counted(
        title, binned.table(), histogram, figures, found.images, tuple(skipped), tuple(advise(histogram)),
        binned if asked else None, _beyond(found.span),
    )  # fmt: skip


def _beyond(span: tuple[float, float]) -> tuple[Message, ...]:
    """What to say of floats that go beyond the 0 to 1 that they are taken to be."""
    proposed = proposed_range(span)
    return (Message("histogram.beyond", {"low": span[0], "high": span[1], "range": proposed}),) if proposed else ()


def outside(values: int) -> dict[str, int]:
    """What intervals from a given start on leave out, where that is anything."""
    return {"outside": values} if values else {}


def _of_file(file: Path, value_range: tuple[float, float] | None, window: str) -> _File | str:
    try:
        found: _File | None = None
        for part in readers.fragments(file):
            image = readers.read(file, fragment=part, value_range=value_range, window=window)
            one = Histogram.of(image)
            single = _File(1, one, one.unit(), unit_span(image))
            found = single if found is None else _merged(found, single)
    except (ReadError, MissingExtra) as error:
        return str(error)
    return found or f"{file}: holds no image"


def _merged(one: _File, other: _File) -> _File:
    first, second = one.total, other.total
    alike = first is not None and second is not None and first.bins == second.bins and first.range == second.range
    total = first + second if alike and first is not None and second is not None else None
    span = min(one.span[0], other.span[0]), max(one.span[1], other.span[1])
    return _File(one.images + other.images, total, one.even + other.even, span)


def reference_histogram(path: Path, value_range: tuple[float, float] | None, window: str) -> Histogram:
    """The histogram of an image, or of all images of a folder, to match to."""
    counted = of_images(files_of(path), value_range, window, 0, lambda _: None)
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
            csv.writer(file).writerows([head, *((cell(name), count) for name, count in counted.rows)])
    elif kind == ".json":
        if counted.histogram is not None:
            counted.histogram.save(target)
        else:
            target.write_text(json.dumps(counted.as_json(), ensure_ascii=False), encoding="utf-8")
    else:
        from evenray.reporting.figures.bars import bars
        from evenray.reporting.figures.histogram import frequency
        from evenray.reporting.figures.svg import ACCENT, titled

        found = counted.drawn or counted.histogram
        if found is None:
            drawing = bars({name: {"": count} for name, count in counted.rows}, {"": ACCENT}, counted.title)
        else:
            drawing = frequency(found, counted.title)
        chart = titled(drawing, counted.title)
        target.write_bytes(chart.file().encode() if kind == ".svg" else chart.png())


def _figures(found: Histogram) -> dict[str, Any]:
    names = ("total", "missing", "mean", "variance", "skewness", "kurtosis", "entropy", "saturation")
    quantiles = {str(q): found.percentile(q) for q in PERCENTILES}
    return {name: getattr(found, name) for name in names} | {"percentiles": quantiles}


def _sentences(figures: Mapping[str, Any]) -> list[str]:
    if not figures["total"]:
        return [
            f"there is no pixel to measure: all {figures['missing']:,} are missing, as transparent pixels and padding are"
        ]
    quantiles = ", ".join(f"{q} % {value:.6g}" for q, value in figures["percentiles"].items())
    lines = [
        f"mean {figures['mean']:.6g}, variance {figures['variance']:.6g}, skewness {figures['skewness']:.3f},"
        f" kurtosis {figures['kurtosis']:.3f}, entropy {figures['entropy']:.3f} bits, missing {figures['missing']:,}",
        f"percentiles: {quantiles}",
    ]
    if "outside" in figures:
        lines.append(f"outside the intervals: {figures['outside']:,} (the figures above include them)")
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
