"""explain: where a network looks, in the cases of its run, in its errors, or in files of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, overload

import polars as pl

from evenray.core.artefacts import atomic
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.lost import Lost
from evenray.core.recipe import ExplainSettings, Recipe
from evenray.core.run import Run
from evenray.core.spec import Step
from evenray.core.spreadsheets import to_csv
from evenray.core.types import REJECTED
from evenray.images.writers.dicom_sc import write_secondary_capture
from evenray.learning import networks
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import NO_NUMBER
from evenray.learning.predict.decoding import Task, opened, tasks_of
from evenray.learning.predict.engines import of_network
from evenray.learning.predict.files import answer, items
from evenray.learning.tasks import fitted
from evenray.learning.train import machine
from evenray.reporting import errors_page
from evenray.scale import isolated, local
from evenray.stages.errors import errors_of
from evenray.stages.explain import explained_of
from evenray.stages.file_overlays import Looked, called
from evenray.stages.line import run as run_line
from evenray.stages.line import stage_of
from evenray.stages.overlays import png

from ._line import job, one_training
from .predict import check_run
from .run import Target

__all__ = ["Explanations", "explain"]

WITH_FILES = ("attribution", "device", "jobs", "lang")
COLUMNS = {
    "file": pl.String,
    "fragment": pl.String,
    "class": pl.String,
    "probability": pl.Float64,
    "overlay": pl.String,
    "dicom": pl.String,
}
WHOLE = 1 << 16  # pixels of a side: pictures are as large as their files


@dataclass(frozen=True)
class Explanations:
    """What `explain` made of files: a row an overlay, and what could not be read with its reason.

    Columns of `table`: file, fragment, class (which the map is of), probability (calibrated; of masks, and of boxes where none is
    called, the network's own), overlay and, of DICOM files, dicom: names of files in `folder`.
    """

    table: pl.DataFrame
    rejected: pl.DataFrame
    folder: Path


@overload
def explain(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, files: None = None, errors: bool = False,
    opacity: float = 0.5, listener: Listener | None = None, **settings: Any,
) -> Run: ...  # fmt: skip
@overload
def explain(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *, files: str | Path | Sequence[str | Path],
    errors: bool = False, opacity: float = 0.5, listener: Listener | None = None, **settings: Any,
) -> Explanations: ...  # fmt: skip
def explain(
    target: Target, recipe: Recipe | None = None, output: str | Path | None = None, *,
    files: str | Path | Sequence[str | Path] | None = None, errors: bool = False, opacity: float = 0.5,
    listener: Listener | None = None, **settings: Any,
) -> Run | Explanations:  # fmt: skip
    """Show where the network looked, and whether that can be believed (`run.attributions`), and what the contrast did. See `run`.

    With `errors`, errors.html in the run folder shows false negatives and false positives with their maps. With `files`, images and
    folders of them, nothing of the run is changed: overlays of these files are written into the folder `output` (by default the
    run's name with -explained) as PNG, and beside those of DICOM files as secondary captures of their study; `opacity`, from 0 to 1,
    is that of the map's warmest colour. Of large images, which the network sees in windows, the map is of the window in which most of
    what is explained lies. Raises DataError where the run is out of date, or nothing could be read.
    """
    if not 0 <= opacity <= 1:
        raise UsageError(f"opacity is {opacity}; give a number from 0 to 1.")
    if files is not None:
        if errors or recipe is not None or isinstance(target, (list, tuple)):
            raise UsageError("files are explained by a run as it is; leave errors and recipe out.")
        return _files(target, files, output, opacity, settings, Events(listener))
    with job(target, output, recipe, settings, listener) as work, one_training():
        run_line(work, "explain")
        if errors:
            each = stage_of("explain")
            explained = explained_of(each.read(work.folder), work.settings(each), work.tools)  # type: ignore[arg-type]
            found = errors_of(explained)
            errors_page(work.folder.path, found.entries, found.counts, found.pictures, language=work.lang)
        return Run(work.folder.path)


def _files(
    target: Target, files: str | Path | Sequence[str | Path], output: str | Path | None, opacity: float, settings: dict[str, Any],
    events: Events,
) -> Explanations:  # fmt: skip
    if not isinstance(target, str | Path):
        raise UsageError("files are explained by a trained network; give a run folder.")
    for name, value in settings.items():
        if name not in WITH_FILES and value is not None:
            raise UsageError(f"{name} does nothing with files; leave it out. Known here: {', '.join(WITH_FILES)}.")
    source = local(target)
    if not (source / "model.safetensors").is_file():
        raise DataError(f"There is no model in '{target}'; give the folder of a finished run.")
    check_run(source)
    about = About.of_run(source)
    network = networks.load(source / "model.safetensors")
    model = of_network(network, about, machine(settings.get("device") or "auto"))
    method = fitted(ExplainSettings(attribution=settings.get("attribution")), about.task).attribution or "gradcam"
    named = [files] if isinstance(files, str | Path) else files
    found = items([local(file) for file in named])
    folder = Path(output) if output is not None else Path(f"{source.resolve().name}-explained")
    folder.mkdir(parents=True, exist_ok=True)
    rows, rejected = list[dict[str, Any]](), list[tuple[str, str]]()
    tasks = [task for item in found for task in tasks_of(item)]
    with events.task("task.explain", len(found)) as tick:
        decoded = isolated(settings.get("jobs") or 0)(partial(opened, preparation=about.preparation), tasks)
        for task, one in zip(tasks, decoded, strict=True):
            if isinstance(one, str | Lost):
                rejected.append((task.item.file, one if isinstance(one, str) else one.reason))
            elif not (told := answer(model, one.decoded))[0].height:
                rejected.append((task.item.file, NO_NUMBER))
            else:
                looked = Looked(one, about, network, told[1])
                rows += _overlays(task, looked, told[0], method, opacity, folder, len(rows))
            tick(int(task.last))
    if not rows:
        raise DataError(f"None of the {len(found)} files could be read; the first: {rejected[0][0]}: {rejected[0][1]}.")
    for file, reason in rejected:
        events.tell("predict.rejected", "warning", file=file, reason=reason)
    events.tell("explain.done", count=len(rows), files=len(found) - len(rejected), folder=str(folder))
    done = Explanations(
        pl.DataFrame(rows, schema=COLUMNS), pl.DataFrame(rejected, schema=REJECTED, orient="row"), folder
    )
    with atomic(folder / "explained.csv") as path:
        path.write_text(to_csv(done.table), encoding="utf-8")
    return done


def _overlays(
    task: Task, looked: Looked, told: pl.DataFrame, method: str, opacity: float, folder: Path, number: int
) -> Iterator[dict[str, Any]]:
    """An overlay for each class that the image is called in its answer, or for the most probable one."""
    one, about = looked.one, looked.about
    fragment = one.decoded.fragment
    about_file = "_".join(_plain(part) for part in (Path(task.item.file).stem, fragment) if part)
    if classes := called(told, about):
        found = list(zip(classes, looked.probabilities(told, classes), strict=True))
    else:
        found = [looked.nearest(told)]
    pictures = looked.overlays([k for k, _ in found], method, WHOLE, opacity)
    for (k, p), drawn in zip(found, pictures, strict=True):
        label = about.classes[k]
        name, dicom = f"{number:04d}_{about_file}_{_plain(label)}", None
        with atomic(folder / f"{name}.png") as path:
            path.write_bytes(png(drawn))
        if one.image.header.get("format") == "dicom":
            dicom, title = f"{name}.dcm", f"evenray {Step.of(method).name}: {label}"
            with atomic(folder / dicom) as path:
                write_secondary_capture(task.item.path, path, drawn, title, number + 1)
        yield {
            "file": task.item.file,
            "fragment": fragment,
            "class": label,
            "probability": p,
            "overlay": f"{name}.png",
            "dicom": dicom,
        }
        number += 1


def _plain(text: str) -> str:
    """A text as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in text)[:60]
