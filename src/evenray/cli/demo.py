"""The verb demo: the main job on synthetic radiographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._app import Jobs, Json, Lang, Seed, app
from ._screen import watching
from .line import finish

__all__ = ["demo"]


@app.command("demo", rich_help_panel="The main job")
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder that the archive and the run go to.")
    ] = Path("demo-run"),
    task: Annotated[
        Literal["classify", "segment", "detect"],
        typer.Option(help="What is done: label films, or outline or find lesions."),
    ] = "classify",
    seed: Seed = 0,
    lang: Lang = "en",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """The main job on synthetic radiographs that it makes itself: no download, minutes on two cores."""
    from evenray.verbs.demo import demo as make

    with watching(lang) as listener:
        done = make(output, task=task, seed=seed, lang=lang, jobs=jobs, listener=listener)
    finish(done, "report", lang=lang, as_json=json)
