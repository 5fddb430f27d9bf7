"""What the user leaves out: the file that `evenray audit --propose-exclusions` proposes and the user edits."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.spreadsheets import plain
from evenray.core.types import Dataset

from .tables.text_table import read_text_table

__all__ = ["EXCLUSIONS", "check_exclusions", "read_exclusions", "without"]

EXCLUSIONS = {"case": pl.String, "reason": pl.String}
ACTIONS = ("exclude", "review", "keep")
SHOWN = 3


def read_exclusions(path: str | Path) -> pl.DataFrame:
    """The cases that a file leaves out, with the reason: columns case and reason, in order of the names.

    The file is a CSV with a column `case` (a case's name) or `file` (its path in the data), one row a case. Where it has
    a column `action`, only the rows that say "exclude" count; "review" and "keep" leave a case in. A column `reason` is
    kept. Raises UsageError where the file is absent, is no such table, or says another action.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(
            f"There is no file '{path}' of exclusions; 'evenray audit DATA --propose-exclusions {path}' proposes one."
        )
    table = _load(path)
    key = next((name for name in ("case", "file") if name in table.columns), None)
    if key is None:
        raise UsageError(f"'{path}' has the columns {', '.join(table.columns)}; one named case (or file) was expected.")
    action = pl.col("action").str.to_lowercase().fill_null("review") if "action" in table.columns else pl.lit("exclude")
    reason = pl.col("reason") if "reason" in table.columns else pl.lit(None, pl.String)
    table = table.select(case=key, action=action, reason=reason.fill_null("as asked"))
    odd = table.with_row_index("row", offset=2).filter(~pl.col("action").is_in(ACTIONS))
    if odd.height:
        row, said = odd["row"][0], odd["action"][0]
        raise UsageError(
            f"Row {row} of '{path}' has the action '{said}'; give {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}."
        )
    chosen = table.filter((pl.col("action") == "exclude") & pl.col("case").is_not_null())
    return chosen.select("case", "reason").unique("case", keep="first").sort("case")


def _load(path: Path) -> pl.DataFrame:
    try:
        table = read_text_table(path, "file of exclusions")
    except DataError as error:
        raise UsageError(str(error)) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise UsageError(f"'{path}' cannot be read as a CSV table: {first}") from None
    table = plain(table)
    table = table.rename({name: name.strip().lower() for name in table.columns})
    return table.with_columns(pl.all().str.strip_chars().replace("", None))


def check_exclusions(dataset: Dataset, exclusions: pl.DataFrame) -> pl.DataFrame:
    """The exclusions by case name; UsageError names what is neither a case nor a file of the data set.

    Files that the scan set aside need no excluding and are passed over.
    """
    cases = dataset.cases
    known = [cases.select("case", named=name) for name in ("case", "file") if name in cases.columns]
    found = exclusions.rename({"case": "named"}).join(pl.concat(known), on="named", how="left", maintain_order="left")
    lost = found.filter(pl.col("case").is_null() & ~pl.col("named").is_in(dataset.rejected["file"].implode()))
    if lost.height:
        names = lost["named"].unique(maintain_order=True).to_list()
        near = difflib.get_close_matches(names[0], cases["case"].head(10000).to_list(), n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise UsageError(
            f"The file of exclusions names {len(names)} that {'is' if len(names) == 1 else 'are'} not among the"
            f" {cases.height} cases: {', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}{hint}."
            " Correct or remove the rows, or propose the file anew with 'evenray audit --propose-exclusions'."
        )
    return found.drop_nulls("case").select("case", "reason").unique("case", keep="first").sort("case")


def without(dataset: Dataset, exclusions: pl.DataFrame) -> Dataset:
    """The data set without the excluded cases.

    >>> table = pl.DataFrame({"case": ["a", "b"], "label": ["x", "y"]})
    >>> one = Dataset(table, ("x", "y"), "x", ".")
    >>> without(one, pl.DataFrame({"case": ["b"], "reason": ["blank"]})).cases["case"].to_list()
    ['a']
    """
    if not exclusions.height:
        return dataset
    left = dataset.cases.filter(~pl.col("case").is_in(exclusions["case"].implode()))
    return replace(dataset, cases=left)
