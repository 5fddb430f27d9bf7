"""What was checked off to be left out: a CSV in the run folder, which the recipe names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from evenray.core.artefacts import RunFolder, atomic
from evenray.core.artefacts.asked import Asked
from evenray.core.errors import DataError
from evenray.core.run import Run
from evenray.core.spreadsheets import to_csv
from evenray.core.types import Dataset
from evenray.data.audit import propose_exclusions
from evenray.data.exclusions import check_exclusions, read_exclusions

__all__ = ["exclude", "excluded", "proposed"]

FILE = "exclude.csv"
ASKED = "exclusions.csv"  # what the last job was told


def excluded(run: Run, dataset: Dataset) -> dict[str, str]:
    """The cases that are to be left out, with the reasons."""
    asked = run.recipe.exclude if run.recipe else None
    if asked and Path(asked).is_file():
        table = check_exclusions(dataset, read_exclusions(asked))
    elif asked and run.folder.has(ASKED):
        table = run.folder.read_table(ASKED)
    else:
        return {}
    return dict(table.select("case", "reason").iter_rows())


def proposed(run: Run, dataset: Dataset, language: str) -> dict[str, str]:
    """The cases that the audit proposes to leave out, with the reasons."""
    table = propose_exclusions(run.findings or [], dataset, language)
    return dict(table.filter(pl.col("action") == "exclude").select("case", "reason").iter_rows())


def exclude(run: Run, dataset: Dataset, cases: Mapping[str, str]) -> None:
    """Write what is to be left out, and let the recipe name it. A file of the user's own is left as it is.

    Raises UsageError for a case that is not of the data, DataError where the run has no recipe.
    """
    if run.asked is None:
        raise DataError(f"{run.path} has no recipe.json; make the run again.")
    path = run.path.resolve() / FILE
    table = pl.DataFrame(
        {"case": list(cases), "action": ["exclude"] * len(cases), "reason": list(cases.values())},
        schema=dict.fromkeys(("case", "action", "reason"), pl.String),
    )
    check_exclusions(dataset, table.select("case", "reason"))
    if cases:
        with atomic(path) as temporary:
            temporary.write_text(to_csv(table), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
    recipe = run.asked.recipe.but(exclude=str(path) if cases else None)
    Asked(run.asked.data, recipe).write(RunFolder(run.path).path)
