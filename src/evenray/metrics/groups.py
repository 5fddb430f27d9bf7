"""Scores of patients in place of images, and of groups: sites, sexes, age bands."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError, unknown_name
from evenray.core.types import Predictions, Scores

from ._curves import require_classes
from .scoring import score

__all__ = ["UNKNOWN_GROUP", "bands", "by_group", "members", "per_patient"]

NUMBER = r"-?[\d.]+(e[+-]?\d+)?"  # as bands write it
UNKNOWN_GROUP = "unknown"
BAND = re.compile(rf"<{NUMBER}|{NUMBER}–{NUMBER}|≥{NUMBER}")


def per_patient(predictions: Predictions, how: Literal["mean", "max"] = "mean") -> Predictions:
    """One row a patient: the mean of the probabilities of the patient's images, or the largest of the positive class.

    A patient with any image of the positive class is positive (two classes); with more classes all images of a patient
    must agree, else DataError. Cases of unknown patient stand alone. The columns case, patient, part, label and target
    stay, and any group column, null where the patient's images differ in it; logits become log probabilities.
    """
    if how not in ("mean", "max"):
        raise unknown_name("way to combine images", how, ("mean", "max"))
    require_classes(predictions)
    K = len(predictions.classes)
    if K > 2 and how == "max":
        raise UsageError("The largest probability is for two classes; combine the images of more by how='mean'.")
    P = predictions.patients  # numbered as they first appear, and group_by keeps that order
    probabilities, target = _combined(predictions, P, how), _targets(predictions, P)
    replaced = {"case", "label", "target", *(f"{kind}_{k}" for kind in ("p", "logit") for k in range(K))}
    kept = [name for name in predictions.table.columns if name not in replaced]
    agreed = [pl.when(pl.col(c).n_unique() == 1).then(pl.col(c).first()).alias(c) for c in kept]
    by_patient = predictions.table.group_by(pl.Series("_patient", P), maintain_order=True)
    rows = by_patient.agg(pl.col("case").first(), *agreed).drop("_patient")
    with np.errstate(divide="ignore"):
        logits = np.log(probabilities)
    made = [pl.Series("label", [predictions.classes[t] for t in target]), pl.Series("target", target)]
    made += [pl.Series(f"logit_{k}", logits[:, k]) for k in range(K)]
    made += [pl.Series(f"p_{k}", probabilities[:, k]) for k in range(K)]
    return replace(predictions, table=rows.with_columns(made))


def _combined(predictions: Predictions, P: NDArray[np.int64], how: str) -> NDArray[np.float64]:
    probabilities, positive = predictions.probabilities, predictions.positive_index
    if how == "max":
        largest = np.zeros(int(P.max()) + 1)
        np.maximum.at(largest, P, probabilities[:, positive])
        both = np.stack([1 - largest, largest], axis=1)
        return both if positive == 1 else both[:, ::-1]
    total = np.stack([np.bincount(P, column) for column in probabilities.T], axis=1)
    return np.asarray(total / total.sum(axis=1, keepdims=True))


def _targets(predictions: Predictions, P: NDArray[np.int64]) -> NDArray[np.int64]:
    K, positive = len(predictions.classes), predictions.positive_index
    has = np.zeros((int(P.max()) + 1, K), dtype=bool)
    has[P, predictions.targets] = True
    if K == 2:
        return np.where(has[:, positive], positive, 1 - positive).astype(np.int64)
    several = int((has.sum(axis=1) > 1).sum())
    if several:
        raise DataError(
            f"{several} patients have images of several classes, so they have no one label; score the images instead."
        )
    return np.asarray(has.argmax(axis=1), dtype=np.int64)


def by_group(
    predictions: Predictions,
    column: str,
    threshold: float | None = None,
    *,
    edges: Sequence[float] = (18, 40, 65),
    **options: Any,
) -> dict[str, Scores]:
    """The scores of each group in `column` (site, sex, ...), a column of numbers cut into `bands` at `edges`.

    Bands come in the order of their numbers, and last, as the group 'unknown', cases without a value. `options` go to
    `score`. UsageError names the columns that there are.
    """
    groups = {
        name: replace(predictions, table=predictions.table.filter(rows))
        for name, rows in members(predictions, column, edges).items()
    }
    return {name: score(group, threshold, **options) for name, group in groups.items()}


def members(
    predictions: Predictions, column: str, edges: Sequence[float] = (18, 40, 65)
) -> dict[str, NDArray[np.bool_]]:
    """Which cases are in each group in `column`, bool (N,), in the order of `by_group`."""
    if column not in predictions.table.columns:
        own = ("case", "patient", "part", "label", "target")
        there = [c for c in predictions.table.columns if c not in own and not c.startswith(("p_", "logit_"))]
        raise UsageError(f"There is no column '{column}' to group by; there are: {', '.join(there) or 'none'}.")
    values = predictions.table[column]
    numbers = values.dtype.is_numeric()
    names = pl.Series(bands(values.to_list(), edges) if numbers else values.cast(pl.String).fill_null("unknown"))
    sorted_names = names.gather((values if numbers else names).arg_sort())
    order = [name for name in sorted_names.unique(maintain_order=True) if name != "unknown"]
    if all(map(BAND.fullmatch, order)):  # a column of bands, which are not in the order of their letters
        order.sort(key=_opens)
    order += ["unknown"] if "unknown" in names else []
    return {name: (names == name).to_numpy() for name in order}


def _opens(band: str) -> float:
    """Where a band opens.

    >>> sorted(["18–40", "9.5–18", "≥65", "<9.5"], key=_opens)
    ['<9.5', '9.5–18', '18–40', '≥65']
    """
    return -math.inf if band.startswith("<") else float(band.lstrip("≥").partition("–")[0])


def bands(values: Sequence[float | None], edges: Sequence[float] = (18, 40, 65)) -> list[str]:
    """The band of each number; a value at an edge opens the upper band.

    >>> bands([3, 18, 64.5, 80, None])
    ['<18', '18–40', '40–65', '≥65', 'unknown']
    """
    cut = sorted(edges)
    names = [f"<{cut[0]:g}", *(f"{a:g}–{b:g}" for a, b in pairwise(cut)), f"≥{cut[-1]:g}"]
    return ["unknown" if v is None or v != v else names[bisect_right(cut, v)] for v in values]
