"""The stage explain: what the contrast did to some images, and where the network looked in test cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.drawn import DrawnMasks, Overlays
from evenray.core.artefacts.explained import Attributions, Gallery, Preview, Previews
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import UsageError
from evenray.core.names import as_path
from evenray.core.recipe import ExplainSettings
from evenray.core.sketches import blocks
from evenray.core.types import Dataset, Image, Predictions
from evenray.images.contrast import curve, enhance
from evenray.images.histogram import Histogram
from evenray.images.readers import read
from evenray.learning import networks
from evenray.learning.tasks import fitted, of_images, task_of

from .artefacts import (
    ATTRIBUTIONS,
    CHOICE,
    MASKS,
    NETWORK,
    OVERLAYS,
    PLANNED,
    PREDICTIONS,
    PREVIEWS,
    SCORES,
    SPLIT_CASES,
)
from .attributing import Explained, noted_marks
from .box_overlays import box_overlays
from .overlays import mask_overlays, picture, png
from .preparing import stores_of
from .stage import artefact
from .tools import Tools

__all__ = ["ExplainInputs", "ExplainOutputs", "explain", "explained_of"]

PREVIEWED = 3


@dataclass(frozen=True)
class ExplainInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)
    choice: Choice = artefact(CHOICE)
    network: networks.Classifier = artefact(NETWORK)
    predictions: Predictions = artefact(PREDICTIONS)
    scores: ScoresRecord = artefact(SCORES)
    masks: Gallery[DrawnMasks] | None = artefact(MASKS)


@dataclass(frozen=True)
class ExplainOutputs:
    attributions: Gallery[Attributions] = artefact(ATTRIBUTIONS)
    overlays: Gallery[Overlays] | None = artefact(OVERLAYS)
    previews: Gallery[Previews] = artefact(PREVIEWS)


def explain(inputs: ExplainInputs, settings: ExplainSettings, tools: Tools) -> ExplainOutputs:
    """Attribution maps of the most confident mistakes and a few hits, of masks and boxes of the worst and typical cases, which are
    also shown with their outlines; the checks of these maps; and images before and after the contrast."""
    task = inputs.cases.facts.task
    explained = explained_of(inputs, settings, tools)
    if task not in OF_IMAGES:
        overlays = _overlays(inputs, tools)
        noted = noted_marks(explained, [(entry.kind, entry.case) for entry in overlays.index.entries])
        return ExplainOutputs(explained.gallery(noted), overlays, _previews(inputs))
    noted = of_images(task).notable(explained.predictions, inputs.scores)
    return ExplainOutputs(explained.gallery(noted), None, _previews(inputs))


def explained_of(inputs: ExplainInputs, settings: ExplainSettings, tools: Tools) -> Explained:
    """The network of a run with what its maps are made of."""
    dataset, plan, contrast = inputs.cases, inputs.planned.plan, inputs.choice.contrast
    task = dataset.facts.task
    settings = fitted(settings, task)
    part = "test" if len(dataset.part("test")) else "validation"  # all else was trained on
    store = stores_of(tools, dataset, [contrast], plan.given, plan.channels)[contrast]
    model = inputs.network.to(tools.machine.device)
    cuts = task_of(task).thresholds(inputs.scores)
    return Explained(dataset, store, model, inputs.predictions.part(part), part, cuts, settings, tools)


def _overlays(inputs: ExplainInputs, tools: Tools) -> Gallery[Overlays]:
    if task_of(inputs.cases.facts.task).draws:
        return mask_overlays(inputs.cases, inputs.predictions, tools)
    cuts = [record.threshold or 0.0 for record in inputs.scores.findings.values()]
    return box_overlays(inputs.cases, inputs.predictions, cuts, tools)


def _previews(inputs: ExplainInputs) -> Gallery[Previews]:
    """Some training images before and after: the chosen contrast, or where that is none, the others that were compared."""
    dataset, chosen = inputs.cases, inputs.choice.contrast
    others = [spec for spec in inputs.planned.contrasts if spec != "none"]
    specs = [chosen] if chosen != "none" else others or ["none"]
    train = dataset.part("train")
    entries, pictures = list[Preview](), dict[str, bytes]()
    for row in _from_dark_to_bright(train):
        about = train.cases.row(row, named=True)
        path = as_path(Path(dataset.root, about["file"]))
        image = read(path, fragment=about["fragment"], value_range=dataset.facts.value_range)
        for spec in specs:
            name, after = f"{len(entries):02d}", enhance(image, spec)
            before_png, after_png = f"{name}_before.png", f"{name}_after.png"
            pictures |= {before_png: png(picture(image)), after_png: png(picture(after))}
            entries.append(
                Preview(
                    case=about["case"], contrast=spec, before=before_png, after=after_png, value_range=image.value_range,
                    histogram_before=_bars(image), histogram_after=_bars(after), curve=_curve(image, spec),
                )
            )  # fmt: skip
    return Gallery(Previews(entries=tuple(entries)), pictures)


def _from_dark_to_bright(train: Dataset) -> list[int]:
    """The rows of a dark, a middling and a bright training image."""
    order = np.arange(len(train))
    if train.has_sketch("histogram"):
        counts = [train.sketch("histogram", rows) for rows in blocks(len(train))]
        brightness = [part @ np.arange(256) / np.maximum(part.sum(axis=1), 1) for part in counts]
        order = np.argsort(np.concatenate(brightness))
    return [int(order[int(q * (len(order) - 1))]) for q in np.linspace(0.02, 0.98, PREVIEWED)]


def _bars(image: Image) -> list[int]:
    counts: list[int] = Histogram.of(image).rebin(256).counts.tolist()
    return counts


def _curve(image: Image, spec: str) -> list[float] | None:
    try:
        values = curve(spec, Histogram.of(image)).values
    except UsageError:  # a local method has a curve a tile
        return None
    found: list[float] = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(values)), values).tolist()
    return found
