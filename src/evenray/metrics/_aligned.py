"""Predictions of several models brought to the same cases, in the same order, of the same patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from evenray.core.components import components
from evenray.core.errors import UsageError
from evenray.core.types import Predictions

__all__ = ["aligned"]


def aligned(runs: Sequence[Predictions]) -> list[Predictions]:
    """The runs with their cases in the order of the first's, and with the patients of all of them.

    UsageError unless they are of the same cases, and these of the same classes. Cases of one patient in any of the runs
    belong together in all.
    """
    first, *others = runs
    ordered = [first, *(_ordered(run, first) for run in others)]
    if all((run.patients == first.patients).all() for run in ordered):
        return ordered
    N = first.table.height
    leaders = [np.unique(run.patients, return_index=True)[1][run.patients] for run in ordered]
    together = components(N, np.concatenate([np.column_stack([np.arange(N), leader]) for leader in leaders]))
    patient = pl.Series("patient", [str(number) for number in together])
    return [replace(run, table=run.table.with_columns(patient)) for run in ordered]


def _ordered(predictions: Predictions, like: Predictions) -> Predictions:
    cases, wanted = predictions.table["case"], like.table["case"]
    if not cases.equals(wanted):
        if not cases.sort().equals(wanted.sort()):
            raise UsageError(
                f"The two sets of predictions are of different cases ({len(cases)} and {len(wanted)}); only models tested"
                " on the same cases can be compared in pairs."
            )
        place = np.argsort(wanted.arg_sort().to_numpy())
        predictions = replace(predictions, table=predictions.table[cases.arg_sort().to_numpy()[place]])
    if predictions.classes != like.classes:
        raise UsageError(
            f"The two sets of predictions are of different classes ({', '.join(predictions.classes)}; and"
            f" {', '.join(like.classes)}); only models of the same classes can be compared in pairs."
        )
    other = np.flatnonzero((predictions.targets != like.targets).reshape(len(wanted), -1).any(axis=1))
    if len(other):
        k = int(other[0])
        names = (_told(each, k) for each in (predictions, like))
        raise UsageError(
            f"{len(other)} of {len(wanted)} cases have other labels in the second set of predictions ('{wanted[k]}' is"
            f" {' and '.join(names)}); only models tested on the same labels can be compared in pairs."
        )
    return predictions


def _told(predictions: Predictions, row: int) -> str:
    """The label of a case in words."""
    target = predictions.targets[row]
    if predictions.task == "classify":
        return predictions.classes[int(target)]
    words = {1: "with", 0: "without", -1: "unknown as to"}
    return ", ".join(f"{words[said]} {name}" for name, said in zip(predictions.classes, target.tolist(), strict=True))
