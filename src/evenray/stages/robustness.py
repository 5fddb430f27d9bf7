"""The stage robustness, beside the line: the run's network, and one trained without its contrast, on images that get worse."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.annotations import OF_IMAGES
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.plan import Plan, Planned
from evenray.core.artefacts.robustness import ALL, FEW, RobustnessRecord
from evenray.core.errors import DataError
from evenray.core.lost import Lost
from evenray.core.recipe import EvaluateSettings, TrainSettings
from evenray.core.robustness_settings import RobustnessSettings
from evenray.core.types import Dataset, Predictions
from evenray.data.store import SHARD, Store
from evenray.evidence.robustness import LOOKS, Looks, looks, measured_networks
from evenray.evidence.robustness.corrupted import Source, sources
from evenray.images.contrast import fix_references
from evenray.learning import networks
from evenray.learning.plan import kept_side, native_side
from evenray.learning.tasks import Remedy, Task, fitted, task_of
from evenray.learning.tasks.finding_scores import chosen
from evenray.learning.tasks.question import Target
from evenray.learning.train import examples, forward
from evenray.learning.tta import largest_scale
from evenray.metrics import Calibration
from evenray.metrics.measuring import Cut

from .artefacts import CHOICE, NETWORK, PLANNED, ROBUSTNESS, SPLIT_CASES
from .calibrating import fitted_calibrations
from .preparing import parts_of, remedy_of
from .stage import artefact
from .tools import Tools
from .train import TrainInputs, learn

__all__ = ["RobustnessInputs", "RobustnessOutputs", "robustness"]

TOGETHER = 2**27  # bytes of corrupted images that are held at a time


@dataclass(frozen=True)
class RobustnessInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)
    choice: Choice = artefact(CHOICE)
    network: networks.Classifier = artefact(NETWORK)


@dataclass(frozen=True)
class RobustnessOutputs:
    record: RobustnessRecord | None = artefact(ROBUSTNESS)


@dataclass(frozen=True)
class _Asked:
    """A network as it is asked: from logits to probabilities and thresholds, which clean validation images chose."""

    network: networks.Classifier
    calibrations: list[Calibration]
    cut: Cut


def robustness(inputs: RobustnessInputs, settings: RobustnessSettings, tools: Tools) -> RobustnessOutputs:
    """Measure both networks on the test part (of a cross-validated run, on the validation part) under all corruptions.

    Nothing for masks and boxes. The second network is trained here, as the first was but for the contrast.
    """
    dataset, plan = inputs.cases, inputs.planned.plan
    if dataset.facts.task not in OF_IMAGES:
        return RobustnessOutputs(None)
    task, asked_rule = task_of(dataset.facts.task), settings.threshold
    settings = fitted(settings, dataset.facts.task)
    target = task.target(settings.prevalence, dataset.classes, dataset.positive)
    remedy = remedy_of(dataset, plan, inputs.choice)
    rule = asked_rule or remedy.balance.rule or task.usual.threshold
    trained = {inputs.choice.contrast: inputs.network} | _second(inputs, settings, tools)
    tta = settings.tta or plan.tta
    furthest = largest_scale(tta, inputs.network.description.scale_jitter)
    asked = dict[str, _Asked]()
    for contrast, network in trained.items():
        model = network.to(tools.machine.device)
        cases, part = parts_of(tools, dataset, plan.given, plan.channels, contrast, ("validation",), furthest)[
            "validation"
        ]
        told = forward(model, part, plan.batch, tools.machine, tta=tta)
        calibrations = fitted_calibrations(
            task, remedy, told, task.targets(cases), EvaluateSettings.of(settings), tools
        )
        p = task.probabilities(remedy.questions, told, calibrations, target)
        asked[contrast] = _Asked(model, calibrations, _cut(task.predictions(cases, told, p), remedy, target, rule))
    name: Literal["test", "validation"] = "test" if len(dataset.part("test")) else "validation"
    if name == "test":
        tools.open_test()
    cases = dataset.part(name)
    scale = 255 if max(dataset.cases["bits"]) <= 8 else 65535  # as the store of the whole data set has it
    how = Looks(
        dataset.root, tuple(asked), kept_side(plan.given, native_side(dataset), furthest), plan.channels, scale,
        dataset.facts.value_range, settings.seed,
    )  # fmt: skip
    with tools.events.task("task.robustness", len(cases)) as tick:
        logits = _logits(cases, how, list(asked.values()), plan, tta, tools, tick)
    seen = {
        contrast: (_predictions(task, cases, remedy, one, logits[row], target), one.cut)
        for row, (contrast, one) in enumerate(asked.items())
    }
    found, steadier = measured_networks(seen, prevalence=task.scored_at(target), seed=settings.seed)
    clean = next(iter(seen.values()))[0][0]
    record = RobustnessRecord(
        part=name, cases=len(cases), patients=int(clean.patients.max()) + 1, fewest=_fewest(clean), networks=found,
        steadier=steadier,
    )  # fmt: skip
    _tell(record, tools)
    return RobustnessOutputs(record)


def _second(inputs: RobustnessInputs, settings: RobustnessSettings, tools: Tools) -> dict[str, networks.Classifier]:
    """The network of the other contrast, trained with the same plan and seed; nothing where that is the run's own."""
    contrast = settings.against or "none"
    if fix_references(contrast)[0] == fix_references(inputs.choice.contrast)[0]:
        return {}
    tools.events.tell("robustness.second", contrast=contrast)
    other = inputs.choice.model_copy(update={"contrast": contrast})
    learnt = learn(TrainInputs(inputs.cases, inputs.planned, other), TrainSettings.of(settings), tools)
    shutil.rmtree(tools.folder / "checkpoints" / tools.key[:16], ignore_errors=True)
    return {contrast: learnt.network}


def _cut(validation: Predictions, remedy: Remedy, target: Target, rule: str) -> Cut:
    """The threshold that the rule chooses, of findings one each; None with more than two classes."""
    if validation.task == "classify":
        return None if len(validation.classes) > 2 else _chosen(validation, remedy, target, 0, rule)
    return [_chosen(validation.finding(name), remedy, target, k, rule) for k, name in enumerate(validation.classes)]


def _chosen(own: Predictions, remedy: Remedy, target: Target, k: int, rule: str) -> float:
    shares = target[k]
    return chosen(own, rule, remedy.questions[k].prior if shares is None else shares)[0]


def _logits(
    cases: Dataset, how: Looks, asked: list[_Asked], plan: Plan, tta: str, tools: Tools, tick: Callable[[int], None]
) -> NDArray[np.float64]:
    """What each network says of each case in each look: float64 (networks, looks, cases, K)."""
    found = list[NDArray[np.float64]]()
    for images in _in_pieces(cases, how, tools):
        n = len(images)
        # (cases, networks, looks, side, side[, 3]) -> a store of cases x looks for each network
        told = []
        for row, one in enumerate(asked):
            flat = images[:, row].reshape(n * len(LOOKS), *images.shape[3:])
            store = Store([flat[start : start + SHARD] for start in range(0, len(flat), SHARD)], how.scale)
            rows = np.arange(len(flat))
            part = examples(cases.facts.task, store, rows, np.zeros(len(flat), np.int64))
            logits = forward(one.network, part, plan.batch, tools.machine, tta=tta)
            told.append(logits.reshape(n, len(LOOKS), -1).transpose(1, 0, 2))
        found.append(np.stack(told))
        tick(n)
    return np.concatenate(found, axis=2)


def _in_pieces(cases: Dataset, how: Looks, tools: Tools) -> Iterator[NDArray[Any]]:
    """The corrupted images of some cases at a time, (cases, contrasts, looks, side, side[, 3]); they are made in other processes."""
    items: list[Source] = list(sources(cases))
    piece = list[NDArray[Any]]()
    for item, made in zip(items, tools.map(partial(looks, how=how), items), strict=True):
        if isinstance(made, Lost):
            raise DataError(
                f"{item.file} could be read by the scan and cannot any more: it {made.reason}. Leave it out with --exclude, and"
                " run the same command again."
            )
        piece.append(made)
        if len(piece) * made.nbytes >= TOGETHER:
            yield np.stack(piece)
            piece = []
    if piece:
        yield np.stack(piece)


def _predictions(
    task: Task, cases: Dataset, remedy: Remedy, one: _Asked, logits: NDArray[np.float64], target: Target
) -> list[Predictions]:
    """In every look; `logits` are (looks, cases, K)."""
    return [
        task.predictions(cases, told, task.probabilities(remedy.questions, told, one.calibrations, target))
        for told in logits
    ]


def _fewest(clean: Predictions) -> int:
    """Patients of the rarest class that there are any of; of findings those of the rarest answer."""
    if clean.task == "classify":
        return min(len(np.unique(clean.patients[clean.targets == k])) for k in np.unique(clean.targets))
    known = [clean.finding(name) for name in clean.classes]
    return min(len(np.unique(own.patients[own.targets == k])) for own in known for k in np.unique(own.targets))


def _tell(record: RobustnessRecord, tools: Tools) -> None:
    for network in record.networks:
        lost = network.lost[ALL]["auroc"]
        tools.events.tell("robustness.lost", contrast=network.contrast, lost=lost.value, low=lost.low, high=lost.high)
    for metric, gap in record.steadier.get(ALL, {}).items():
        tools.events.tell(
            "robustness.steadier", metric=metric, gap=gap.value, low=gap.low, high=gap.high, p=gap.p,
            contrast=record.networks[0].contrast, against=record.networks[1].contrast, patients=record.fewest,
            variant="few" if record.fewest < FEW else "",
        )  # fmt: skip
