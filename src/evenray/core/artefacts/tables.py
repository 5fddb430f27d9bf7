"""The tables of a run folder: the columns that each needs, and what one that was changed is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass

from evenray.core.errors import DataError

__all__ = ["checked", "require", "schema"]

TEXT, NUMBER = pl.String, pl.Float64
GRID = ("difference", "difference_low", "difference_high", "p_holm")
FINDINGS = dict.fromkeys(("check", "variant", "severity", "evidence"), TEXT) | {
    "cases": pl.List(TEXT), "groups": pl.List(pl.List(TEXT)),
}  # fmt: skip
NEEDED: dict[str, dict[str, Any]] = {  # polars types
    "cases.parquet": dict.fromkeys(("case", "file", "fragment", "label", "patient", "part", "pixel_hash"), TEXT),
    "rejected.csv": {"file": TEXT, "reason": TEXT},
    "exclusions.csv": {"case": TEXT, "reason": TEXT},
    "excluded.csv": {"case": TEXT, "by": TEXT, "reason": TEXT},
    "findings.parquet": FINDINGS,
    "label_errors.parquet": FINDINGS,
    "split.parquet": {"case": TEXT, "part": TEXT},
    "predictions.parquet": dict.fromkeys(("case", "patient", "part", "label"), TEXT) | {"target": pl.Int64}
    | dict.fromkeys(("logit_0", "logit_1", "p_0", "p_1"), NUMBER),
    "history.csv": {"member": pl.Int64, "epoch": pl.Int64, "train_loss": NUMBER, "validation_loss": NUMBER},
    "grid.parquet": dict.fromkeys(("contrast", "balance", "network", "metric", "imbalance"), TEXT)
    | {"chosen": pl.Boolean, "tied": pl.Boolean, "reference": pl.Boolean}
    | dict.fromkeys((*GRID, "seconds"), NUMBER),
    "out_of_fold.parquet": {"case": TEXT},
    "outer_folds.parquet": dict.fromkeys(("case", "part", "contrast", "balance", "network"), TEXT) | {"logit_0": NUMBER},
}  # fmt: skip
NUMBERS = {
    "cases.parquet": ("rows", "columns", "channels", "bits", "bits_stored", "low", "high", "smallest_value", "largest_value",
                      "spacing_row", "spacing_column", "slice_position", "window_center", "window_width", "sketch", "mean", "std"),
    "history.csv": ("validation_auroc", "validation_macro_auprc", "learning_rate", "seconds", "validation_seconds"),
}  # fmt: skip
ALWAYS = ("case", "file", "part", "label", "target", "contrast", "balance", "epoch")  # columns without a gap
ONCE = {"predictions.parquet": ("part", "repeat"), "outer_folds.parquet": ("repeat", "fold")}
MAY_LACK = {"cases.parquet": ("part", "label")}  # of images without labels, before the split
OPTIONAL = {  # for pages, and one network has no members
    "cases.parquet": set(NEEDED["cases.parquet"]) - {"case"}, "history.csv": {"member"},
}  # fmt: skip


def schema(name: str) -> dict[str, DataTypeClass]:
    """The types of the columns that a table needs; none are known of tables that only people read."""
    return NEEDED.get(name, {})


def checked(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table itself; DataError that names the file and the column where one is missing, of another type, or has a gap."""
    optional: set[str] = OPTIONAL.get(path.name, set())
    if path.name == "predictions.parquet" and "target_0" in table.columns:  # of findings, each with a target
        optional = optional | {"label", "target", "logit_1", "p_1"}
        optional |= {"logit_0", "p_0"} if "bins_0" in table.columns else set()  # of masks, with counted pixels
    if path.name == "predictions.parquet" and "found" in table.columns:  # of boxes
        optional = optional | {"label", "target", "logit_0", "logit_1", "p_0", "p_1"}
    for name, kind in NEEDED.get(path.name, {}).items():
        if name not in table.columns:
            if name in optional:
                continue
            raise _wrong(path, f"it has no column {name}")
        own = table.schema[name]
        if own != kind and not (own == pl.Null and name not in ALWAYS):
            raise _wrong(path, f"its column {name} is {own}, where {kind} was expected")
        if name in ALWAYS and name not in MAY_LACK.get(path.name, ()) and table[name].null_count():
            raise _wrong(path, f"its column {name} has a gap")
    if path.name == "grid.parquet":
        _check_metric(table, path)
    for name in NUMBERS.get(path.name, ()):
        if name in table.columns and not (table.schema[name].is_numeric() or table.schema[name] == pl.Null):
            raise _wrong(path, f"its column {name} is {table.schema[name]}, where a number was expected")
    once = [name for name in ("case", *ONCE.get(path.name, ())) if name in table.columns]  # each case in each of these
    if "case" in NEEDED.get(path.name, {}) and table.select(once).is_duplicated().any():
        raise _wrong(path, "it names a case twice in its column case")
    return table


def _check_metric(table: pl.DataFrame, path: Path) -> None:
    """The cells of a comparison are ranked by what their column `metric` names, of which there are intervals."""
    for metric in table["metric"].unique():
        for name in (metric, f"{metric}_low", f"{metric}_high"):
            if table.schema.get(name) != NUMBER:
                raise _wrong(path, f"it ranks by {metric!r:.40}, and has no numbers in a column {name!r:.60}")


def require(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """A checked table itself; DataError where it lacks a column that pages do without, and the stages do not."""
    if lacking := [name for name in NEEDED[path.name] if name not in table.columns]:
        raise _wrong(path, f"it has no column {lacking[0]}")
    return table


def _wrong(path: Path, what: str) -> DataError:
    return DataError(f"{path}: {what}; the file was changed or damaged: 'evenray run {path.parent}' makes it again.")
