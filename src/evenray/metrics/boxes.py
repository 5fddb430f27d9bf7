"""Figures of predictions of boxes: matched once, resampled over patients, beside those of finding nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Estimate, Predictions, Scores

from .detection import baseline_of, detected
from .matching import COCO_OVERLAPS, Matches, matches
from .scoring import Measure

__all__ = ["box_matches", "flat_column", "found_boxes", "measured_boxes", "objects_of", "score_boxes", "true_boxes"]

Floats = NDArray[np.float64]


def true_boxes(predictions: Predictions) -> list[Floats]:
    """The objects of every case, (n, 5): class (-1 - class where it is not to be counted), left, top, right, bottom, in pixels of
    the file."""
    return [_rows(one, 5) for one in predictions.table["objects"].to_list()]


def found_boxes(predictions: Predictions) -> list[Floats]:
    """The boxes found in every case, (m, 6): class, left, top, right, bottom, and the calibrated score."""
    return [_rows(one, 6) for one in predictions.table["found"].to_list()]


def _rows(flat: Sequence[float] | None, width: int) -> Floats:
    return np.array(flat or (), np.float64).reshape(-1, width)


def box_matches(predictions: Predictions, overlaps: Sequence[float] = COCO_OVERLAPS) -> list[Matches]:
    """The matches of each class."""
    return matches(true_boxes(predictions), found_boxes(predictions), len(predictions.classes), overlaps)


def measured_boxes(
    predictions: Predictions, threshold: Any = None, *, prevalence: object = None, seed: int = 0, resamples: int = 1000
) -> dict[str, Measure]:
    """Means over the classes that have objects, with intervals and replicates; `threshold` has one a class, or is None.

    Prevalences move nothing here.
    """
    found = detected(
        box_matches(predictions),
        predictions.classes,
        predictions.patients,
        cuts=threshold,
        resamples=resamples,
        seed=seed,
    )
    return {name: one for name, one in found.items() if "|" not in name}


def score_boxes(
    predictions: Predictions, cuts: Sequence[float], *, seed: int = 0, resamples: int = 1000
) -> tuple[Scores, dict[str, Scores]]:
    """The scores of all classes together, means over those that have objects, and of each by itself."""
    found = detected(
        box_matches(predictions), predictions.classes, predictions.patients, cuts=cuts, resamples=resamples, seed=seed
    )
    estimates = {
        name: Estimate(one.value, one.low, one.high, baseline_of(name, one.value)) for name, one in found.items()
    }
    N, P = predictions.table.height, int(predictions.patients.max()) + 1
    empty: NDArray[np.int64] = np.zeros((0, 0), np.int64)
    whole = {name: one for name, one in estimates.items() if "|" not in name}
    each = {
        name: Scores(
            {figure: estimates[f"{figure}|{name}"] for figure in whole}, cut, empty, (name,), "", N, P,
        )
        for name, cut in zip(predictions.classes, cuts, strict=True)
    }  # fmt: skip
    return Scores(whole, None, empty, predictions.classes, "", N, P), each


def objects_of(predictions: Predictions) -> dict[str, int]:
    """How many objects of each class count."""
    every = np.concatenate([np.zeros((0, 5)), *true_boxes(predictions)])
    return {name: int((every[:, 0] == k).sum()) for k, name in enumerate(predictions.classes)}


def flat_column(name: str, rows: Sequence[Floats]) -> pl.Series:
    """Boxes of cases as a column of lists of numbers, row after row, as `true_boxes` and `found_boxes` read it."""
    return pl.Series(name, [one.ravel().tolist() for one in rows], pl.List(pl.Float64))
