"""Which classes or findings the figures of a set are of, and the predictions of some of them alone.

Figures that are means over the classes can be set beside those of another set where both are over the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from evenray.core.types import Predictions

from .boxes import flat_column, found_boxes, objects_of, true_boxes
from .findings import averaged

__all__ = ["among", "measurable"]


def measurable(predictions: Predictions) -> tuple[str, ...]:
    """The classes that figures are of: those that some case has, of findings those that means are over (`averaged`)."""
    if predictions.task == "tag":
        return averaged(predictions)
    if predictions.task == "classify":
        met = np.bincount(predictions.targets, minlength=len(predictions.classes)) > 0
    elif predictions.task == "detect":
        met = np.array(list(objects_of(predictions).values())) > 0
    else:
        met = (predictions.targets == 1).any(axis=0)
    return tuple(name for name, there in zip(predictions.classes, met, strict=True) if there)


def among(predictions: Predictions, names: Sequence[str]) -> Predictions:
    """Those of some classes alone, which stand in the order of the others.

    Of one class a case the cases that have them, with what was said of all classes, so that a case that is called something else
    stays a mistake; of findings, masks and boxes all cases, with what is marked and said of them, but not which pixels of masks are
    `right`: that is of all classes together.

    >>> table = pl.DataFrame({"case": ["x"], "target_0": [True], "target_1": [False], "p_0": [0.8], "p_1": [0.3]})
    >>> among(Predictions(table, ("a", "b"), "", "tag"), ["b"]).table.to_dicts()
    [{'case': 'x', 'target_0': False, 'p_0': 0.3}]
    """
    kept = [predictions.classes.index(name) for name in names]
    if len(kept) == len(predictions.classes):
        return predictions
    if predictions.task == "classify":
        return replace(predictions, table=predictions.table.filter(pl.col("target").is_in(kept)))
    columns = []
    for column in predictions.table.columns:
        name, _, k = column.rpartition("_")
        if predictions.task == "segment" and column == "right":
            continue
        if not k.isdecimal():
            columns.append(pl.col(column))
        elif int(k) in kept:
            columns.append(pl.col(column).alias(f"{name}_{kept.index(int(k))}"))
    table = predictions.table.select(columns)
    if predictions.task == "detect":
        each = {"objects": true_boxes(predictions), "found": found_boxes(predictions)}
        table = table.with_columns(
            flat_column(name, [_of(rows, kept) for rows in boxes]) for name, boxes in each.items()
        )
    return replace(predictions, table=table, classes=tuple(names))


def _of(boxes: np.ndarray, kept: Sequence[int]) -> np.ndarray:
    """The boxes of some classes by their new numbers; -1 - class is one that is not to be counted."""
    counted = boxes[:, 0] >= 0
    classes = np.where(counted, boxes[:, 0], -1 - boxes[:, 0])
    own = np.isin(classes, kept)
    numbers = np.searchsorted(kept, classes[own])
    return np.column_stack([np.where(counted[own], numbers, -1 - numbers), boxes[own, 1:]])
