"""The verb ensemble: finished runs on the same cases, their soft-maxes averaged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evenray.core.errors import UsageError
from evenray.core.numbers import decimals, interval, signed

from ._app import Json, Lang, Seed, app
from ._screen import cell, print_json, say

if TYPE_CHECKING:
    from evenray.core.artefacts.ensemble import EnsembleRecord
    from evenray.core.artefacts.scores import Figure

__all__ = ["ensemble"]


@app.command("ensemble", rich_help_panel="Networks")
def ensemble(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs on the same data and split.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the ensemble.")] = Path("ensemble-run"),
    member_weights: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Option("--member-weights", help="One number a run, such as 2,1; left out, all count alike."),
    ] = None,
    threshold: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--threshold", help="The rule for the operating point; left out, that of the first run."),
    ] = None,
    lang: Lang = "en",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Average the soft-maxes of finished runs, weighted if asked, and score the ensemble beside each of them."""
    numbers = None if member_weights is None else _numbers(member_weights)
    from evenray.verbs.ensemble import ensemble as average

    done = average(runs, output, member_weights=numbers, threshold=threshold, lang=lang, seed=seed)
    page, record = done.path / "ensemble.html", done.ensemble
    assert record is not None
    if json:
        print_json({"run": str(done.path), "report": str(page), **record.as_json()})
        return
    _show(record, [Path(run).resolve().name for run in runs])
    say(str(page), "bold")


def _numbers(text: str) -> list[float]:
    """
    >>> _numbers("2, 1")
    [2.0, 1.0]
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--member-weights is '{text}'; give one number a run, such as 2,1.") from None


def _show(record: EnsembleRecord, names: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table("Run", "Weight", "Test AUROC", "Test AUPRC", "AUROC: ensemble minus run")
    for name, member in zip(names, record.members, strict=True):
        paired = member.difference["auroc"]
        gain = interval(paired.value, paired.low, paired.high, signed)
        figures = [_interval(member.test[name]) for name in ("auroc", "auprc")]
        drawn.add_row(cell(name), f"{member.weight:.2f}", *figures, gain)
    drawn.add_row("[bold]ensemble[/bold]", "", *(_interval(record.test[name]) for name in ("auroc", "auprc")), "")
    baseline = [decimals(record.test[name].baseline) for name in ("auroc", "auprc")]
    drawn.add_row("majority-class baseline", "", *baseline, "")
    Console(highlight=False).print(drawn)


def _interval(figure: Figure) -> str:
    return interval(figure.value, figure.low, figure.high)
