"""Table 7 of the VGG paper for the run's own images: errors with intervals, the paper's figures beside, what each row cost."""

from __future__ import annotations

from typing import Any

import polars as pl

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]

PARTS = ("validation", "test")
FIGURES = ("top1", "top5", "auroc", "balanced_accuracy")
ERRORS = ("top1", "top5")
PUBLISHED = ("published_validation_top1", "published_validation_top5", "published_test_top5")


def context(run: Run, say: Language) -> dict[str, Any] | None:
    table, about = run.table7, run.table7_about
    if table is None or about is None or table.is_empty():
        return None
    columns = [(part, name) for part in PARTS for name in FIGURES if f"{part}_{name}" in table.columns]
    rows = [_row(row, columns) for row in table.iter_rows(named=True)]
    best = min(rows, key=lambda row: row["estimates"][_main(columns)]["value"])
    return {
        "columns": columns,
        "rows": rows,
        "domains": {column: _domain(table, *column) for column in columns},
        "main": _main(columns),
        "best": best,
        "apart": sum(not _overlap(row, best, _main(columns)) for row in rows),
        "errors": ERRORS,
        "about": about,
        "choices": [(say.name("recipe", c["name"]), say.value(c["value"]), c["why"]) for c in about["choices"]],
        "notes": [n for n in dict.fromkeys(note for row in rows for note in row["notes"]) if f"table7.note.{n}" in say.texts],
        "members": about["members"],
    }  # fmt: skip


def _main(columns: list[tuple[str, str]]) -> tuple[str, str]:
    """The column that the rows are drawn by: the test part's top-1 error."""
    return next(column for column in columns if column == ("test", "top1"))


def _row(row: dict[str, Any], columns: list[tuple[str, str]]) -> dict[str, Any]:
    ends = {"value": "", "low": "_low", "high": "_high", "baseline": "_baseline"}
    estimates = {(part, name): {key: row[f"{part}_{name}{end}"] for key, end in ends.items()} for part, name in columns}
    costs = ("parameters", "training_seconds", "evaluation_seconds")
    published = [row[name] for name in PUBLISHED]
    kept = {name: row[name] for name in ("system", "method", "nets", "evaluation", "view", *costs)}
    return {**kept, "estimates": estimates, "published": published, "notes": row["notes"].split()}


def _overlap(row: dict[str, Any], best: dict[str, Any], column: tuple[str, str]) -> bool:
    return bool(row["estimates"][column]["low"] <= best["estimates"][column]["high"])


def _domain(table: pl.DataFrame, part: str, name: str) -> tuple[float, float]:
    """The range that the strips of a column share: errors from nothing to a little beyond the worst, areas to 1."""
    if name not in ERRORS:
        return 0.0, 1.0
    ends = [table[f"{part}_{name}{end}"].max() for end in ("_high", "_baseline")]
    return 0.0, 1.05 * max([float(end) for end in ends if isinstance(end, float)], default=1.0)
