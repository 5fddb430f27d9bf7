"""The verb app: the workbench, in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ._app import app
from ._screen import say

__all__ = ["workbench"]

Target = Annotated[
    Path | None,
    typer.Argument(help="A run folder, images, or a folder of runs; without one this folder.", show_default=False),
]
Port = Annotated[int, typer.Option("--port", help="The port to listen on; 0 takes a free one.", min=0, max=65535)]
Host = Annotated[str, typer.Option("--host", help="The address to listen on; other machines need --token.")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="EVENRAY_TOKEN", help="A secret of 16 characters or more.", show_default=False),
]
Lang = Annotated[str | None, typer.Option("--lang", help="The language: en or ko; by default the browser's.")]
Quiet = Annotated[bool, typer.Option("--no-browser", help="Only print the address.")]


@app.command("app", rich_help_panel="The workbench")
def workbench(
    target: Target = None, port: Port = 8600, host: Host = "127.0.0.1", token: Token = None, lang: Lang = None,
    no_browser: Quiet = False,
) -> None:  # fmt: skip
    """Look, try and train with the mouse: the workbench, in a browser."""
    from evenray.app.workbench import workbench
    from evenray.app.workplace import Workplace
    from evenray.core.recipe import ReportSettings
    from evenray.serve.running import serve
    from evenray.serve.security import Access

    language = None if lang is None else ReportSettings.of({"lang": lang}).lang
    place, access = Workplace.of(target, language), Access(host, token)

    def ready(url: str) -> None:
        address = f"{url}/?token={token}" if token else url
        say(f"The workbench is at {address} (runs: {place.runs}). Ctrl-C ends it; jobs that were started go on.")
        if not no_browser:
            webbrowser.open(address)

    serve(workbench(place, access), host, port, ready=ready)
