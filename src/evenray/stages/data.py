"""The stages that need no network: scan, split and report."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.artefacts import file_digest
from evenray.core.errors import DataError
from evenray.core.progress import plain, watched
from evenray.core.types import Dataset, require_classes
from evenray.data.case_table import SKETCHES
from evenray.data.scan import check_exclusions, load, save, without
from evenray.data.scan.scanning import scan_listed
from evenray.data.split import split, why_excluded

from .context import Context

__all__ = ["require_labels", "scan_files", "scan_settings", "split_cases", "split_settings", "write_report"]


def scan_settings(context: Context) -> list[Any]:
    """What the scan depends on: what it keeps, the options, and every file's name, size and time of change.

    Not where the files are: those that were moved are the same.
    """
    asked = context.recipe
    if context.given is not None:
        given = context.given
        cases = given.cases.hash_rows(seed=0).to_list()
        return [cases, sorted(given.sketches), given.classes, given.positive, dict(given.facts)]
    listed = context.listed
    stats = hashlib.sha256()
    for name in sorted({entry.file for entry in listed.entries}):
        if found := _stat(listed.root / name):
            stats.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    tables = [Path(name) for name in (context.source, listed.table and listed.table.source) if name]
    tables = [path for path in tables if path.is_file() and path.suffix.lower() != ".npz"]
    tables_now = [(path.name, file_digest(path)) for path in tables]
    return [SKETCHES, asked.patient, asked.value_range, asked.positive, tables_now, stats.hexdigest()]


def require_labels(context: Context) -> None:
    """DataError where what there is to scan has no two classes, before any file is opened."""
    if context.given is not None:
        context.given.to_learn_from()
        return
    listed = context.listed
    try:
        if listed.table is not None and len(listed.labels) == 1:  # how many images it labels is not known yet
            raise DataError(
                f"'{listed.table.source}' gives every image that it names here the label '{next(iter(listed.labels))}'; a"
                " classifier needs two classes or more. Check the column of labels, and which images the rows name."
            )
        require_classes(listed.labels, context.source, len(listed.entries))
    except DataError as error:
        raise DataError(f"{error}{listed.doubts}") from None


def _stat(path: Path) -> Any:
    return path.stat() if path.exists() else None


def scan_files(context: Context) -> list[str]:
    asked = context.recipe
    if context.given is not None:
        return save(context.given, context.folder)
    with context.progress.task("reading images", len(context.listed.entries)) as tick:
        dataset = scan_listed(
            context.listed, value_range=asked.value_range, positive=asked.positive,
            map=watched(context.map, tick, lambda task: len(task.entries)), sketches=context.folder / SKETCHES,
        )  # fmt: skip
    counts = ", ".join(f"{name} {count}" for name, count in dataset.counts.items() if len(dataset.classes) <= 20)
    counts = counts or (f"{len(dataset.classes)} classes" if dataset.classes else "no labels")
    context.progress.say(plain(f"{len(dataset)} images: {counts}; {dataset.rejected.height} files set aside"))
    searched = context.listed.searched
    for note in [*([f"note: {searched.sentence}"] if searched else []), *_notes(dataset)]:
        context.progress.say(plain(note))
    return save(dataset, context.folder)


def _notes(dataset: Dataset) -> list[str]:
    """What must not go unsaid of a scan: what is left out, what was taken for what, and what sensitivity is about."""
    facts = dataset.facts
    notes = [f"note: {note}" for note in facts["notes"]]
    if facts["unlabelled"] and dataset.classes:
        notes.append(f"note: {facts['unlabelled']} images have no label and are left out")
    if len(dataset.classes) > 1:
        notes.append(f"positive class: {dataset.positive} ({facts['positive_why']})")
    return notes


def split_settings(context: Context) -> list[Any]:
    """What the split depends on besides the cases."""
    asked = context.recipe
    return [asked.test, asked.validation, asked.seed, context.exclusions.rows()]


def split_cases(context: Context) -> list[str]:
    """The part of every case, and the reason of each that has none."""
    asked = context.recipe
    whole = load(context.folder, split=False)
    exclusions = check_exclusions(whole, context.exclusions)
    left = without(whole, exclusions)
    done = split(left, test=asked.test, validation=asked.validation, seed=asked.seed, together=context.near)
    asked_out = exclusions.select("case", by=pl.lit("user"), reason="reason")
    parts = pl.concat([done.cases.select("case", "part"), asked_out.select("case", part=pl.lit("excluded"))])
    context.folder.write_table(
        "split.parquet", whole.cases.select("case").join(parts, on="case", maintain_order="left")
    )
    context.folder.write_table("excluded.csv", pl.concat([asked_out, why_excluded(done)]))
    count = dict(parts["part"].value_counts().iter_rows())
    context.progress.say(
        ", ".join(f"{name} {count[name]}" for name in ("train", "validation", "test", "excluded") if name in count)
    )
    return ["split.parquet", "excluded.csv"]


def write_report(context: Context) -> list[str]:
    from evenray import reporting as report

    report.write(context.folder.path, language=context.language)
    return ["report.html"]
