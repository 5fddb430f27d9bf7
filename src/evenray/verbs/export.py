"""From a finished run to files that leave it: the network in a standard format, and its model card."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evenray import reporting as report
from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, StorageError, UsageError
from evenray.core.numbers import decimals, signed
from evenray.core.progress import Progress, Silent
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.data.store import Store, store_folder
from evenray.learning import export as formats
from evenray.learning import networks
from evenray.learning.balance import make
from evenray.learning.predict import predictions
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import compiled, has_bf16
from evenray.learning.train import Part
from evenray.metrics import score
from evenray.stages.context import Context
from evenray.stages.currency import require_current
from evenray.stages.train import stores_of

__all__ = ["export"]

CPU = torch.device("cpu")
CHECKED = 8  # images that the exported network is compared with torch on
CALIBRATED = 300  # training images that the ranges of 8-bit integers are taken from
BATCH = 16


def export(
    run: str | Path,
    folder: str | Path,
    form: str = "onnx",
    *,
    int8: bool = False,
    language: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a run's model into `folder` as onnx, openvino or safetensors, and MODEL_CARD.md beside it.

    With `int8` (OpenVINO) also in 8-bit integers; what that costs is measured on the validation part. `language` ko adds
    the card in Korean; by default the language of the run's report decides. Returns what was written and measured.
    Nothing is written into the run. DataError where its network or its scores are not of what stands there now.
    """
    progress = progress or Silent()
    source = RunFolder(run)
    if not source.path.is_dir():
        raise DataError(f"There is no run folder '{run}'; give the folder that 'evenray run' made.")
    folder = Path(folder)
    if folder.resolve() == source.path.resolve():
        raise UsageError(f"'{folder}' is the run folder itself; name another folder for what leaves it.")
    require_current(source)
    about = About.of_run(source.path)
    model = networks.load(source / "model.safetensors").eval()
    context = _context(source, progress)
    done: dict[str, Any] = {"format": form}
    with TemporaryDirectory(prefix="evenray-") as spare:
        images = _Images(context, about, Path(spare))
        files = _converted(images, model, folder, done)
        if int8:
            files += _smaller(images, files[0], done)
    told = done | {"files": [path.name for path in files], "main": files[0].name, "side": about.side, "familiar": None}
    if about.familiar is not None:
        told["familiar"] = {
            "rates": {**about.familiar.rates, "all": about.familiar.false_flags}, "cases": about.familiar.cases,
        }  # fmt: skip
    for code in dict.fromkeys(("en", language or _language(source.path))):
        files.append(report.write_card(source.path, folder, told, language=code))
    return done | {"files": [str(path) for path in files]}


def _context(source: RunFolder, progress: Progress) -> Context:
    recipe = source.read_json("recipe.json")
    return Context(source, recipe.pop("data"), Recipe.of(recipe), "cpu", progress=progress)


@dataclass
class _Images:
    """The run's images as the exported graph takes them; `spare` is for pixels that the run keeps no longer."""

    context: Context
    about: About
    spare: Path

    @cached_property
    def store(self) -> Store:
        about, kept = self.about, store_folder(self.context.folder)
        asked = [about.contrast], about.side, about.channels
        if kept.is_dir():
            with suppress(StorageError):  # some are gone, and the run is not to be written to
                return stores_of(self.context, self.context.dataset, *asked, kept)[about.contrast]
        return stores_of(self.context, self.context.dataset, *asked, self.spare)[about.contrast]

    def part(self, name: str) -> tuple[Dataset, Part]:
        dataset = self.context.dataset
        part = dataset.part(name)
        rows = np.flatnonzero((dataset.cases["part"] == name).to_numpy())
        return part, Part(self.store, rows, part.targets, part.cases["case"].to_list())


def _language(folder: Path) -> str:
    """The language of the run's report."""
    page = folder / "report.html"
    if not page.is_file():
        return "en"
    with page.open(encoding="utf-8") as file:
        found = re.search(r'<html[^>]*\blang="(\w+)"', file.read(4096))
    return found[1] if found else "en"


def _converted(images: _Images, model: networks.Classifier, folder: Path, done: dict[str, Any]) -> list[Path]:
    """The model as `done["format"]`, with how far it is from torch; OpenVINO's is made from ONNX's."""
    about = images.about
    if done["format"] == "safetensors":
        return [formats.safetensors(model, about, folder)]
    part = images.part("validation")[1]
    some = part.images(np.arange(min(CHECKED, len(part))), CPU).numpy()
    if done["format"] == "openvino":
        onnx, _ = formats.onnx(model, about, images.spare, some)
        xml, difference = formats.openvino(onnx, about, model, folder, some)
        files = [xml, xml.with_suffix(".bin")]
    else:
        path, difference = formats.onnx(model, about, folder, some)
        files = [path]
    done["difference"] = difference
    images.context.progress.say(f"{done['format']}: logits differ from torch's by {difference:.1e} at most")
    return files


def _smaller(images: _Images, path: Path, done: dict[str, Any]) -> list[Path]:
    """The model in 8-bit integers; what that costs on the validation part goes into `done`."""
    train = images.part("train")[1]
    some = np.linspace(0, len(train) - 1, min(CALIBRATED, len(train))).astype(np.int64)
    batches = [train.images(some[i : i + 1], CPU).numpy() for i in range(len(some))]
    target = formats.quantized(path, images.about, batches)
    found = {
        "f32": _validated(images, path, "f32"),
        "int8": _validated(images, target, "bf16" if has_bf16() else "f32"),
    }
    done["validation"] = found
    for metric, wide in found["f32"].items():
        small = found["int8"][metric]
        images.context.progress.say(
            f"int8: validation {metric} {decimals(small, 4)}, where float32 has {decimals(wide, 4)} ({signed(small - wide, 4)})"
        )
    return [target, target.with_suffix(".bin")]


def _validated(images: _Images, path: Path, precision: str) -> dict[str, float]:
    """AUROC, accuracy at the operating point and Brier score of an exported OpenVINO file on the validation part."""
    import openvino

    about, (dataset, part) = images.about, images.part("validation")
    run = compiled(openvino.Core().read_model(str(path)), precision)
    found: list[NDArray[np.float64]] = []
    with images.context.progress.task(f"validating {path.name}", len(part)) as tick:
        for start in range(0, len(part), BATCH):
            which = np.arange(start, min(start + BATCH, len(part)))
            found.append(run(part.images(which, CPU).numpy()))
            tick(len(which))
    remedy = make(about.balance, about.counts, about.classes, about.positive)
    target = None if about.prevalence is None else np.array(about.prevalence)
    answers = predictions(dataset, np.concatenate(found), remedy, about.prior, about.calibration, target)
    scores = score(answers, about.threshold, resamples=20)
    return {name: scores.estimates[name].value for name in ("auroc", "accuracy", "brier")}
