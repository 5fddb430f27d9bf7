"""The verb histogram: grey levels, or the values of a table's column, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from evenray.core.errors import UsageError

from ._app import Jobs, Json, app, print_json, screen
from ._light import PANEL, ValueRange, Window, pair
from ._progress import Bars

__all__ = ["histogram"]


@app.command("histogram", rich_help_panel=PANEL)
def histogram(
    paths: Annotated[list[str], typer.Argument(help="Images, folders, .npz files or tables (.csv, .parquet).")],
    output: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--output", "-o", help="Also write .csv, .json (a reference for match), .svg or .png; repeatable."
        ),
    ] = None,
    column: Annotated[Optional[str], typer.Option("--column", help="The column of a table.")] = None,  # noqa: UP045
    bins: Annotated[Optional[int], typer.Option("--bins", help="How many intervals.", min=1)] = None,  # noqa: UP045
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
    from . import _columns, _counting
    from ._copies import files_of

    binning = {"bins": bins, "width": width, "start": start, "rule": rule}
    if rule not in (None, "freedman-diaconis", "equal-frequency"):
        raise UsageError(f"There is no rule '{rule}'; known: freedman-diaconis, equal-frequency.")
    _counting.check_targets(output or [])
    if column is not None and not _columns.is_table(paths):
        raise UsageError(f"--column {column} is of a table; give .csv, .tsv or .parquet files alone.")
    if _columns.is_table(paths) and (column is not None or not _columns.names_images(paths)):
        counted = _columns.of_column(paths, column, **binning)
    else:
        files = [file for path in paths for file in files_of(Path(path))]
        with Bars().task("counting", len(files)) as tick:
            counted = _counting.of_images(files, binning, pair(value_range), window, jobs, tick)
    for target in output or []:
        _counting.export(counted, target)
    if json:
        print_json(counted.as_json())
        return
    typer.echo(counted.text())
    for target in output or []:
        screen.print(f"wrote {target}", highlight=False)
