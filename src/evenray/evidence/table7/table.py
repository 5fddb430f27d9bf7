"""From nets to the table: rows of errors with their intervals and baselines, what each cost, and the table as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from evenray.core.numbers import decimals
from evenray.core.types import Dataset, Estimate, Predictions
from evenray.learning.tasks.classify import Classify
from evenray.learning.tasks.question import Question
from evenray.learning.train import Part
from evenray.learning.tta import fuse
from evenray.metrics import score, top_error

from .nets import Bench, Trained
from .systems import Net, System

__all__ = ["PARTS", "all_logits", "cells", "columns", "heads", "markdown", "predicted", "rows"]

PARTS = ("validation", "test")
MANY = 5  # with more classes than these the five most probable ones are worth counting
Logits = Mapping[tuple[Net, str], tuple[NDArray[np.float64], float]]


def all_logits(
    bench: Bench, nets: Mapping[Net, Trained], systems: Sequence[System], part: Part, tick: Callable[[], None]
) -> Logits:
    """What every net says of a part under every test-time augmentation that a row needs: (logits, seconds)."""
    wanted = dict.fromkeys((net, bench.tta(system)) for system in systems for net in system.nets)
    found = {}
    for net, tta in wanted:
        found[net, tta] = bench.logits(nets[net], part, tta)
        tick()
    return found


def predicted(
    system: System, logits: Logits, bench: Bench, dataset: Dataset, prior: NDArray[np.float64]
) -> Predictions:
    """A row's predictions of a part: the mean of its nets' soft-maxes, at the true prevalence."""
    tta = bench.tta(system)
    fused_NK = fuse(torch.from_numpy(logits[net, tta][0]) for net in system.nets).numpy()
    task, question = Classify(), Question("", dataset.classes, dataset.positive, bench.balance, prior)
    return task.predictions(dataset, fused_NK, question.probabilities(fused_NK))


def rows(
    systems: Sequence[System], nets: Mapping[Net, Trained], logits: Mapping[str, Logits],
    said: Mapping[tuple[str, str], Predictions], bench: Bench, prior: NDArray[np.float64], *, seed: int, resamples: int = 2000,
) -> pl.DataFrame:  # fmt: skip
    """One row a system, in the order of the paper's table. `logits` are by part, `said` by (system, part)."""
    found = []
    for system in systems:
        tta = bench.tta(system)
        row: dict[str, Any] = {
            "system": system.name, "method": system.method, "nets": len(system.nets),
            "evaluation": system.evaluation_at(bench.flips, bench.budget.size), "view": tta,
        }  # fmt: skip
        for part in PARTS:
            for name, estimate in _figures(said[system.name, part], prior, seed, resamples).items():
                row |= {f"{part}_{name}": estimate.value, f"{part}_{name}_low": estimate.low}
                row |= {f"{part}_{name}_high": estimate.high, f"{part}_{name}_baseline": estimate.baseline}
        published = zip(("validation_top1", "validation_top5", "test_top5"), system.published, strict=True)
        row |= {f"published_{name}": value for name, value in published}
        members = [nets[net] for net in system.nets]
        row["parameters"] = sum(member.parameters for member in members)
        row["training_seconds"] = sum(member.seconds for member in members)
        row["evaluation_seconds"] = sum(logits[part][net, tta][1] for part in PARTS for net in system.nets)
        row["notes"] = " ".join(system.notes)
        found.append(row)
    return pl.DataFrame(found, schema_overrides=dict.fromkeys(PUBLISHED, pl.Float64), infer_schema_length=None)


PUBLISHED = ("published_validation_top1", "published_validation_top5", "published_test_top5")


def _figures(said: Predictions, prior: NDArray[np.float64], seed: int, resamples: int) -> dict[str, Estimate]:
    """Top-1 error always; top-5 error with more than five classes, else AUROC and balanced accuracy."""
    found = {"top1": top_error(said, 1, seed=seed, resamples=resamples, prior=prior)}
    if len(said.classes) > MANY:
        return found | {"top5": top_error(said, MANY, seed=seed, resamples=resamples, prior=prior)}
    scores = score(said, seed=seed, resamples=resamples, prior=prior).estimates
    return found | {name: scores[name] for name in ("auroc", "balanced_accuracy")}


def columns(table: pl.DataFrame) -> list[tuple[str, str]]:
    """(part, figure) of the columns of errors and areas that the table holds, validation first.

    >>> columns(pl.DataFrame({"test_top1": [0.1], "validation_top1": [0.2], "validation_auroc": [0.9]}))
    [('validation', 'top1'), ('validation', 'auroc'), ('test', 'top1')]
    """
    names = ("top1", "top5", "auroc", "balanced_accuracy")
    return [(part, name) for part in PARTS for name in names if f"{part}_{name}" in table.columns]


HEADS = {"top1": "top-1 error, %", "top5": "top-5 error, %", "auroc": "AUROC", "balanced_accuracy": "balanced accuracy"}
PARTS_SHORT = {"validation": "val.", "test": "test"}


def heads(table: pl.DataFrame) -> list[str]:
    """The titles of the printed columns."""
    figures = [f"{PARTS_SHORT[part]} {HEADS[name]}" for part, name in columns(table)]
    return ["Method", *figures, "ImageNet: val. top-1, top-5, test top-5", "Parameters", "Training", "Evaluation"]


def cells(table: pl.DataFrame) -> list[list[str]]:
    """The printed cells: every row of the table, then the majority-class baseline."""
    found = []
    for row in table.iter_rows(named=True):
        nets = f"{row['nets']} net{'s' if row['nets'] > 1 else ''}"
        figures = [_interval(row, part, name) for part, name in columns(table)]
        published = " / ".join("-" if row[name] is None else f"{row[name]:.1f}" for name in PUBLISHED)
        costs = [f"{row['parameters'] / 1e6:.2f} M", _time(row["training_seconds"]), _time(row["evaluation_seconds"])]
        found.append([f"{row['method']} ({nets}, {row['evaluation']})", *figures, published, *costs])
    first = table.row(0, named=True)
    baseline = [_value(first[f"{part}_{name}_baseline"], name) for part, name in columns(table)]
    return [*found, ["Majority-class baseline", *baseline, "", "", "", ""]]


def _interval(row: Mapping[str, Any], part: str, name: str) -> str:
    value, low, high = (_value(row[f"{part}_{name}{end}"], name) for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high})"


def _value(value: float, name: str) -> str:
    return decimals(100 * value, 1, top=100) if name.startswith("top") else decimals(value)


def _time(seconds: float) -> str:
    """
    >>> _time(12.34), _time(754)
    ('12.3 s', '12.6 min')
    """
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A table in Markdown, with notes as a list below it.

    >>> print(markdown(["Method"], [["VGG"]]))
    | Method |
    |---|
    | VGG |
    <BLANKLINE>
    """
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, *([""] if notes else []), *(f"- {note}" for note in notes), ""])
