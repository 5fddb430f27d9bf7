"""Table 7 of the VGG paper for the run's own images: errors with intervals, the paper's figures beside, what each row cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from evenray.core.artefacts.table7 import Table7Record
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

PARTS = ("validation", "test")
FIGURES = ("top1", "top5", "auroc", "balanced_accuracy")
ERRORS = ("top1", "top5")
MAIN = ("test", "top1")  # the column that the rows are compared by
PUBLISHED = ("published_validation_top1", "published_validation_top5", "published_test_top5")
Row = dict[str, Any]  # of the table


@dataclass(frozen=True)
class Shown:
    columns: list[tuple[str, str]]
    rows: list[Row]
    domains: dict[tuple[str, str], tuple[float, float]]
    best: Row
    apart: int
    about: Table7Record
    choices: list[tuple[str, str, str]]
    notes: list[str]
    main: tuple[str, str] = MAIN
    errors: tuple[str, ...] = ERRORS


def context(run: RunView, say: Language) -> Shown | None:
    table, about = run.table7, run.table7_record
    if table is None or about is None or table.is_empty():
        return None
    columns = [(part, name) for part in PARTS for name in FIGURES if f"{part}_{name}" in table.columns]
    rows = [_row(row, columns) for row in table.iter_rows(named=True)]
    best = min(rows, key=lambda row: row["estimates"][MAIN]["value"])
    notes = dict.fromkeys(note for row in rows for note in row["notes"])
    return Shown(
        columns=columns,
        rows=rows,
        domains={column: _domain(table, *column) for column in columns},
        best=best,
        apart=sum(row["estimates"][MAIN]["low"] > best["estimates"][MAIN]["high"] for row in rows),
        about=about,
        choices=[(say.name("recipe", c.name), say.value(c.value), say.message(c.reason)) for c in about.choices],
        notes=[note for note in notes if f"table7.note.{note}" in say.texts],
    )


def _row(row: Row, columns: list[tuple[str, str]]) -> Row:
    ends = {"value": "", "low": "_low", "high": "_high", "baseline": "_baseline"}
    estimates = {(part, name): {key: row[f"{part}_{name}{end}"] for key, end in ends.items()} for part, name in columns}
    return {
        **row, "estimates": estimates, "published": [row[name] for name in PUBLISHED], "notes": row["notes"].split(),
    }  # fmt: skip


def _domain(table: pl.DataFrame, part: str, name: str) -> tuple[float, float]:
    """The range that the strips of a column share: errors from nothing to a little beyond the worst, areas to 1."""
    if name not in ERRORS:
        return 0.0, 1.0
    ends = [table[f"{part}_{name}{end}"].max() for end in ("_high", "_baseline")]
    return 0.0, 1.05 * max([float(end) for end in ends if isinstance(end, float)], default=1.0)
