"""The stage train: the final network, on the training part; the validation part chooses the epoch where it is large enough."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.model import HistogramRecord, ModelRecord, NetworkRecord
from evenray.core.artefacts.plan import Plan, Planned
from evenray.core.errors import UsageError
from evenray.core.events import EpochDone
from evenray.core.recipe import TrainSettings
from evenray.core.types import Dataset
from evenray.images.contrast import fix_references
from evenray.learning import networks
from evenray.learning.features import FeaturePart, fit_head
from evenray.learning.networks import catalogue
from evenray.learning.networks.weights import named
from evenray.learning.plan import native_side
from evenray.learning.predict import out_of_distribution
from evenray.learning.tasks import keeps_features, network, task_of
from evenray.learning.train import Part, Settings, batches_an_epoch, fit, statistics
from evenray.learning.train.order import seed_of

from .artefacts import CHOICE, HISTORY, MODEL, NETWORK, PLANNED, SPLIT_CASES
from .preparing import kept_features, parts_of, remedy_of
from .stage import artefact
from .team import sharing
from .tools import Tools

if TYPE_CHECKING:
    from evenray.learning.train.alone import Machine

__all__ = ["TrainInputs", "TrainOutputs", "learn", "train"]


@dataclass(frozen=True)
class TrainInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)
    choice: Choice = artefact(CHOICE)

    @property
    def plan(self) -> Plan:
        return self.planned.plan


@dataclass(frozen=True)
class TrainOutputs:
    network: networks.Classifier = artefact(NETWORK)
    model: ModelRecord = artefact(MODEL)
    history: pl.DataFrame = artefact(HISTORY)


@dataclass(frozen=True)
class Learnt:
    """A trained network (of several members their average), its history, and the part that it learnt from."""

    network: networks.Classifier
    history: list[dict[str, float]]
    part: Part


def train(inputs: TrainInputs, settings: TrainSettings, tools: Tools) -> TrainOutputs:
    """Train, and note with the network all that it takes to use it."""
    learnt = learn(inputs, settings, tools)
    dataset, plan, choice = inputs.cases, inputs.plan, inputs.choice
    part, remedy = dataset.part("train"), remedy_of(dataset, plan, choice)
    contrast, references = fix_references(choice.contrast)
    model = ModelRecord(
        task=dataset.facts.task, classes=dataset.classes, positive=dataset.positive, contrast=contrast,
        balance=choice.balance, counts=remedy.counts.present, prior=task_of(dataset.facts.task).shares(remedy),
        findings=remedy.counts if remedy.counts.absent else None,
        value_range=dataset.facts.value_range, scale=learnt.part.store.scale,
        network=NetworkRecord.model_validate_json(learnt.network.description.model_dump_json()),
        native=native_side(dataset), image_side=plan.size if plan.patch else None, training_images=out_of_distribution.fit(part),
        references={name: HistogramRecord.of(found.as_json()) for name, found in references.items()},
    )  # fmt: skip
    checkpoints = _checkpoints(tools)
    for former in checkpoints.parent.glob("*/"):
        if former != checkpoints:
            shutil.rmtree(former, ignore_errors=True)
    planned, done = plan.epochs * plan.members, len(learnt.history)
    if done < planned and not keeps_features(plan.frozen, dataset.facts.task):
        tools.events.tell("train.stopped_early", epochs=done, planned=planned, count=plan.patience)
    return TrainOutputs(learnt.network, model, pl.DataFrame(learnt.history))


def learn(inputs: TrainInputs, settings: TrainSettings, tools: Tools) -> Learnt:
    """Train every member of the network; every process of a run does this.

    Of several members each has a seed, checkpoints and rows of the history of its own; the network is their average. A head on a
    frozen trunk beside it is left to the first process.
    """
    plan, several = inputs.plan, inputs.plan.members
    first = tools.team is None or tools.team.global_rank == 0
    # Weights that are gone are told of before hours of work.
    other = _beside(plan, plan.beside) if plan.beside is not None and first else None
    scale = (settings.scale_jitter or (1.0, 1.0))[1]
    names = ("train", "validation")
    parts = parts_of(tools, inputs.cases, plan.size, plan.channels, inputs.choice.contrast, names, scale)
    part, validation = parts["train"][1].repeated(plan.patches), parts["validation"][1]
    models, history = list[networks.Classifier](), list[dict[str, float]]()
    with _machine(inputs, tools) as machine:
        for member in range(several):
            model, training = _fresh(inputs, plan, settings, part, member)
            found, rows = _learn_member(
                inputs, plan, settings, tools, model, training, (part, validation), member, machine
            )
            models.append(found)
            history += [{"member": member + 1, **row} for row in rows] if several > 1 else rows
    model = networks.average(models)
    if other is not None:
        fresh, training = _fresh(inputs, other, settings, part, 0)
        head, _ = _learn_member(inputs, other, settings, tools, fresh, training, (part, validation), 0, tools.machine)
        model = networks.mix([model.cpu(), head.cpu()], plan.given)
    return Learnt(model, history, part)


def _beside(plan: Plan, weights: str) -> Plan:
    """The plan of the head on a frozen trunk that the network is averaged with."""
    assert plan.beside_size is not None
    known = named(weights)
    if known is None:
        raise UsageError(
            f"The weights '{weights}' are not on this machine; {catalogue.how_to_get(weights)} brings them."
        )
    catalogue.checked_file(known)
    return replace(plan, pretrained=weights, finetune="frozen", network=known.network, size=plan.beside_size, members=1)


def _learn_member(
    inputs: TrainInputs, plan: Plan, settings: TrainSettings, tools: Tools, model: networks.Classifier, training: Settings,
    parts: tuple[Part, Part], member: int, machine: Machine,
) -> tuple[networks.Classifier, list[dict[str, float]]]:  # fmt: skip
    folder = _checkpoints(tools)
    remedy = remedy_of(inputs.cases, plan, inputs.choice).balance
    steps = plan.epochs * batches_an_epoch(len(parts[0]), plan.batch)
    code = "task.train_member" if plan.members > 1 else "task.train"
    spec = model.description.spec
    with tools.events.task(code, steps, network=spec, member=member + 1, members=plan.members) as tick:
        if keeps_features(plan.frozen, inputs.cases.facts.task):
            kept = _kept_parts(inputs, plan, settings, tools, model)
            return fit_head(model, kept["train"], kept["validation"], training, remedy, machine, tick=lambda: tick(1))
        return fit(
            model, *parts, training, remedy, machine, folder=folder / f"member-{member + 1}" if plan.members > 1 else folder,
            tick=lambda: tick(1), save_every=tools.save_every,
            epoch_done=lambda row: tools.events.send(EpochDone(member + 1, row)),
        )  # fmt: skip


def _machine(inputs: TrainInputs, tools: Tools) -> AbstractContextManager[Machine]:
    """The processes that train; a head learns in seconds, and no other process is called for it."""
    alone = keeps_features(inputs.plan.frozen, inputs.cases.facts.task)
    return nullcontext(tools.machine) if alone else sharing(tools)


def _fresh(
    inputs: TrainInputs, plan: Plan, settings: TrainSettings, part: Part, member: int
) -> tuple[networks.Classifier, Settings]:
    """The network of a member before its training, and how to train it."""
    seed = settings.seed if member == 0 else seed_of(settings.seed, member)
    mean, std = (None, None) if plan.pretrained else statistics(part)
    task = inputs.cases.facts.task
    model = network(
        task, inputs.choice.network or plan.network, inputs.cases.classes, channels=plan.channels,
        size=plan.looked, pretrained=plan.pretrained, seed=seed, mean=mean, std=std,
    )  # fmt: skip
    model = networks.freeze(model, plan.finetune)
    model.description = model.description.model_copy(update={"scale_jitter": settings.scale_jitter})
    decay = networks.fine_tuning(plan.finetune, len(model.network.blocks)).decay
    training = Settings(
        plan.epochs,
        plan.batch,
        plan.learning_rate,
        seed,
        settings.flips,
        plan.keep,
        settings.scale_jitter,
        plan.patience,
        decay,
        task=task,
    )
    return model, training


def _kept_parts(
    inputs: TrainInputs, plan: Plan, settings: TrainSettings, tools: Tools, model: networks.Classifier
) -> dict[str, FeaturePart]:
    dataset, contrast = inputs.cases, inputs.choice.contrast
    rows, stores = kept_features(tools, dataset, plan, model, [contrast], flips=settings.flips)
    found = {}
    for name in ("train", "validation"):
        own = np.flatnonzero((dataset.cases["part"] == name).to_numpy())
        found[name] = FeaturePart(stores[contrast], np.searchsorted(rows, own), dataset.part(name).targets)
    return found


def _checkpoints(tools: Tools) -> Path:
    """Checkpoints of exactly this training; those of another one are not taken up."""
    return tools.folder / "checkpoints" / tools.key[:16]
