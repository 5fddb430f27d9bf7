"""One transfer curve that brings the grey levels of another set to those of the training images."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset

__all__ = ["light_put_back"]

Floats = NDArray[np.float64]
KNOTS = 33
TURNED = -0.3  # a likeness of the mean pictures below which the images are negatives of the training images


def light_put_back(training: Dataset, other: Dataset) -> str | None:
    """The contrast that does it, a spec: the same piecewise curve for every image of the set; None where a scan kept no histograms.

    It maps the quantiles of the set's mean histogram to those of the training images, each the mean over the classes that both
    have, so that neither the class shares nor an image's own light moves it. Where the mean picture of the set is the
    negative of that of the training images, the levels are inverted before.
    """
    if not (training.has_sketch("histogram") and other.has_sketch("histogram")):
        return None
    strata = [_strata(each) for each in (training, other)]
    common = sorted(set(strata[0].unique()) & set(strata[1].unique()))
    aim, now = (_cumulative(each, own, common) for each, own in zip((training, other), strata, strict=True))
    turned = _likeness(training, other, strata, common) < TURNED
    if turned:
        now = 1 - np.append(now[::-1][1:], 0.0)
    levels = np.linspace(0, 1, len(now) + 1)
    whole = np.append(0.0, now)
    knots = np.linspace(0, 1, KNOTS)
    reached = np.interp(knots, levels, whole)
    rising, first = np.unique(np.append(0.0, aim), return_index=True)
    values = np.maximum.accumulate(np.interp(reached, rising, levels[first])).clip(0, 1)
    points = ", ".join(f"({knot:.4g}, {value:.4g})" for knot, value in zip(knots, values, strict=True))
    return f"{'invert | ' if turned else ''}piecewise([{points}])"


def _strata(dataset: Dataset) -> pl.Series:
    if dataset.facts.task == "classify":
        return dataset.cases["label"].fill_null("").cast(pl.String)
    return pl.Series([str(int((row == 1).any())) for row in dataset.targets])


def _cumulative(dataset: Dataset, strata: pl.Series, common: list[str]) -> Floats:
    """The mean cumulative histogram, float64 (256,), every class alike and in it every image alike."""
    found = []
    for name in common:
        counts = dataset.sketch("histogram", np.flatnonzero((strata == name).to_numpy())).astype(np.float64)
        found.append((counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).mean(axis=0))
    return np.asarray(np.cumsum(np.mean(found, axis=0)).clip(0, 1))


def _likeness(training: Dataset, other: Dataset, strata: list[pl.Series], common: list[str]) -> float:
    """The correlation of the mean pictures without their mean grey, -1 to 1; 0 where a scan kept none."""
    if not (training.has_sketch("fingerprint") and other.has_sketch("fingerprint")):
        return 0.0
    means = []
    for each, own in zip((training, other), strata, strict=True):
        by_class = [
            each.sketch("fingerprint", np.flatnonzero((own == name).to_numpy())).astype(np.float64).mean(axis=0)
            for name in common
        ]
        means.append(np.mean(by_class, axis=0).reshape(-1)[1:])
    length = np.linalg.norm(means[0]) * np.linalg.norm(means[1])
    return float(means[0] @ means[1] / length) if length > 0 else 0.0
