"""The verb labs: the slides as exercises."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._app import Json, Lang, app
from ._screen import print_json, say, watching

__all__ = ["labs"]


@app.command("labs", rich_help_panel="Learning")
def labs(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that the labs go to.", show_default=False)],
    lang: Lang = "en",
    json: Json = False,
) -> None:
    """Write three labs with exercises and solutions, as scripts and notebooks: histograms, VGG16, class imbalance."""
    from evenray.verbs.labs import labs as write

    with watching(lang) as listener:
        files = write(output, lang=lang, listener=listener)
    if json:
        print_json({"folder": str(output), "files": [str(path) for path in files]})
        return
    say(str(output), "bold")
