"""The data: classes in each part, pixel histograms with their frequency tables, and what the headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.understood import Understood
from evenray.images.histogram import Histogram
from evenray.reporting.characteristics import Characteristics, characteristics
from evenray.reporting.figures.bars import bars, counted
from evenray.reporting.figures.histogram import pixels, quantity
from evenray.reporting.figures.svg import GREY, Figure, class_colours, png_uri
from evenray.reporting.findings import Count, having
from evenray.reporting.findings import counts as counts_of
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

# Notes of the scan on what labels were taken to mean, beside those on how annotations were read; others may name files.
LABELS_READ = frozenset(
    f"scan.{code}" for code in
    ("uncertain", "blank_no", "blank_unknown", "no_finding", "one_hot", "long_table", "readers", "look_ordered")
)  # fmt: skip
NAMES = {"file", "files", "folders", "name"}  # values of notes that name a person, a file or a folder
CATEGORIES = ("site", "size", "bits", "manufacturer", "modality", "view", "photometric", "format", "sex")
ROWS = 32  # intervals of a frequency table
SIZES = 12  # sizes of images that are named one by one


@dataclass(frozen=True)
class Shown:
    facts: list[tuple[str, str, str]]
    counts: tuple[list[str], list[tuple[str, list[int]]]]
    count_figure: Figure
    rows_are_classes: bool
    histograms: list[Figure]
    table: list[tuple[str, list[int]]]
    value_range: str
    means: dict[str, str]
    colours: Mapping[str, str]
    headers: list[Figure]
    same: list[tuple[str, str]]
    rejected: list[tuple[str, int]]
    classes: list[str]
    findings: list[tuple[str, list[Count]]]
    understood: Understood | None
    characteristics: Characteristics | None
    notes: list[str]


def context(run: RunView, say: Language) -> Shown | None:
    cases = run.cases
    if cases is None or not run.classes:
        return None
    kept = cases if "part" not in cases.columns else cases.filter(pl.col("part").fill_null("") != "excluded")
    colours = class_colours(run.drawn, run.positive)
    counts, value_range = run.histograms(), _levels(kept)
    figures, same = _headers(run, kept, colours, say)
    return Shown(
        facts=_facts(run, kept, say),
        counts=_counts(run, kept, say),
        count_figure=_count_figure(run, kept, colours, say),
        rows_are_classes=run.drawn != run.classes,
        histograms=[Figure(name, pixels(c, name, say, colours[name])) for name, c in counts.items()],
        table=_frequencies(counts, value_range, say),
        value_range=f"{value_range[0]:g} – {value_range[1]:g}",
        means={name: png_uri(picture) for name, picture in run.mean_thumbnails().items()},
        colours=colours if run.drawn == run.classes else {},
        headers=figures,
        same=same,
        rejected=_reasons(run),
        classes=list(counts),
        findings=_findings(run, kept),
        understood=run.facts.understood,
        characteristics=characteristics(run, say),
        notes=_notes(run, say),
    )


def _notes(run: RunView, say: Language) -> list[str]:
    """Notes of the scan on labels and annotations. Where the report hides names, those that have one are told without it, or not."""
    told = []
    for note in run.facts.notes:
        if note.code in LABELS_READ or note.code.startswith("annotations."):
            hidden = not NAMES.isdisjoint(note.values) and not run.names_files
            if not hidden:
                told.append(say.message(note))
            elif f"{note.code}.unnamed" in say.texts:
                told.append(say.message(replace(note, values={**note.values, "variant": "unnamed"})))
    return told


def _reasons(run: RunView) -> list[tuple[str, int]]:
    """Why files were set aside, and how many; their paths, which may name patients, stay in rejected.csv."""
    if run.rejected is None:
        return []
    return list(run.rejected.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows())


def _facts(run: RunView, kept: pl.DataFrame, say: Language) -> list[tuple[str, str, str]]:
    """Name, value and, for the positive class, why it was taken."""
    known = "patient" in kept.columns and kept["patient"].is_not_null().any()
    facts = {
        "images": say.count(kept.height),
        "patients": say.count(kept["patient"].drop_nulls().n_unique()) if known else say("data.unknown"),
    }
    found = [(say(f"data.{name}"), value, "") for name, value in facts.items()]
    why = run.facts.positive_why
    if run.tags:
        none = int((~pl.Series(kept["findings"].list.any()).fill_null(True)).sum())
        found.append((say("data.marked" if run.marked else "data.findings"), say.count(len(run.classes)), ""))
        if run.marked:
            found.append((say("data.without_marks"), say.count(none), ""))
        else:
            found.append((say("data.without"), say.count(none), say("data.without_text")))
    elif len(run.classes) > 1:
        found.append((say("data.positive"), run.positive, say.message(why) if why else ""))
        counts = dict(kept["label"].value_counts().iter_rows())
        most = max(run.classes, key=lambda name: counts.get(name, 0))
        if fewest := min(counts.get(name, 0) for name in run.classes):
            found.append((say("data.imbalance"), f"{counts[most] / fewest:.1f} : 1", ""))
            found.append((say("data.majority", name=most), say.percent(counts[most] / kept.height), ""))
    if excluded := (run.cases.height if run.cases is not None else 0) - kept.height:
        found.append((say("data.excluded"), say.count(excluded), ""))
    if run.rejected is not None:
        found.append((say("data.rejected"), say.count(run.rejected.height), ""))
    if boxes := run.facts.box_tables:
        found.append((say("data.boxes"), ", ".join(boxes) if run.names_files else say.count(len(boxes)), ""))
    found.append(
        (
            say("data.names"),
            say("data.names_files" if run.names_files else "data.names_hidden"),
            say("data.names_where"),
        )
    )
    return found


def _counts(run: RunView, kept: pl.DataFrame, say: Language) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """The columns and rows of the cases of each class in each part: a row a part, or a class where these are many."""
    groups = {say(f"part.{part}"): kept.filter(pl.col("part") == part) for part in run.parts} or {say("part.all"): kept}
    found = {name: dict(rows["label"].value_counts().iter_rows()) for name, rows in groups.items()}
    if run.tags:
        return [], []
    if run.drawn == run.classes:
        return list(run.classes), [(name, [held.get(c, 0) for c in run.classes]) for name, held in found.items()]
    return list(found), [(c, [held.get(c, 0) for held in found.values()]) for c in run.classes]


def _findings(run: RunView, kept: pl.DataFrame) -> list[tuple[str, list[Count]]]:
    """How many images of each part have each finding."""
    if not run.tags:
        return []
    parts = [kept.filter(pl.col("part") == part) for part in run.parts] or [kept]
    found = [counts_of(part, run.classes) for part in parts]
    return [(name, [held[name] for held in found]) for name in run.classes]


def _count_figure(run: RunView, kept: pl.DataFrame, colours: Mapping[str, str], say: Language) -> Figure:
    words = {part: say(f"part.{part}") for part in run.parts}
    column = pl.col("part").replace_strict(words, default=None) if words else pl.lit(say("part.all"))
    kept = having(kept, run.classes) if run.tags else kept
    table, parts = kept.select("label", part=column), tuple(words.values()) or (say("part.all"),)
    title = say("data.marked_counts" if run.marked else "data.findings_counts" if run.tags else "data.counts")
    if run.drawn != run.classes:  # too many to have a colour each: the parts have them
        table = table.select(part="label", label="part")
        return _bars(table, "part", class_colours(parts, parts[0]), title, say, legend=True)
    return _bars(table, "part", colours, say("data.counts"), say, parts, legend=True)


def _bars(
    table: pl.DataFrame, by: str, colours: Mapping[str, str], title: str, say: Language, order: tuple[str, ...] = (), *,
    legend: bool = False,
) -> Figure:  # fmt: skip
    counts = counted(table, by, list(colours), lambda n: say("data.others", n=n), order)
    return Figure(title, bars(counts, colours, say("alt.bars", title=title), legend=legend))


def _headers(
    run: RunView, kept: pl.DataFrame, colours: Mapping[str, str], say: Language
) -> tuple[list[Figure], list[tuple[str, str]]]:
    """A bar chart for each thing the headers say in different ways, sizes too many to name as histograms; and what is
    the same for every image, as name and value."""
    figures, same = [], []
    if run.drawn != run.classes:
        kept, colours = kept.with_columns(label=pl.lit(say("part.all"))), {say("part.all"): GREY}
    for column in CATEGORIES:
        table = _with(kept, column)
        several = table[column].n_unique()
        if several == 1:
            same.append((say(f"data.{column}"), str(table[column][0])))
        elif column == "size" and several > SIZES:
            sides = [side for side in ("rows", "columns") if kept[side].n_unique() > 1]
            titles = {side: say(f"data.{side}") for side in sides}
            figures += [Figure(titles[s], quantity(kept[s], titles[s], say("axis.pixels"), say)) for s in sides]
        elif several > 1:
            figures.append(_bars(table, column, colours, say(f"data.{column}"), say))
    return figures, same


def _with(kept: pl.DataFrame, column: str) -> pl.DataFrame:
    """The label and one column, without the cases that do not have it."""
    if column == "size" and {"rows", "columns"} <= set(kept.columns):
        kept = kept.with_columns(size=pl.format("{} × {}", pl.col("rows"), pl.col("columns")))
    if column not in kept.columns:
        return kept.select("label", pl.lit(None).alias(column)).clear()
    return kept.select("label", column).drop_nulls()


def _levels(kept: pl.DataFrame) -> tuple[float, float]:
    """The grey range of every image where they all have the same; else 256 levels from black to white."""
    if {"low", "high"} <= set(kept.columns):
        ranges = kept.select("low", "high").unique().drop_nulls()
        if ranges.height == 1:
            low, high = ranges.row(0)
            if float(low).is_integer() and float(high).is_integer() and high - low >= ROWS:
                return float(low), float(high)
    return 0.0, 255.0


def _frequencies(
    counts: Mapping[str, NDArray[np.int64]], value_range: tuple[float, float], say: Language
) -> list[tuple[str, list[int]]]:
    """Bin/Interval and Count/Frequency of each class, in equal intervals of grey levels."""
    edges = np.linspace(value_range[0] - 0.5, value_range[1] + 0.5, ROWS + 1)
    sums = [np.add.reduceat(c, np.arange(0, len(c), max(1, len(c) // ROWS))) for c in counts.values()]
    tables = [Histogram(c, edges, 0, 1.0).table() for c in sums]
    found = []
    for rows in zip(*tables, strict=True):
        ends = re.fullmatch(r"(\S+) to (\S+)", rows[0][0])
        name = say("format.interval", low=ends[1], high=ends[2]) if ends else rows[0][0]
        found.append((name, [count for _, count in rows]))
    return found
