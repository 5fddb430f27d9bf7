"""The stage compare: contrasts, remedies and networks are compared on the training and validation parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.plan import ASKED, Plan, Planned
from evenray.core.recipe import CompareSettings
from evenray.core.types import Dataset
from evenray.data.exclusions import check_exclusions, without
from evenray.data.split import folds, groups, near_groups_of, share
from evenray.data.store import Store
from evenray.evidence.compare import Cell, Setup, out_of_fold, trainings, why
from evenray.evidence.compare import compare as compare_all
from evenray.learning import networks
from evenray.learning.plan.comparison import WHOLE
from evenray.learning.tasks import fitted, keeps_features, network
from evenray.learning.train import Settings

from .artefacts import CASES, CHOICE, EXCLUSIONS_ASKED, GRID, OUT_OF_FOLD, PLANNED, SPLIT_CASES
from .preparing import kept_features, stores_of
from .stage import artefact
from .tools import Tools

__all__ = ["CompareInputs", "CompareOutputs", "compare"]


@dataclass(frozen=True)
class CompareInputs:
    scanned: Dataset = artefact(CASES)
    exclusions: pl.DataFrame = artefact(EXCLUSIONS_ASKED)
    cases: Dataset = artefact(SPLIT_CASES)
    planned: Planned = artefact(PLANNED)


@dataclass(frozen=True)
class CompareOutputs:
    choice: Choice = artefact(CHOICE)
    grid: pl.DataFrame | None = artefact(GRID)
    out_of_fold: pl.DataFrame | None = artefact(OUT_OF_FOLD)


def compare(inputs: CompareInputs, settings: CompareSettings, tools: Tools) -> CompareOutputs:
    """Train every cell of the grid by cross-validation and choose; with one cell there is nothing to compare."""
    settings = fitted(settings, inputs.cases.facts.task)
    plan, imbalances = inputs.planned.plan, settings.imbalances
    cells = [
        Cell(contrast, balance, network, imbalance)
        for imbalance in imbalances or ("own",)
        for network in plan.compare_networks
        for contrast in settings.contrasts
        for balance in settings.balances
    ]
    if len(cells) == 1 and not imbalances:
        asked = ASKED.as_json()
        return CompareOutputs(Choice(contrast=cells[0].contrast, balance=cells[0].balance, why=asked), None, None)
    setup, halving = _setup(inputs, plan, settings, tools), plan.search == "halving"
    repeats = max(len(imbalances), 1)
    total = trainings(len(cells) // repeats, plan.folds, settings.seeds, plan.compare_epochs, halving) * repeats
    workers = map if setup.frozen or tools.kind != "cpu" else tools.apart
    folder = tools.folder / "compare"
    with tools.events.task("task.compare", total) as tick:
        grid = compare_all(cells, setup, folder, metric=settings.metric or "", halving=halving, map=workers, tick=tick)
    chosen = grid.chosen
    cell, reason = chosen.cell, why(grid).as_json()
    network = cell.network if len(settings.networks) > 1 else None
    choice = Choice(contrast=cell.contrast, balance=cell.balance, network=network, why=reason)
    tools.events.tell("compare.done", choice=choice.named, why=choice.reason)
    trained = replace(setup, seeds=chosen.seeds)
    return CompareOutputs(choice, grid.table, out_of_fold(cell, trained, folder, chosen.epochs))


def _setup(inputs: CompareInputs, plan: Plan, settings: CompareSettings, tools: Tools) -> Setup:
    """What all cells share; where the trunk is frozen, the features of all cases that are not of the test part."""
    contrasts, whole = list(dict.fromkeys(settings.contrasts)), inputs.cases
    frozen = keeps_features(plan.frozen, whole.facts.task)
    dataset, group = _to_compare(inputs, plan, settings.seed)
    stores: dict[str, tuple[Store, ...]]
    if frozen:
        model = network(
            dataset.facts.task, plan.network, dataset.classes, channels=plan.channels, size=plan.size,
            pretrained=plan.pretrained,
        )  # fmt: skip
        model = networks.freeze(model, plan.finetune)
        of, stores = kept_features(tools, whole, plan, model, contrasts, flips=settings.flips)
        prepared = whole.cases["case"].gather(of)
    else:
        known = whole if tools.again else dataset
        made, prepared = stores_of(tools, known, contrasts, plan.compared, plan.channels), known.cases["case"]
        stores = {contrast: (store,) for contrast, store in made.items()}
    own = frozen or plan.compare_networks == (
        settings.networks or (plan.network,) if plan.pretrained else settings.networks
    )
    training = Settings(
        plan.compare_epochs, plan.batch, plan.learning_rate if own else 1e-3, settings.seed, settings.flips,
        decay=networks.fine_tuning(plan.finetune).decay if own else 1.0, task=dataset.facts.task,
    )  # fmt: skip
    rows: NDArray[np.int64] = np.flatnonzero(prepared.is_in(dataset.cases["case"].implode()).to_numpy())
    return Setup(
        dataset=dataset, group=group, fold=folds(dataset, group, plan.folds, settings.seed), stores=stores, rows=rows,
        settings=training, channels=plan.channels,
        size=plan.compare_size, patches=plan.patches, device=str(tools.machine.device),
        seeds=settings.seeds, weights=plan.pretrained if own else None, finetune=plan.finetune if own else "all",
        frozen=frozen,
    )  # fmt: skip


def _to_compare(inputs: CompareInputs, plan: Plan, seed: int) -> tuple[Dataset, NDArray[np.int64]]:
    """The cases of the comparison with their groups: never the test part, and of many a stratified share of the groups."""
    dataset = replace(inputs.cases, cases=inputs.cases.cases.filter(pl.col("part") != "test"))
    known = without(inputs.scanned, check_exclusions(inputs.scanned, inputs.exclusions))
    group = groups(dataset, near_groups_of(known))
    fraction = plan.compare_cases / len(dataset)
    if fraction > WHOLE:
        return dataset, group
    taken = share(dataset, group, fraction, plan.folds, seed)
    return replace(dataset, cases=dataset.cases.filter(pl.Series(taken))), group[taken]
