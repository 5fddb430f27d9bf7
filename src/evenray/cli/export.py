"""The verb export: a trained model on its way to other machines."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ._app import Json, app
from ._screen import print_json, say, watching
from .predict import PANEL

__all__ = ["export"]


@app.command("export", rich_help_panel=PANEL)
def export(
    run: Annotated[str, typer.Argument(help="A run folder that is evaluated.")],
    format: Annotated[str, typer.Option("--format", help="onnx, openvino or safetensors.")] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="Also in 8-bit integers (with openvino); says what that costs.")
    ] = False,
    output: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--output", "-o", help="The folder of the exported files \\[default: RUN/export]."),
    ] = None,
    lang: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--lang", help="The language of the model card beside English \\[default: that of the report]."),
    ] = None,
    json: Json = False,
) -> None:
    """Export a model: the network in a standard format, with all it needs to prepare images and decide, and a model card."""
    from evenray.verbs.export import export as hand_on

    with watching(lang) as listener:
        done = hand_on(run, output, format=format, int8=int8, lang=lang, listener=listener)
    if json:
        print_json(done.as_json())
        return
    for path in done.files:
        say(str(path), "bold")
