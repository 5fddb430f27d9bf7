"""The verb differences: runs that were tested on the same cases, told apart in pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenray.core.errors import DataError, UsageError
from evenray.core.numbers import interval, probability, signed

from ._app import Json, app, print_json, screen

if TYPE_CHECKING:
    import polars as pl

    from evenray.core.types import Predictions

__all__ = ["differences"]

Runs = Annotated[list[Path], typer.Argument(help="Run folders; differences are to the first.", show_default=False)]
Metric = Annotated[
    str, typer.Option("--metric", help="auprc, auroc, brier, sensitivity, ... as scores.json names them.")
]
Part = Annotated[str, typer.Option("--part", help="test or validation.")]


@app.command("differences", rich_help_panel="The result at work")
def differences(runs: Runs, metric: Metric = "auprc", part: Part = "test", json: Json = False) -> None:
    """Tell runs on the same cases apart: paired differences to the first, corrected for how many there are."""
    if part not in ("test", "validation"):
        raise UsageError(f"--part is '{part}'; give test or validation.")
    if len(runs) < 2 or len({run.resolve() for run in runs}) < len(runs):
        raise UsageError("Give two run folders or more, each once; the differences are to the first.")
    found = compared(runs, metric, part)
    if json:
        print_json({"metric": metric, "part": part, "runs": found.fill_nan(None).to_dicts()})
        return
    _show(found, metric, part)


def compared(runs: list[Path], metric: str, part: str) -> pl.DataFrame:
    """`compare_models` of the runs, each at the threshold that it chose; for AUROC with DeLong's p beside."""
    import polars as pl

    from evenray.learning.predict.cases import target_prior
    from evenray.metrics import compare_models, delong_difference

    read = {str(run): _read(run, part) for run in runs}
    models = {name: predictions for name, (predictions, _) in read.items()}
    first, about = next(iter(read.values()))
    for name, each in models.items():
        if (each.classes, each.positive) != (first.classes, first.positive):
            raise DataError(
                f"{name} tells {', '.join(each.classes)} apart (positive: {each.positive}), and {runs[0]}"
                f" {', '.join(first.classes)} (positive: {first.positive}); only runs on the same classes can be compared."
            )
    for name, (_, scores) in read.items():
        if scores["prevalence"] != about["prevalence"]:
            raise DataError(
                f"{name} was evaluated at the prevalence {scores['prevalence']}, {runs[0]} at {about['prevalence']};"
                " evaluate both with the same --prevalence."
            )
    thresholds = {name: scores["threshold"] for name, (_, scores) in read.items()}
    prevalence = target_prior(about["prevalence"], first.classes, first.positive)
    found = compare_models(models, metric, thresholds=thresholds, prevalence=prevalence)
    if metric != "auroc":
        return found
    p = [1.0, *(delong_difference(each, first).p for each in list(models.values())[1:])]
    return found.with_columns(p_delong=pl.Series(p))


def _read(run: Path, part: str) -> tuple[Predictions, dict[str, Any]]:
    from evenray.core.artefacts import RunFolder
    from evenray.core.types import Predictions

    folder = RunFolder(run)
    if not run.is_dir():
        raise DataError(f"There is no run folder {run}; give the folder that 'evenray run' made.")
    scores, table = folder.read_json("scores.json"), folder.read_table("predictions.parquet")
    predictions = Predictions(table, tuple(scores["classes"]), scores["positive"]).part(part)
    return predictions, scores


def _show(found: pl.DataFrame, metric: str, part: str) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    caption = "= cannot be told from the best   p: Holm's, for so many comparisons"
    table = Table(title=f"{metric}, {part} part", caption=caption, title_justify="left", caption_justify="left",
                  box=box.SIMPLE_HEAD)  # fmt: skip
    delong = "p_delong" in found.columns
    for name in ("", "run", f"{metric} (95 %)", "difference (95 %)", "p (Holm)", *(["p (DeLong)"] if delong else [])):
        table.add_column(name, justify="left" if name in ("", "run") else "right")
    for i, row in enumerate(found.iter_rows(named=True)):
        gap = interval(row["difference"], row["difference_low"], row["difference_high"], signed)
        cells: list[Any] = ["=" if row["tied"] else "", row["model"]]
        cells += [interval(row["value"], row["low"], row["high"])]
        cells += ["", ""] if i == 0 else [gap, probability(row["p_holm"])]
        cells += [probability(row["p_delong"]) if i else ""] if delong else []
        table.add_row(*map(Text, cells))
    screen.print(table)
