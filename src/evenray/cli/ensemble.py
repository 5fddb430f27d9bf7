"""The verb ensemble: finished runs on the same cases, their soft-maxes averaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from evenray.core.errors import UsageError
from evenray.core.numbers import decimals, interval, signed
from evenray.core.progress import plain

from ._app import Json, Seed, app, print_json
from ._language import language_of
from ._progress import Bars

__all__ = ["ensemble"]


@app.command("ensemble", rich_help_panel="Networks")
def ensemble(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs on the same data and split.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the ensemble.")] = Path("ensemble-run"),
    weights: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Option("--weights", help="One number a run, such as 2,1; left out, all count alike."),
    ] = None,
    threshold: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--threshold", help="The rule for the operating point; left out, that of the first run."),
    ] = None,
    lang: Annotated[Optional[str], typer.Option("--lang", help="The language of the page: en or ko.")] = None,  # noqa: UP045
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Average the soft-maxes of finished runs, weighted if asked, and score the ensemble beside each of them."""
    language = language_of({} if lang is None else {"lang": lang})
    numbers = None if weights is None else _numbers(weights)
    from evenray import reporting as report
    from evenray.verbs.ensemble import make_ensemble

    about = make_ensemble(runs, output, numbers, rule=threshold, seed=seed)
    page = report.ensemble_page(output, language=language)
    if json:
        print_json({"run": str(output), "report": str(page), **about})
        return
    _show(about)
    Bars().say(f"[bold]{plain(str(page))}[/bold]")


def _numbers(text: str) -> list[float]:
    """
    >>> _numbers("2, 1")
    [2.0, 1.0]
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--weights is '{text}'; give one number a run, such as 2,1.") from None


def _show(about: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table("Run", "Weight", "Test AUROC", "Test AUPRC", "AUROC of the ensemble less its own")
    for member in about["members"]:
        paired = member["difference"]["auroc"]
        gain = interval(paired["value"], paired["low"], paired["high"], signed)
        figures = [_interval(member["test"][name]) for name in ("auroc", "auprc")]
        drawn.add_row(plain(member["run"]), f"{member['weight']:.2f}", *figures, gain)
    drawn.add_row("[bold]ensemble[/bold]", "", *(_interval(about["test"][name]) for name in ("auroc", "auprc")), "")
    baseline = [decimals(about["test"][name]["baseline"]) for name in ("auroc", "auprc")]
    drawn.add_row("always the majority", "", *baseline, "")
    Console(highlight=False).print(drawn)


def _interval(figures: dict[str, Any]) -> str:
    return interval(figures["value"], figures["low"], figures["high"])
