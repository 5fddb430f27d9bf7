"""export: a finished run's network in a standard format, and its model card."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evenray.core.artefacts.cases import load
from evenray.core.errors import StorageError, UsageError
from evenray.core.events import Events, Listener
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.data.store import Store, store_folder
from evenray.learning import export as formats
from evenray.learning import networks
from evenray.learning.augment import Chance
from evenray.learning.export.exported import Exported
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import compiled, faster_in_bf16, of_whole_images
from evenray.learning.tasks import task_of
from evenray.learning.train import Part
from evenray.learning.train.part import anywhere
from evenray.metrics import measured_by_task
from evenray.reporting import language_of, write_card
from evenray.scale import is_url
from evenray.stages.preparing import part_of, stores_of
from evenray.stages.tools import Tools
from evenray.stages.up_to_date import require_up_to_date

__all__ = ["Exported", "export"]

FORMATS = ("onnx", "openvino", "safetensors")
LANGUAGES = ("en", "ko")
CPU = torch.device("cpu")
CHECKED = 8  # images that the exported network is compared with torch on
CALIBRATED = 300  # training images that the ranges of 8-bit integers are taken from
BATCH = 16


def export(
    run: str | Path, output: str | Path | None = None, *, format: str = "onnx", int8: bool = False, lang: str | None = None,
    listener: Listener | None = None,
) -> Exported:  # fmt: skip
    """Write a run's network as onnx, openvino or safetensors into `output` (RUN/export), and MODEL_CARD.md beside it.

    With `int8` (openvino) also in 8-bit integers; what that costs is measured on the validation part. `lang` "ko" adds the
    card in Korean; by default the language of the run's report decides. Nothing else is written into the run. DataError where
    the run is out of date, UsageError for an unknown format.
    """
    for given in (run, output):
        if given is not None and is_url(given):
            raise UsageError(f"'{given}' is a URL; export reads and writes folders of this machine alone, so give one.")
    if format not in FORMATS:
        raise UsageError(f"There is no format '{format}'; give --format onnx, openvino or safetensors.")
    if int8 and format != "openvino":
        raise UsageError(f"--int8 is for OpenVINO, and the format is {format}; give --format openvino --int8.")
    if lang is not None and lang not in LANGUAGES:
        raise UsageError(f"lang is '{lang}'; give en or ko.")
    source = Run(run)
    folder = source.path / "export" if output is None else Path(output)
    if folder.resolve() == source.path.resolve():
        raise UsageError(f"'{folder}' is the run folder itself; name another folder for the exported files.")
    require_up_to_date(source.folder)
    about = About.of_run(source.path)
    known = about.training_images
    rates = None if known is None else {**known.rates, "all": known.false_flags}
    model, events = networks.load(source.path / "model.safetensors").eval(), Events(listener)
    with TemporaryDirectory(prefix="evenray-") as spare:
        images = Images(source, about, Path(spare), Tools(source.path, events, device="cpu"))
        done = Exported(format, (), about.side, flag_rates=rates, flag_cases=0 if known is None else known.cases)
        done = _converted(done, images, model, folder)
        if int8:
            done = _smaller(done, images)
    files = done.files
    for code in dict.fromkeys(("en", lang or language_of(source.path / "report.html"))):
        files = (*files, write_card(source.path, folder, done, language=code))
    return replace(done, files=files)


@dataclass
class Images:
    """The run's images as the exported graph takes them; `spare` is for pixels that the run keeps no longer."""

    run: Run
    about: About
    spare: Path
    tools: Tools

    @cached_property
    def dataset(self) -> Dataset:
        return load(self.run.folder)

    @cached_property
    def store(self) -> Store:
        about, kept = self.about, store_folder(self.run.path)
        if kept.is_dir():
            with suppress(StorageError):  # some are gone, and the run is not to be written to
                return stores_of(self.tools, self.dataset, [about.contrast], about.side, about.channels, kept)[
                    about.contrast
                ]
        return stores_of(self.tools, self.dataset, [about.contrast], about.side, about.channels, self.spare)[
            about.contrast
        ]

    def part(self, name: str) -> tuple[Dataset, Part]:
        return part_of(self.dataset, self.store, name)

    def of_graph(self, part: Part, which: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the exported graph takes of some images of a part: the images, or a window of each."""
        x_NCHW = part.inputs(which, CPU)
        if self.about.windowed:
            x_NCHW = anywhere(x_NCHW, self.about.size, Chance.of(which.tolist(), len(which)))
        return x_NCHW.numpy()


def _converted(done: Exported, images: Images, model: networks.Classifier, folder: Path) -> Exported:
    """The network in the format asked for, with how far it is from torch; OpenVINO's is made from ONNX's."""
    about = images.about
    if done.format == "safetensors":
        return replace(done, files=(formats.safetensors(model, about, folder),))
    part = images.part("validation")[1]
    some = images.of_graph(part, np.arange(min(CHECKED, len(part))))
    if done.format == "openvino":
        onnx, _ = formats.onnx(model, about, images.spare, some)
        xml, difference = formats.openvino(onnx, about, model, folder, some)
        files: tuple[Path, ...] = (xml, xml.with_suffix(".bin"))
    else:
        path, difference = formats.onnx(model, about, folder, some)
        files = (path,)
    images.tools.events.tell("export.difference", format=done.format, difference=difference)
    return replace(done, files=files, difference=difference)


def _smaller(done: Exported, images: Images) -> Exported:
    """The network in 8-bit integers too, with what that costs on the validation part."""
    train = images.part("train")[1]
    some = np.linspace(0, len(train) - 1, min(CALIBRATED, len(train))).astype(np.int64)
    batches = [images.of_graph(train, some[i : i + 1]) for i in range(len(some))]
    target = formats.quantized(done.files[0], images.about, batches)
    found = {
        "f32": _validated(images, done.files[0], "f32"),
        "int8": _validated(images, target, "bf16" if faster_in_bf16() else "f32"),
    }
    for metric, wide in found["f32"].items():
        small = found["int8"][metric]
        images.tools.events.tell("export.int8", metric=metric, small=small, wide=wide, difference=small - wide)
    return replace(done, files=(*done.files, target, target.with_suffix(".bin")), validation=found)


def _validated(images: Images, path: Path, precision: str) -> dict[str, float]:
    """What is told of the task first, accuracy at the operating point and Brier score of an exported OpenVINO file on the
    validation part."""
    import openvino

    about, (dataset, part) = images.about, images.part("validation")
    run = of_whole_images(compiled(openvino.Core().read_model(str(path)), precision), about)
    found: list[NDArray[Any]] = []
    with images.tools.events.task("task.validate", len(part), file=path.name) as tick:
        for start in range(0, len(part), BATCH):
            which = np.arange(start, min(start + BATCH, len(part)))
            found.append(part.told(which, torch.from_numpy(run(part.inputs(which, CPU).numpy()))))
            tick(len(which))
    told, task = np.concatenate(found), task_of(about.task)
    answers = task.predictions(dataset, told, about.probabilities(told))
    measured = measured_by_task(answers, about.cuts, resamples=20)
    return {name: measured[name].value for name in (task.shown[0], "accuracy", "brier") if name in measured}
