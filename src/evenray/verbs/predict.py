"""predict: image files through a trained model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from evenray.core.artefacts import Ledger, RunFolder
from evenray.core.artefacts.asked import Asked
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events, Listener
from evenray.learning.export import quicker
from evenray.learning.predict.engines import load
from evenray.learning.predict.files import Answers, images, items
from evenray.learning.predict.files import predict as predict_items
from evenray.scale import is_url, isolated, local, sent
from evenray.stages.up_to_date import require_up_to_date

__all__ = ["Answers", "check_run", "predict"]

FORMS = (".csv", ".parquet", ".json")


def predict(
    model: str | Path, files: str | Path | Sequence[str | Path], output: str | Path | None = None, *,
    prevalence: float | Mapping[str, float] | None = None, device: str = "auto", jobs: int = 0, keep_masks: bool = True,
    listener: Listener | None = None,
) -> Answers:  # fmt: skip
    """Predict image files: probabilities, the decision at the operating point, and whether an image is unlike the training ones.

    `model` is a run folder, a model.safetensors, an .onnx or an OpenVINO .xml file; `files` are images, folders and .npz files.
    `output` is a .csv, .parquet or .json file, also at a URL. `prevalence` is the share of the positive class where the model
    is used. Of a network of masks these are written beside `output`, below a folder called as it with `_masks`, each in the form
    of its file (PNG, NIfTI, DICOM SEG); of one of boxes these, as COCO JSON and as a table, called as it with `_boxes`. Masks
    that are not written are returned, unless `keep_masks` is false: those of many files need much memory. What cannot be read
    is in `rejected` with its reason. Raises DataError where a run folder is out of date, or nothing could be read.
    """
    if output is not None and Path(output).suffix.lower() not in FORMS:
        raise UsageError(f"'{output}' cannot be written; give a name that ends in {', '.join(FORMS)}.")
    sources = [files] if isinstance(files, str | Path) else files
    found = items([local(file) for file in sources])
    source = local(model)
    check_run(source)
    events, loaded = Events(listener), quicker(load(source, device=device), source, images(found))
    with _written_here(output) as here:
        masks = None if here is None else here.with_name(f"{here.stem}_masks")
        with events.task("task.predict", len(found)) as tick:
            answers = predict_items(
                loaded, found, prevalence=prevalence, masks=masks, keep_masks=keep_masks, map=isolated(jobs), tick=tick
            )
        _tell(answers, events)
        if here is not None:
            answers.write(here)
    if not answers.table.height:
        first = answers.rejected.row(0)
        raise DataError(f"None of the {len(found)} files could be read; the first: {first[0]}: {first[1]}.")
    return answers


@contextmanager
def _written_here(output: str | Path | None) -> Iterator[Path | None]:
    """Where to write a table and what stands beside it; of a URL a folder of this machine, all of which is sent there in the end."""
    if output is None or not is_url(output):
        yield None if output is None else Path(output)
        return
    above, name = str(output).rsplit("/", 1)
    with TemporaryDirectory() as folder:
        yield Path(folder, name)
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                sent(path, f"{above}/{path.relative_to(folder).as_posix()}")


def check_run(path: Path) -> None:
    """DataError where a run folder's network is not of what stands there now; what was copied out of one is left alone."""
    folder = RunFolder(path.parent if path.name == "model.safetensors" else path)
    if folder.has(Asked.file) and folder.has(Ledger.file):
        require_up_to_date(folder)


def _tell(answers: Answers, events: Events) -> None:
    for file, reason in answers.rejected.head(5).iter_rows():
        events.tell("predict.rejected", "warning", file=file, reason=reason)
    if (more := answers.rejected.height - 5) > 0:
        events.tell("predict.more_rejected", "warning", count=more)
    if answers.flagged:
        events.tell("predict.out_of_distribution", "warning", count=answers.flagged, images=answers.table.height)
    if answers.about.training_images is None:
        events.tell("predict.not_checked", "note")
    events.tell(
        "predict.done",
        images=answers.table.height,
        files=answers.files,
        engine=answers.engine,
        precision=answers.precision,
    )
