"""The verb deidentify: a training set that may leave the house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from evenray.core.texts import Texts

from ._app import Jobs, Json, Lang, app
from ._screen import print_json, say, watching
from .predict import PANEL

__all__ = ["deidentify"]

SHOWN = 20  # files left out that are named


@app.command("deidentify", rich_help_panel=PANEL)
def deidentify(
    data: Annotated[str, typer.Argument(help="Images, a table of them, or a URL, as for run.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder that may be handed on.", show_default=False)
    ],
    key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--key", help="The file of the secret key and the old names, kept apart \\[default: OUTPUT.key.json]."
        ),
    ] = None,
    labels: Annotated[Optional[str], typer.Option("--labels", help="A table of labels.")] = None,  # noqa: UP045
    patient: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--patient", help="A regular expression that finds the patient in a path."),
    ] = None,
    column: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--column", help="What a column means, such as label=dx; repeatable."),
    ] = None,
    uncertain: Annotated[
        str, typer.Option("--uncertain", help="What -1 means: ignore, positive or negative.")
    ] = "ignore",
    reader: Annotated[Optional[str], typer.Option("--reader", help="The reader whose labels count.")] = None,  # noqa: UP045
    lang: Lang = "en",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Copy images and labels without what tells whose they are (DICOM PS3.15, Basic Profile); the key to it stays apart."""
    from evenray import deidentify as verb  # validates the words of options

    with watching(lang) as listener:
        done = verb(
            data, output, key=key, labels=labels, patient=patient, column=column or (), uncertain=uncertain,  # type: ignore[arg-type]
            reader=reader, jobs=jobs, listener=listener,
        )  # fmt: skip
    if json:
        print_json({
            "folder": str(done.folder), "key": str(done.key), "images": done.images, "patients": done.patients,
            "left_out": dict(done.left_out),
        })  # fmt: skip
        return
    texts = Texts(lang)
    for file, reason in list(done.left_out.items())[:SHOWN]:
        say(texts("deidentify.left_out", file=file, reason=reason))
    if len(done.left_out) > SHOWN:
        say(texts("deidentify.more_left_out", count=len(done.left_out) - SHOWN))
    say(str(done.folder), "bold")
