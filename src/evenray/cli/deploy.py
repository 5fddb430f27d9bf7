"""The verbs predict and export: a trained model at work, and on its way to other machines."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evenray.core.errors import DataError, UsageError
from evenray.core.progress import plain

from ._app import Jobs, Json, app, print_json
from ._language import language_of
from ._progress import Bars
from .line import prevalence_of

if TYPE_CHECKING:
    from evenray.learning.predict.engines import Model
    from evenray.learning.predict.files import Answers

__all__ = ["export", "predict"]

PANEL = "The result at work"
FORMS = (".csv", ".parquet", ".json")


@app.command("predict", rich_help_panel=PANEL)
def predict(
    model: Annotated[str, typer.Argument(help="A run folder, a model.safetensors, an .onnx or an OpenVINO .xml file.")],
    files: Annotated[list[str], typer.Argument(help="Image files, folders of them, or .npz files.")],
    output: Annotated[
        Optional[str],  # noqa: UP045  (typer reads it at run time)
        typer.Option("--output", "-o", help="Write .csv, .parquet or .json \\[default: CSV on standard output]."),
    ] = None,
    prevalence: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--prevalence", help="The share of the positive class where the model is used, such as 0.01."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")] = "auto",
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Say of image files what the model makes of them: probabilities, the decision, and whether it knows such images."""
    if output is not None and Path(output).suffix.lower() not in FORMS:
        raise UsageError(f"'{output}' cannot be written; give a name that ends in {', '.join(FORMS)}.")
    asked = None if prevalence is None else prevalence_of(prevalence)
    from evenray.learning.export import quicker
    from evenray.learning.predict.engines import load
    from evenray.learning.predict.files import images, items
    from evenray.learning.predict.files import predict as answer
    from evenray.scale import fetched, is_url

    bars = Bars()
    found = items([fetched(file) if is_url(file) else file for file in files])
    source = fetched(model) if is_url(model) else model
    _check_run(Path(source))
    loaded = quicker(load(source, device=device), source, images(found))
    with bars.task("predicting", len(found)) as tick:
        answers = answer(loaded, found, prevalence=asked, jobs=jobs, tick=tick)
    _tell(bars, loaded, answers, len(found))
    if output is not None:
        _write(output, loaded, answers)
        bars.say(f"[bold]{plain(output)}[/bold]")
    if json:
        print_json(_summary(loaded, answers) | ({} if output else {"answers": answers.table.to_dicts()}))
    elif output is None:
        typer.echo(answers.table.write_csv(), nl=False)
    if not answers.table.height:
        first = answers.rejected.row(0)
        raise DataError(f"None of the {len(found)} files could be read; the first: {first[0]}: {first[1]}.")


def _check_run(path: Path) -> None:
    """DataError where a run folder's network is not of what stands there now; what was copied out of one is left alone."""
    from evenray.core.artefacts import RunFolder
    from evenray.stages.currency import require_current

    folder = RunFolder(path.parent if path.name == "model.safetensors" else path)
    if folder.has("recipe.json") and folder.has("provenance.json"):
        require_current(folder)


def _tell(bars: Bars, model: Model, answers: Answers, files: int) -> None:
    for file, reason in answers.rejected.head(5).iter_rows():
        bars.say(f"[yellow]set aside[/yellow] {plain(f'{file}: {reason}')}")
    if answers.rejected.height > 5:
        bars.say(f"[yellow]set aside[/yellow] {answers.rejected.height - 5} more files")
    if (strange := answers.table["unfamiliar"].sum()) and answers.table.height:
        bars.say(
            f"[yellow]unfamiliar[/yellow] {strange} of {answers.table.height} images are unlike the training images"
        )
    if model.about.familiar is None:
        bars.say("[yellow]not checked[/yellow] the training part was too small to tell which images are unlike it")
    bars.say(f"[dim]{answers.table.height} images of {files} files by {model.engine} in {model.precision}[/dim]")


def _summary(model: Model, answers: Answers) -> dict[str, Any]:
    about, familiar = model.about, model.about.familiar
    return {
        "classes": list(about.classes), "positive": about.positive, "threshold": answers.about.threshold,
        "prevalence": answers.about.given.tolist(), "engine": model.engine, "precision": model.precision,
        "images": answers.table.height, "unfamiliar": int(answers.table["unfamiliar"].sum() or 0),
        "false_flags": None if familiar is None else familiar.false_flags, "rejected": answers.rejected.to_dicts(),
    }  # fmt: skip


def _write(output: str, model: Model, answers: Answers) -> None:
    """The answers, to a file or a URL; of CSV and Parquet, what was set aside goes into a table beside them."""
    from evenray.scale import is_url, sent

    if not is_url(output):
        _write_here(Path(output), model, answers)
        return
    with TemporaryDirectory() as folder:
        _write_here(Path(folder) / output.rsplit("/", 1)[-1], model, answers)
        for path in sorted(Path(folder).iterdir()):
            sent(path, f"{output.rsplit('/', 1)[0]}/{path.name}")


def _write_here(output: Path, model: Model, answers: Answers) -> None:
    from evenray.core.artefacts import RunFolder

    folder = RunFolder(output.parent)
    if output.suffix.lower() == ".json":
        folder.write_json(output.name, _summary(model, answers) | {"answers": answers.table.to_dicts()})
        return
    folder.write_table(output.name, answers.table)
    beside = f"{output.stem}.rejected.csv"
    if answers.rejected.height:
        folder.write_table(beside, answers.rejected)
    else:
        (output.parent / beside).unlink(missing_ok=True)


@app.command("export", rich_help_panel=PANEL)
def export(
    run: Annotated[str, typer.Argument(help="A run folder that is evaluated.")],
    form: Annotated[str, typer.Option("--format", help="onnx, openvino or safetensors.")] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="Also in 8-bit integers (with openvino); says what that costs.")
    ] = False,
    output: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--output", "-o", help="The folder to write to \\[default: RUN/export]."),
    ] = None,
    lang: Annotated[Optional[str], typer.Option("--lang", help="Also the model card in ko.")] = None,  # noqa: UP045
    json: Json = False,
) -> None:
    """Hand a model on: the network in a standard format, with all it needs to prepare images and decide, and a model card."""
    if form not in ("onnx", "openvino", "safetensors"):
        raise UsageError(f"There is no format '{form}'; give --format onnx, openvino or safetensors.")
    if int8 and form != "openvino":
        raise UsageError(f"--int8 is for OpenVINO, and the format is {form}; give --format openvino --int8.")
    language = None if lang is None else language_of({"lang": lang})
    from evenray.scale import is_url

    for given in (run, output):
        if given is not None and is_url(given):
            raise UsageError(f"'{given}' is a URL; export takes and writes folders of this machine alone, so give one.")
    from evenray.verbs.export import export as hand_on

    bars = Bars()
    done = hand_on(run, output or Path(run) / "export", form, int8=int8, language=language, progress=bars)
    if json:
        print_json(done)
        return
    for path in done["files"]:
        bars.say(f"[bold]{plain(path)}[/bold]")
