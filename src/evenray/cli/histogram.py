"""The verb histogram: grey levels, or the values of a table's column, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ._app import Jobs, Json, app
from ._light import PANEL, ValueRange, Window, pair
from ._screen import print_json, say, watching

__all__ = ["histogram"]


@app.command("histogram", rich_help_panel=PANEL)
def histogram(
    paths: Annotated[list[str], typer.Argument(help="Images, folders, .npz files or tables (.csv, .parquet).")],
    output: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--output", "-o", help="Also write a file: .csv, .json (a reference for match), .svg or .png; repeatable."
        ),
    ] = None,
    column: Annotated[Optional[str], typer.Option("--column", help="The column of a table.")] = None,  # noqa: UP045
    bins: Annotated[Optional[int], typer.Option("--bins", help="The number of intervals.", min=1)] = None,  # noqa: UP045
    width: Annotated[Optional[float], typer.Option("--width", help="The width of an interval.")] = None,  # noqa: UP045
    start: Annotated[Optional[float], typer.Option("--start", help="Where the first one begins.")] = None,  # noqa: UP045
    rule: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--rule", help="freedman-diaconis or equal-frequency, where no width is given."),
    ] = None,
    value_range: ValueRange = None,
    window: Window = "header",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Count grey levels, or the values of a table's column: frequency table, moments, and advice on the light."""
    from evenray.verbs.histogram import histogram as count

    with watching() as listener:
        counted = count(
            paths, output or (), column=column, bins=bins, width=width, start=start, rule=rule, value_range=pair(value_range),
            window=window, jobs=jobs, listener=listener,
        )  # fmt: skip
    if json:
        print_json(counted.as_json())
        return
    typer.echo(counted.text())
    for target in output or []:
        say(f"wrote {target}")
