"""Figures of boxes with their intervals over patients: average precision, FROC, and what an operating point finds.

The "majority-class baseline" beside them is the detector that finds nothing: it has no false alarm, is right about nearly every
place of every image, and all its figures here are 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from .intervals import percentile_interval, replicates
from .matching import COCO_OVERLAPS, Matches
from .scoring import Measure

__all__ = ["RATES", "average_precision", "baseline_of", "detected", "froc", "precision_recall_of", "sensitivity_at"]

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # false positives an image
RECALLS = np.linspace(0, 1, 101)  # COCO's
Floats = NDArray[np.float64]


def average_precision(one: Matches, W: NDArray[Any], overlap: int) -> Floats:
    """Average precision (R,) of a class for weights (R, N) of the images, at the threshold number `overlap`: COCO's mean over 101
    recalls of the best precision there or beyond. NaN where there is no object.

    >>> one = Matches.of_scores([0.7, 0.5], hits=[False, True], objects=[1])
    >>> average_precision(one, np.ones((1, 1)), 0)
    array([0.5])
    """
    hit, positives = one.hit[overlap], W @ one.objects.astype(np.float64)
    if not hit.any():
        return np.where(positives > 0, 0.0, np.nan)
    true = np.cumsum(W[:, one.image[hit]], axis=1, dtype=np.float64)
    said = _until(np.flatnonzero(hit), one.image, ~one.ignored[overlap], W)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(said > 0, true / said, 0.0)
        recall = true / positives[:, None]
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.searchsorted(RECALLS, np.nan_to_num(recall), side="right")
    steps = np.diff(reached, axis=1, prepend=0)
    return np.where(positives > 0, (steps * best).sum(axis=1) / len(RECALLS), np.nan)


def _until(
    places_H: NDArray[np.int64], image_D: NDArray[np.int64], counted_D: NDArray[np.bool_], W: NDArray[Any]
) -> Floats:
    """What the counted detections up to each of some places weigh, (R, H); between two of them no sum is needed, so that the work
    is that of the hits, not of the many other detections."""
    H = len(places_H)
    segment = np.searchsorted(places_H, np.arange(len(image_D)))
    kept = counted_D & (segment < H)
    ones = np.ones(int(kept.sum()))
    counts = scipy.sparse.csr_matrix((ones, (segment[kept], image_D[kept])), shape=(H, W.shape[1]))
    return np.asarray(np.cumsum(counts @ W.T.astype(np.float64), axis=0).T)


def froc(one: Matches, overlap: int = 0) -> tuple[Floats, Floats, Floats]:
    """The FROC curve of a class: false positives an image, sensitivity and threshold, from the highest score downwards."""
    ends, hit, ignored = one.ends, one.hit[overlap], one.ignored[overlap]
    true, false = np.cumsum(hit)[ends], np.cumsum(~hit & ~ignored)[ends]
    objects = one.objects.sum()
    return false / len(one.objects), true / objects if objects else true * np.nan, one.score[ends]


def precision_recall_of(one: Matches, overlap: int = 0) -> tuple[Floats, Floats]:
    """Recall and precision of a class, from the highest score downwards."""
    ends, hit, ignored = one.ends, one.hit[overlap], one.ignored[overlap]
    true, said = np.cumsum(hit)[ends], np.cumsum(~ignored)[ends]
    return true / max(1, one.objects.sum()), true / np.maximum(said, 1)


def sensitivity_at(one: Matches, W: NDArray[Any], rates: Sequence[float] = RATES, overlap: int = 0) -> Floats:
    """Sensitivity (rates, R) of a class at the lowest threshold with at most so many false positives an image."""
    hit, ignored = one.hit[overlap], one.ignored[overlap]
    positives, images = W @ one.objects.astype(np.float64), W.sum(axis=1, dtype=np.float64)
    if not hit.any():
        return np.tile(np.where(positives > 0, 0.0, np.nan), (len(rates), 1))
    # A hit is found by thresholds up to its score, which let every detection of that score in.
    last = np.flatnonzero(one.ends)[np.searchsorted(np.flatnonzero(one.ends), np.flatnonzero(hit))]
    false = _until(last, one.image, ~hit & ~ignored, W)
    true = np.cumsum(W[:, one.image[hit]], axis=1, dtype=np.float64)
    true = np.column_stack([np.zeros(len(W)), true])
    with np.errstate(invalid="ignore", divide="ignore"):
        reached = [(false <= rate * images[:, None]).sum(axis=1) for rate in rates]
        return np.array([true[np.arange(len(W)), place] / positives for place in reached])


@dataclass(frozen=True)
class _Meter:
    """Every figure of every class for weights (R, N) of the images."""

    matched: Sequence[Matches]
    names: Sequence[str]
    cuts: Sequence[float] | None

    def __call__(self, W: NDArray[Any]) -> dict[str, Floats]:
        each = {name: self._one(one, W, None if self.cuts is None else self.cuts[k])
                for k, (name, one) in enumerate(zip(self.names, self.matched, strict=True))}  # fmt: skip
        found = {f"{figure}|{name}": values for name, figures in each.items() for figure, values in figures.items()}
        has = np.array([W @ one.objects > 0 for one in self.matched])
        for figure in next(iter(each.values())):
            stacked = np.array([figures[figure] for figures in each.values()])
            known = ~np.isnan(stacked) & has
            with np.errstate(invalid="ignore"):
                found[figure] = np.where(known, stacked, 0).sum(axis=0) / known.sum(axis=0)
        return found

    def _one(self, one: Matches, W: NDArray[Any], cut: float | None) -> dict[str, Floats]:
        precisions = [average_precision(one, W, t) for t in range(len(one.hit))]
        sensitivities = sensitivity_at(one, W)
        found = {"map50": precisions[0]}
        if len(precisions) == len(COCO_OVERLAPS):
            found["map"] = np.mean(precisions, axis=0)
        found |= {f"sensitivity_at_{rate:g}": values for rate, values in zip(RATES, sensitivities, strict=True)}
        found["froc"] = sensitivities.mean(axis=0)
        return found if cut is None else found | _at(one, W, cut)


def _at(one: Matches, W: NDArray[Any], cut: float) -> dict[str, Floats]:
    """What the detections of at least this score find; a ppv of none is undefined, their F1 is 0."""
    said = one.score >= cut
    hit, false = one.hit[0] & said, said & ~one.hit[0] & ~one.ignored[0]
    N = len(one.objects)
    true, wrong, positives = (
        W @ each.astype(np.float64)
        for each in (np.bincount(one.image[hit], minlength=N), np.bincount(one.image[false], minlength=N), one.objects)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "sensitivity": true / positives, "ppv": true / (true + wrong),
            "f1": np.where(positives > 0, 2 * true / (true + wrong + positives), np.nan),
            "false_positives": wrong / W.sum(axis=1, dtype=np.float64),
        }  # fmt: skip


def detected(
    matched: Sequence[Matches], names: Sequence[str], patients_N: NDArray[np.int64], *, cuts: Sequence[float] | None = None,
    resamples: int = 1000, seed: int = 0,
) -> dict[str, Measure]:  # fmt: skip
    """Figures by name, and of each class by `figure|class`: map50 and map (with COCO's ten overlaps; of one class they are its
    average precisions), sensitivity_at_RATE for false positives an image, froc (the mean of these), and with thresholds `cuts`
    sensitivity, ppv, f1 and false_positives an image. Means are over the classes that have objects.

    Intervals are percentiles over resamples of the patients. But chance alone raises an average precision, whose best precision
    "there or beyond" is a maximum, and resampling raises it again by about as much: its interval is reflected about the value
    (the basic bootstrap), which takes that off.
    """
    meter = _Meter(matched, names, cuts)
    values = meter(np.ones((1, len(patients_N))))
    spread: Mapping[str, Floats] = replicates(meter, patients_N, resamples, seed)
    found = {}
    for name, value in values.items():
        drawn = spread.get(name, np.empty(0))
        found[name] = Measure(float(value[0]), *_interval(name, float(value[0]), drawn), drawn)
    return found


def _interval(name: str, value: float, spread: Floats) -> tuple[float, float]:
    low, high = percentile_interval(spread)
    if name.split("|")[0] not in ("map", "map50"):
        return low, high
    return min(value, max(0.0, 2 * value - high)), max(value, min(1.0, 2 * value - low))


def baseline_of(name: str, value: float) -> float:
    """The figure of a detector that finds nothing."""
    return float("nan") if np.isnan(value) or name.split("|")[0] == "ppv" else 0.0
