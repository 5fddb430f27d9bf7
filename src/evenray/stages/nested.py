"""The stage nested: the whole procedure (plan, comparison, training) anew in every outer fold of a nested cross-validation.

It runs before the stage evaluate where there is no test part, and leaves the logits of every case that was held out.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import atomic, digest
from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.plan import Planned
from evenray.core.recipe import CompareSettings, NestedSettings, PlanSettings, TrainSettings
from evenray.core.types import Dataset
from evenray.data.design import OuterFold, outer_folds
from evenray.data.exclusions import check_exclusions, without
from evenray.data.split import near_groups_of
from evenray.learning.plan import fingerprint
from evenray.learning.train import forward
from evenray.learning.tta import largest_scale

from .artefacts import CASES, DESIGN, EXCLUSIONS_ASKED, OUTER_FOLDS, PLANNED, SPLIT_CASES
from .compare import CompareInputs, compare
from .preparing import parts_of
from .stage import artefact
from .starting import planned
from .tools import Tools
from .train import TrainInputs, learn

__all__ = ["NestedInputs", "NestedOutputs", "nested"]

PREDICTED = ("validation", "test")


@dataclass(frozen=True)
class NestedInputs:
    scanned: Dataset = artefact(CASES)
    exclusions: pl.DataFrame = artefact(EXCLUSIONS_ASKED)
    cases: Dataset = artefact(SPLIT_CASES)
    design: DesignRecord = artefact(DESIGN)
    planned: Planned = artefact(PLANNED)


@dataclass(frozen=True)
class NestedOutputs:
    """A row a case, fold and repeat: its part there, the logits of what was not trained on, and what the fold chose: contrast, remedy,
    network, epochs, the weights it started from and those of the trunk that it was averaged with."""

    table: pl.DataFrame | None = artefact(OUTER_FOLDS)


def nested(inputs: NestedInputs, settings: NestedSettings, tools: Tools) -> NestedOutputs:
    """Go through the outer folds; each is kept in the run folder as it is done, and not computed again."""
    design, folder = inputs.design, tools.folder / "nested" / tools.key[:16]
    known = without(inputs.scanned, check_exclusions(inputs.scanned, inputs.exclusions))
    tables = list[pl.DataFrame]()
    with tools.events.task("task.nested", design.folds * design.repeats) as tick:
        alike = near_groups_of(known)
        for each in outer_folds(inputs.cases, design, settings, alike):
            kept = folder / f"repeat-{each.repeat + 1}-fold-{each.fold + 1}.parquet"
            if not kept.exists():
                inside = tools.inside(digest([tools.key, each.repeat, each.fold]), tick)
                table = _held_out(inputs, each, settings, alike, inside)
                with atomic(kept) as path:
                    table.write_parquet(path)
                shutil.rmtree(inside.folder / "checkpoints" / inside.key[:16], ignore_errors=True)
            tables.append(pl.read_parquet(kept))
            tick(1)
    _forget_others(folder)
    return NestedOutputs(pl.concat(tables))


def _held_out(
    inputs: NestedInputs, each: OuterFold, settings: NestedSettings, together: Sequence[Sequence[str]], tools: Tools
) -> pl.DataFrame:
    """The procedure on what an outer fold leaves, from its own seed, and the logits of its validation and test parts."""
    dataset, own = each.dataset, settings.but(seed=each.seed)
    weights = inputs.planned.weights
    plan = planned(dataset, PlanSettings.of(own), tools, nested=True, weights=weights, together=together).plan
    record = Planned(fingerprint=fingerprint(dataset), contrasts=own.contrasts, choices=plan.choices)
    compared = CompareInputs(inputs.scanned, inputs.exclusions, dataset, record)
    choice = compare(compared, CompareSettings.of(own), tools).choice
    model = learn(TrainInputs(dataset, record, choice), TrainSettings.of(own), tools).network.to(tools.machine.device)
    tta = own.tta or plan.tta
    parts = parts_of(
        tools, dataset, plan.given, plan.channels, choice.contrast, PREDICTED,
        largest_scale(tta, model.description.scale_jitter),
    )  # fmt: skip
    logits_NK: NDArray[np.float64] = np.full((len(dataset), len(dataset.classes)), np.nan)
    for name, (_, part) in parts.items():
        held = (dataset.cases["part"] == name).to_numpy()
        logits_NK[held] = forward(model, part, plan.batch, tools.machine, lambda: None, tta=tta)
    told = [pl.Series(f"logit_{k}", column).fill_nan(None) for k, column in enumerate(logits_NK.T)]
    return dataset.cases.select("case", "part").with_columns(
        *told, repeat=pl.lit(each.repeat + 1), fold=pl.lit(each.fold + 1), contrast=pl.lit(choice.contrast),
        balance=pl.lit(choice.balance), network=pl.lit(choice.network or plan.network), epochs=pl.lit(plan.epochs),
        pretrained=pl.lit(plan.pretrained, pl.String), beside=pl.lit(plan.beside, pl.String),
    )  # fmt: skip


def _forget_others(folder: Path) -> None:
    """Folds of other settings or data are not taken up again."""
    for former in folder.parent.glob("*/"):
        if former != folder:
            shutil.rmtree(former, ignore_errors=True)
