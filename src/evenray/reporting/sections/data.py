"""The data: classes in each part, pixel histograms with their frequency tables, and what the headers say."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.images.histogram import Histogram
from evenray.reporting.figures.bars import bars
from evenray.reporting.figures.histogram import pixels, quantity
from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.pictures import thumbnail
from evenray.reporting.style import GREY, Figure, class_colours

__all__ = ["context"]

CATEGORIES = ("site", "size", "bits", "manufacturer", "modality", "view", "photometric", "format", "sex")
ROWS = 32  # intervals of a frequency table


def context(run: Run, say: Language) -> dict[str, Any] | None:
    cases = run.cases
    if cases is None or not run.classes:
        return None
    kept = cases if "part" not in cases.columns else cases.filter(pl.col("part").fill_null("") != "excluded")
    colours = class_colours(run.drawn, run.positive)
    counts = run.histograms()
    return {
        "facts": _facts(run, kept, say),
        "counts": _counts(run, kept, say),
        "count_figure": _count_figure(run, kept, colours, say),
        "rows_are_classes": run.drawn != run.classes,
        "histograms": [
            pixels(c, f"pixels-{k}", name, say, colours[name]) for k, (name, c) in enumerate(counts.items())
        ],
        "table": _frequencies(counts, value_range := _levels(kept)),
        "value_range": f"{value_range[0]:g} – {value_range[1]:g}",
        "means": {name: thumbnail(picture) for name, picture in run.mean_thumbnails().items()},
        "colours": colours if run.drawn == run.classes else {},
        "headers": _headers(run, kept, colours, say),
        "same": _same(kept, say),
        "rejected": _reasons(run),
        "classes": list(counts),
    }


def _reasons(run: Run) -> list[tuple[str, int]]:
    """Why files were set aside, and how many; their paths, which may name patients, stay in rejected.csv."""
    if run.rejected is None:
        return []
    counts = run.rejected.group_by("reason").len().sort("len", "reason", descending=[True, False])
    return [(reason, count) for reason, count in counts.iter_rows()]


def _facts(run: Run, kept: pl.DataFrame, say: Language) -> list[tuple[str, str, str]]:
    """Name, value and, for the positive class, why it was taken."""
    known = "patient" in kept.columns and kept["patient"].is_not_null().any()
    patients = say.count(kept["patient"].drop_nulls().n_unique()) if known else say("data.unknown")
    why = str((run.dataset or {}).get("positive_why") or "")
    facts = [(say("data.images"), say.count(kept.height), ""), (say("data.patients"), patients, "")]
    if len(run.classes) > 1:
        facts.append((say("data.positive"), run.positive, why))
        facts += _balance(run, kept, say)
    excluded = (run.cases.height if run.cases is not None else 0) - kept.height
    if excluded:
        facts.append((say("data.excluded"), say.count(excluded), ""))
    if run.rejected is not None:
        facts.append((say("data.rejected"), say.count(run.rejected.height), ""))
    return facts


def _balance(run: Run, kept: pl.DataFrame, say: Language) -> list[tuple[str, str, str]]:
    counts = dict(kept["label"].value_counts().iter_rows())
    most = max(run.classes, key=lambda name: counts.get(name, 0))
    fewest = min(counts.get(name, 0) for name in run.classes)
    if not fewest:
        return []
    return [
        (say("data.imbalance"), f"{counts[most] / fewest:.1f} : 1", ""),
        (say("data.majority", name=most), say.percent(counts[most] / kept.height), ""),
    ]


def _counts(run: Run, kept: pl.DataFrame, say: Language) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """The columns and rows of the cases of each class in each part: a row a part, or a class where these are many."""
    parts = run.parts
    groups = [(say(f"part.{part}"), kept.filter(pl.col("part") == part)) for part in parts] or [(say("part.all"), kept)]
    found = {name: dict(rows["label"].value_counts().iter_rows()) for name, rows in groups}
    if run.drawn == run.classes:
        return list(run.classes), [(name, [held.get(c, 0) for c in run.classes]) for name, held in found.items()]
    return list(found), [(c, [held.get(c, 0) for held in found.values()]) for c in run.classes]


def _count_figure(run: Run, kept: pl.DataFrame, colours: dict[str, str], say: Language) -> Figure:
    words = {part: say(f"part.{part}") for part in run.parts}
    column = pl.col("part").replace_strict(words, default=None) if words else pl.lit(say("part.all"))
    table = kept.select("label", part=column)
    order = list(words.values()) or [say("part.all")]
    if run.drawn != run.classes:  # too many to have a colour each: the parts have them
        turned = table.select(by="label", label="part")
        return bars(turned, "by", class_colours(tuple(order), order[0]), "counts", say("data.counts"), say, legend=True)
    return bars(table, "part", colours, "counts", say("data.counts"), say, order, legend=True)


def _headers(run: Run, kept: pl.DataFrame, colours: dict[str, str], say: Language) -> list[Figure]:
    """A bar chart for each thing the headers say in different ways; sizes too many to name become histograms."""
    figures = []
    if run.drawn != run.classes:
        kept, colours = kept.with_columns(label=pl.lit(say("part.all"))), {say("part.all"): GREY}
    for column in CATEGORIES:
        table = _with(kept, column)
        if table is None or table[column].n_unique() < 2:
            continue
        if column == "size" and table[column].n_unique() > 12:
            figures += [
                quantity(kept[side], f"size-{side}", say(f"data.{side}"), say("axis.pixels"), say)
                for side in ("rows", "columns")
                if kept[side].n_unique() > 1
            ]
            continue
        figures.append(bars(table, column, colours, f"by-{column}", say(f"data.{column}"), say))
    return figures


def _same(kept: pl.DataFrame, say: Language) -> list[tuple[str, str]]:
    """What is the same for every image, as name and value."""
    found = []
    for column in CATEGORIES:
        table = _with(kept, column)
        if table is not None and table[column].n_unique() == 1:
            found.append((say(f"data.{column}"), str(table[column][0])))
    return found


def _with(kept: pl.DataFrame, column: str) -> pl.DataFrame | None:
    """The label and one column, without the cases that do not have it; None where none has."""
    if column == "size":
        if not {"rows", "columns"} <= set(kept.columns):
            return None
        size = pl.format("{} × {}", pl.col("rows"), pl.col("columns"))
        return kept.select("label", size=size).drop_nulls()
    if column not in kept.columns:
        return None
    table = kept.select("label", column).drop_nulls()
    return table if table.height else None


def _levels(kept: pl.DataFrame) -> tuple[float, float]:
    """The grey range of every image where they all have the same; else 256 levels from black to white."""
    if {"low", "high"} <= set(kept.columns):
        ranges = kept.select("low", "high").unique().drop_nulls()
        if ranges.height == 1:
            low, high = ranges.row(0)
            if float(low).is_integer() and float(high).is_integer() and high - low >= ROWS:
                return float(low), float(high)
    return 0.0, 255.0


def _frequencies(counts: dict[str, NDArray[np.int64]], value_range: tuple[float, float]) -> list[tuple[str, list[int]]]:
    """Bin/Interval and Count/Frequency of each class, in equal intervals of grey levels."""
    if not counts:
        return []
    edges = np.linspace(value_range[0] - 0.5, value_range[1] + 0.5, ROWS + 1)
    sums = [np.add.reduceat(c, np.arange(0, len(c), max(1, len(c) // ROWS))) for c in counts.values()]
    tables = [Histogram(c, edges, 0, 1.0).table() for c in sums]
    return [(rows[0][0], [count for _, count in rows]) for rows in zip(*tables, strict=True)]
