"""The verb predict: image files through a trained model."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from evenray.core.forms import parsed
from evenray.core.names import printable
from evenray.core.recipe import EvaluateSettings
from evenray.core.settings import declared

from ._app import Jobs, Json, Lang, app
from ._screen import print_json, say, watching

__all__ = ["PANEL", "predict"]

PANEL = "The result at work"


@app.command("predict", rich_help_panel=PANEL)
def predict(
    model: Annotated[str, typer.Argument(help="A run folder, a model.safetensors, an .onnx or an OpenVINO .xml file.")],
    files: Annotated[list[str], typer.Argument(help="Image files, folders of them, or .npz files.")],
    output: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Option(
            "--output", "-o", help="The file to write, .csv, .parquet or .json \\[default: CSV on standard output]."
        ),
    ] = None,
    prevalence: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--prevalence", help="The share of the positive class where the model is used, such as 0.01."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")] = "auto",
    lang: Lang = "en",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Predict image files: probabilities, the decision, and whether an image is unlike the training images."""
    asked = None if prevalence is None else parsed(declared(EvaluateSettings)["prevalence"], prevalence)
    from evenray.core.spreadsheets import to_csv
    from evenray.verbs.predict import predict as answer

    with watching(lang) as listener:
        answers = answer(
            model, files, output, prevalence=asked, device=device, jobs=jobs, keep_masks=False, listener=listener
        )
    if json:
        print_json(answers.as_json() | ({} if output else {"answers": answers.table.to_dicts()}))
    elif output is None:
        typer.echo("\n".join(map(printable, to_csv(answers.table).split("\n"))), nl=False)
    else:
        say(output, "bold")
