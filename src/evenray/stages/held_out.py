"""From the logits of the outer folds to predictions: each fold corrected and calibrated by itself, as a network is for use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Predictions
from evenray.learning.baselines import TrunkFeatures, baselines
from evenray.learning.tasks import Remedy, Task, task_of
from evenray.learning.tasks.question import Target
from evenray.metrics import Calibration, each_repeat

from .calibrating import uncalibrated

__all__ = ["Fit", "averaged_over_repeats", "held_out", "simple_models"]

# (task, remedy, logits, targets) of a validation part -> the calibration of every question.
Fit = Callable[[Task, Remedy, NDArray[np.float64], NDArray[np.int64]], list[Calibration]]


def held_out(outer: pl.DataFrame, dataset: Dataset, target: Target, fit: Fit) -> dict[str, Predictions]:
    """The predictions of every case once a repeat, by the network of the fold that held it out ("test"), the same corrected for
    the remedy alone ("uncalibrated"), those at the class shares of their training parts ("unmoved"), and those of the validation parts
    of the same folds ("folds").

    `outer` is what the stage nested leaves. Beside the usual columns stand repeat, fold, and the class shares of the fold's
    training part, prior_k (of findings the share that has each).
    """
    task = task_of(dataset.facts.task)
    tables = {name: list[Predictions]() for name in ("folds", "test", "uncalibrated", "unmoved")}
    for part in outer.partition_by("repeat", "fold", maintain_order=True):
        fold, rows = _divided(dataset, part)
        balance, epochs = part["balance"][0], part["epochs"][0]
        targets = fold.part("train").targets
        remedy = task.remedy(balance, targets, dataset.classes, dataset.positive, epochs=epochs)
        told = [pl.lit(part[name][0]).alias(name) for name in ("repeat", "fold")]
        told += [pl.lit(float(share)).alias(f"prior_{k}") for k, share in enumerate(task.shares(remedy))]
        calibrations = list[Calibration]()
        for name in ("validation", "test"):
            held = rows.filter(pl.col("part") == name)
            logits_NK = held.select(f"logit_{k}" for k in range(len(dataset.classes))).to_numpy().astype(np.float64)
            cases = fold.part(name)
            if name == "validation":
                calibrations = fit(task, remedy, logits_NK, cases.targets)
            p_NK = task.probabilities(remedy.questions, logits_NK, calibrations, target)
            predicted = task.predictions(cases, logits_NK, p_NK)
            predicted = replace(predicted, table=predicted.table.with_columns(told))
            tables["folds" if name == "validation" else "test"].append(predicted)
        here = task.probabilities(remedy.questions, logits_NK, calibrations, [None] * len(remedy.questions))
        tables["uncalibrated"].append(predicted.with_probabilities(uncalibrated(task, remedy, logits_NK)))
        tables["unmoved"].append(predicted.with_probabilities(here))
    order = dataset.cases.select("case").with_row_index("_row")
    whole = dict[str, Predictions]()
    for name, found in tables.items():
        by = ["repeat", "fold", "_row"] if name == "folds" else ["repeat", "_row"]
        table = pl.concat([each.table for each in found]).join(order, on="case").sort(by).drop("_row")
        whole[name] = replace(found[0], table=table)
    return whole


def _divided(dataset: Dataset, part: pl.DataFrame) -> tuple[Dataset, pl.DataFrame]:
    """The data set divided as an outer fold was, and its rows with what the fold says of them."""
    rows = dataset.cases.drop("part").join(part, on="case", how="inner", maintain_order="left")
    return replace(dataset, cases=rows.select(dataset.cases.columns)), rows


def simple_models(
    outer: pl.DataFrame | None,
    dataset: Dataset,
    test: Predictions,
    target: Target,
    seed: int,
    trunk: TrunkFeatures | None = None,
) -> dict[str, list[Predictions]]:
    """The simple models for the cases of `test`, one set of predictions a repeat: of outer folds learnt in each anew. `trunk` has the
    features of a frozen trunk, which are the same in every fold."""
    if outer is None:
        return {name: [told] for name, told in baselines(dataset, test, target, seed=seed, trunk=trunk).items()}
    found = list[dict[str, Predictions]]()
    for repeat, held in zip(outer.partition_by("repeat", maintain_order=True), each_repeat(test), strict=True):
        each = []
        for part in repeat.partition_by("fold", maintain_order=True):
            like = replace(held, table=held.table.filter(pl.col("fold") == part["fold"][0]))
            each.append(baselines(_divided(dataset, part)[0], like, target, seed=seed, trunk=trunk))
        order, names = held.table.select("case"), [name for name in each[0] if all(name in one for one in each)]
        tables = {name: pl.concat([one[name].table for one in each]) for name in names}
        found.append({
            name: replace(held, table=order.join(table, on="case", maintain_order="left").select(held.table.columns))
            for name, table in tables.items()
        })  # fmt: skip
    return {name: [each[name] for each in found] for name in found[0] if all(name in each for each in found)}


def averaged_over_repeats(test: Predictions) -> Predictions:
    """Each held-out case once, with the mean of what the repeats say of it."""
    told = [name for name in test.table.columns if name.startswith(("p_", "logit_"))]
    means = test.table.group_by("case").agg(pl.col(told).mean())
    first = each_repeat(test)[0].table
    return replace(test, table=first.drop(told).join(means, on="case", maintain_order="left").select(first.columns))
