"""The verb compare-runs: runs that were tested on the same cases, told apart in pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenray.core.numbers import interval, probability, signed

from ._app import Json, app
from ._screen import cell, print_json, screen
from .predict import PANEL

if TYPE_CHECKING:
    from evenray.evidence.compare.runs import RunComparison

__all__ = ["compare_runs"]

Runs = Annotated[list[Path], typer.Argument(help="Run folders; differences are to the first.", show_default=False)]
Metric = Annotated[
    str | None,
    typer.Option("--metric", help="auprc (the default; of masks dice), auroc, brier, ... as scores.json names them."),
]
On = Annotated[
    str | None,
    typer.Option("--on", help="The external test to compare on, by its name (evenray evaluate RUN --on DATA)."),
]
Part = Annotated[str, typer.Option("--part", help="test or validation.")]


@app.command("compare-runs", rich_help_panel=PANEL)
def compare_runs(runs: Runs, metric: Metric = None, part: Part = "test", on: On = None, json: Json = False) -> None:
    """Compare runs on the same cases: paired differences to the first, corrected for how many there are."""
    from evenray.verbs.compare_runs import compare_runs as compare

    found = compare(runs, metric=metric, part=part, on=on)
    if json:
        print_json({"metric": found.metric, "part": part, "on": on, "runs": found.table.fill_nan(None).to_dicts()})
        return
    _show(found)


def _show(found: RunComparison) -> None:
    from rich import box
    from rich.table import Table

    caption = "= cannot be told from the best   p: Holm's, for so many comparisons"
    title = f"{found.metric}, {found.part} part" if found.on is None else f"{found.metric}, external test {found.on}"
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    delong = "p_delong" in found.table.columns
    heads = ["", "run", f"{found.metric} (95 %)", "difference (95 %)", "p (Holm)", *(["p (DeLong)"] if delong else [])]
    for name in heads:
        table.add_column(name, justify="left" if name in ("", "run") else "right")
    for i, row in enumerate(found.table.iter_rows(named=True)):
        gap = interval(row["difference"], row["difference_low"], row["difference_high"], signed)
        cells: list[Any] = ["=" if row["tied"] else "", row["model"]]
        cells += [interval(row["value"], row["low"], row["high"])]
        cells += ["", ""] if i == 0 else [gap, probability(row["p_holm"])]
        cells += [probability(row["p_delong"]) if i else ""] if delong else []
        table.add_row(*map(cell, cells))
    screen.print(table)
