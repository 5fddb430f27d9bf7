"""The verb demo: the main job on synthetic radiographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ._app import Jobs, Json, Seed, app
from ._progress import Bars

__all__ = ["demo"]

IMAGES = 620


@app.command("demo", rich_help_panel="The main job")
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the archive and the run go.")] = Path(
        "demo-run"
    ),
    seed: Seed = 0,
    lang: Annotated[Optional[str], typer.Option("--lang", help="The language of the report: en or ko.")] = None,  # noqa: UP045
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """The main job on synthetic radiographs that it makes itself: no download, minutes on two cores."""
    from evenray.core.progress import watched
    from evenray.data import demo as archive
    from evenray.scale import local

    from .line import go

    bars = Bars()
    bars.say("The images of the demo are [bold]synthetic phantoms[/bold]: no patient was ever seen by it.")
    folder = output / "archive"
    with bars.task("drawing radiographs", IMAGES) as tick:
        archive.make(folder, seed=seed, images=IMAGES, map=watched(local(jobs), tick, lambda film: 1))
    options = {"output": output / "run", "seed": seed, "lang": lang, "jobs": jobs, "json": json, "effort": "quick"}
    go(str(folder), "report", options)
