"""From a finished run to files that leave it: the network in a standard format, and its model card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evenray import export as formats
from evenray import networks, report
from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.progress import Progress, Silent
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.metrics import score
from evenray.predict import predictions
from evenray.predict.about import About
from evenray.predict.engines import compiled, has_bf16
from evenray.train import Part

from .context import Context
from .model import parts_of, remedy_of

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
    """
    progress = progress or Silent()
    source = RunFolder(run)
    if not source.path.is_dir():
        raise DataError(f"There is no run folder '{run}'; give the folder that 'evenray run' made.")
    about = About.of_run(source.path)
    folder = Path(folder)
    if folder.resolve() == source.path.resolve():
        raise UsageError(f"'{folder}' is the run folder itself; name another folder for what leaves it.")
    model = networks.load(source / "model.safetensors").eval()
    context = _context(source, progress)
    done: dict[str, Any] = {"format": form}
    files = _converted(context, about, model, folder, done)
    if int8:
        files += _smaller(context, about, files[0], done)
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


def _language(folder: Path) -> str:
    """The language of the run's report."""
    page = folder / "report.html"
    if not page.is_file():
        return "en"
    with page.open(encoding="utf-8") as file:
        found = re.search(r'<html[^>]*\blang="(\w+)"', file.read(4096))
    return found[1] if found else "en"


def _converted(
    context: Context, about: About, model: networks.Classifier, folder: Path, done: dict[str, Any]
) -> list[Path]:
    """The model as `done["format"]`, with how far it is from torch; OpenVINO's is made from ONNX's, which goes again."""
    if done["format"] == "safetensors":
        return [formats.safetensors(model, about, folder)]
    part = _part(context, about, "validation")[1]
    some = part.images(np.arange(min(CHECKED, len(part))), CPU).numpy()
    path, difference = formats.onnx(model, about, folder, some)
    files = [path]
    if done["format"] == "openvino":
        xml, difference = formats.openvino(path, about, model, some)
        path.unlink()
        files = [xml, xml.with_suffix(".bin")]
    done["difference"] = difference
    context.progress.say(f"{done['format']}: logits differ from torch's by {difference:.1e} at most")
    return files


def _part(context: Context, about: About, name: str) -> tuple[Dataset, Part]:
    """A part of the data as the exported graph takes it."""
    return parts_of(context, about.contrast, (name,), about.side / about.size)[name]


def _smaller(context: Context, about: About, path: Path, done: dict[str, Any]) -> list[Path]:
    """The model in 8-bit integers; what that costs on the validation part goes into `done`."""
    train = _part(context, about, "train")[1]
    some = np.linspace(0, len(train) - 1, min(CALIBRATED, len(train))).astype(np.int64)
    target = formats.quantized(path, about, [train.images(some[i : i + 1], CPU).numpy() for i in range(len(some))])
    dataset, part = _part(context, about, "validation")
    found = {
        "f32": _validated(context, about, dataset, part, path, "f32"),
        "int8": _validated(context, about, dataset, part, target, "bf16" if has_bf16() else "f32"),
    }
    done["validation"] = found
    for metric, wide in found["f32"].items():
        small = found["int8"][metric]
        context.progress.say(
            f"int8: validation {metric} {small:.4f}, where float32 has {wide:.4f} ({small - wide:+.4f})"
        )
    return [target, target.with_suffix(".bin")]


def _validated(
    context: Context, about: About, dataset: Dataset, part: Part, path: Path, precision: str
) -> dict[str, float]:
    """AUROC, accuracy at the operating point and Brier score of an exported OpenVINO file on the validation part."""
    import openvino

    run = compiled(openvino.Core().read_model(str(path)), precision)
    found: list[NDArray[np.float64]] = []
    with context.progress.task(f"validating {path.name}", len(part)) as tick:
        for start in range(0, len(part), BATCH):
            which = np.arange(start, min(start + BATCH, len(part)))
            found.append(run(part.images(which, CPU).numpy()))
            tick(len(which))
    remedy, prior = remedy_of(context)
    target = None if about.prevalence is None else np.array(about.prevalence)
    answers = predictions(dataset, np.concatenate(found), remedy, prior, about.calibration, target)
    scores = score(answers, about.threshold, resamples=20)
    return {name: scores.estimates[name].value for name in ("auroc", "accuracy", "brier")}
