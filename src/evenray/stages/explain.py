"""The stage explain: what the contrast did to some images, and where the network looked in test cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.drawn import DrawnMasks, Overlays
from evenray.core.artefacts.explained import Attribution, Attributions, Gallery, Preview, Previews
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import UsageError
from evenray.core.names import as_path
from evenray.core.recipe import ExplainSettings
from evenray.core.sketches import blocks
from evenray.core.types import Dataset, Image, Predictions
from evenray.data.store import Store
from evenray.evidence.explain import attribute, sanity
from evenray.images.contrast import curve, enhance
from evenray.images.histogram import Histogram
from evenray.images.readers import read
from evenray.learning import networks
from evenray.learning.tasks import of_images, task_of

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
from .box_overlays import box_overlays
from .overlays import mask_overlays, picture, png
from .preparing import stores_of
from .stage import artefact
from .tools import Tools

__all__ = ["ExplainInputs", "ExplainOutputs", "explain"]

CHECKED, PREVIEWED = 6, 3


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
    attributions: Gallery[Attributions] | None = artefact(ATTRIBUTIONS)
    overlays: Gallery[Overlays] | None = artefact(OVERLAYS)
    previews: Gallery[Previews] = artefact(PREVIEWS)


def explain(inputs: ExplainInputs, settings: ExplainSettings, tools: Tools) -> ExplainOutputs:
    """Attribution maps of the most confident mistakes and a few hits, checked; of masks and boxes, the worst and typical cases with
    these; and images before and after the contrast."""
    if inputs.cases.facts.task == "detect":
        cuts = [record.threshold or 0.0 for record in inputs.scores.findings.values()]
        overlays = box_overlays(inputs.cases, inputs.predictions, cuts, tools)
        return ExplainOutputs(None, overlays, _previews(inputs))
    if task_of(inputs.cases.facts.task).draws:
        return ExplainOutputs(None, mask_overlays(inputs.cases, inputs.predictions, tools), _previews(inputs))
    return ExplainOutputs(_attributions(inputs, settings.seed, tools), None, _previews(inputs))


def _attributions(inputs: ExplainInputs, seed: int, tools: Tools) -> Gallery[Attributions]:
    dataset, plan, contrast = inputs.cases, inputs.planned.plan, inputs.choice.contrast
    store = stores_of(tools, dataset, [contrast], plan.size, plan.channels)[contrast]
    row_of = {case: row for row, case in enumerate(dataset.cases["case"])}
    model = inputs.network.to(tools.machine.device)
    task = of_images(dataset.facts.task)
    shown_part = "test" if len(dataset.part("test")) else "validation"  # all else was trained on
    picked = task.notable(inputs.predictions.part(shown_part), inputs.scores)
    entries, pictures, shown = list[Attribution](), dict[str, bytes](), list[torch.Tensor]()
    with tools.events.task("task.explain", len(picked)) as tick:
        for number, item in enumerate(picked):
            x_NCHW = _tensor(store, row_of[item.case]).to(tools.machine.device)
            shown.append(x_NCHW)
            heat_HW = attribute(model, x_NCHW, item.output)[0]
            name = f"{number:02d}"
            pictures[f"{name}.png"] = png((x_NCHW[0].permute(1, 2, 0).squeeze(-1).cpu().numpy() * 255).astype(np.uint8))
            pictures[f"{name}_map.png"] = png((heat_HW * 255).astype(np.uint8))
            entries.append(
                Attribution(
                    case=item.case, part=shown_part, finding=item.finding, label=item.label, predicted=item.called,
                    probability=item.probability, kind="mistake" if item.mistake else "hit", image=f"{name}.png",
                    map=f"{name}_map.png",
                )
            )  # fmt: skip
            tick(1)
    checks = sanity(model, torch.cat(shown[:CHECKED]), task.main_output(dataset), seed=seed)
    index = Attributions(
        method="gradcam", layer=model.attribution_layer, entries=tuple(entries),
        checks=tuple(checks),
    )  # fmt: skip
    return Gallery(index, pictures)


def _tensor(store: Store, row: int) -> torch.Tensor:
    """A prepared image as x_NCHW float32 in 0 to 1."""
    unit = torch.from_numpy(store[np.array([row])][0].astype(np.float32) / store.scale)
    return unit[None, None] if unit.ndim == 2 else unit.permute(2, 0, 1)[None]


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
