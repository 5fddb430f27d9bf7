"""The verb share: what may be handed on of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._app import Json, Lang, app
from ._screen import print_json, say, watching
from .predict import PANEL

__all__ = ["share"]


@app.command("share", rich_help_panel=PANEL)
def share(
    run: Annotated[Path, typer.Argument(help="A run folder, or that of an ensemble.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The new folder that may be handed on.", show_default=False)
    ],
    lang: Lang = "en",
    json: Json = False,
) -> None:
    """Copy what may be handed on: pages, figures, predictions and the network, with no path and no picture of every image."""
    from evenray.verbs.share import share as hand_on

    with watching(lang) as listener:
        done = hand_on(run, output, listener=listener)
    if json:
        print_json({"folder": str(done.folder), "files": list(done.files), "left_out": list(done.left_out)})
        return
    say(str(done.folder), "bold")
