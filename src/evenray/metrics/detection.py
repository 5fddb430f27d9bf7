"""Figures of boxes with their intervals over patients: average precision, FROC, and what an operating point finds.

The "majority-class baseline" beside them is the detector that finds nothing: it has no false alarm, is right about nearly every
place of every image, and all its figures here are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from .class_means import mean_measure
from .clustered import clusters_of, ratio_mean, ratio_share, widened
from .intervals import replicates
from .matching import COCO_OVERLAPS, Matches
from .scoring import Measure

__all__ = ["RATES", "average_precision", "baseline_of", "detected", "froc", "precision_recall_of", "sensitivity_at"]

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # false positives an image
RECALLS = np.linspace(0, 1, 101)  # COCO's
Floats = NDArray[np.float64]
Ratios = dict[str, tuple[Floats, Floats]]  # figures that are a sum over images by another


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


def _figures(one: Matches, W: NDArray[Any], cut: float | None) -> dict[str, Floats]:
    """Every figure of a class for weights (R, N) of the images."""
    precisions = [average_precision(one, W, t) for t in range(len(one.hit))]
    sensitivities = sensitivity_at(one, W)
    found = {"map50": precisions[0]}
    if len(precisions) == len(COCO_OVERLAPS):
        found["map"] = np.mean(precisions, axis=0)
    found |= {f"sensitivity_at_{rate:g}": values for rate, values in zip(RATES, sensitivities, strict=True)}
    found["froc"] = sensitivities.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        called = {name: (W @ top) / (W @ below) for name, (top, below) in _at(one, cut).items()}
    if called:
        called["f1"] = np.where(W @ one.objects > 0, called["f1"], np.nan)
    return found | called


def _at(one: Matches, cut: float | None) -> Ratios:
    """What the detections of at least this score find, a sum over the images by another; a ppv of none is undefined, their F1 is 0."""
    if cut is None:
        return {}
    said = one.score >= cut
    hit, false = one.hit[0] & said, said & ~one.hit[0] & ~one.ignored[0]
    N, objects = len(one.objects), one.objects.astype(np.float64)
    true, wrong = (np.bincount(one.image[kind], minlength=N).astype(np.float64) for kind in (hit, false))
    return {
        "sensitivity": (true, objects), "ppv": (true, true + wrong), "f1": (2 * true, true + wrong + objects),
        "false_positives": (wrong, np.ones(N)),
    }  # fmt: skip


def detected(
    matched: Sequence[Matches], names: Sequence[str], patients_N: NDArray[np.int64], *, cuts: Sequence[float] | None = None,
    resamples: int = 1000, seed: int = 0,
) -> dict[str, Measure]:  # fmt: skip
    """Figures by name, and of each class by `figure|class`: map50 and map (with COCO's ten overlaps; of one class they are its
    average precisions), sensitivity_at_RATE for false positives an image, froc (the mean of these), and with thresholds `cuts`
    sensitivity, ppv, f1 and false_positives an image. Means are over the classes that have objects.

    Of what is found at the threshold intervals are by formulas (`clustered`). The others are percentiles over resamples of the
    patients, widened as Student's t is wider. But chance alone raises an average precision, whose best precision
    "there or beyond" is a maximum, and resampling raises it again by about as much: its interval is reflected about the value
    (the basic bootstrap), which takes that off.
    """
    limits = [None] * len(names) if cuts is None else list(cuts)
    pairs = list(zip(matched, limits, strict=True))

    def named(W: NDArray[Any]) -> dict[str, Floats]:
        each = (_figures(one, W, cut).items() for one, cut in pairs)
        return {f"{figure}|{name}": values for name, own in zip(names, each, strict=True) for figure, values in own}

    values, spread = named(np.ones((1, len(patients_N)))), replicates(named, patients_N, resamples, seed)
    found, of = dict[str, Measure](), dict[str, list[Measure]]()
    for name, (one, cut) in zip(names, pairs, strict=True):
        for figure in (key.split("|")[0] for key in values if key.endswith(f"|{name}")):
            key = f"{figure}|{name}"
            measure = _measure(
                figure, float(values[key][0]), one, _at(one, cut), spread.get(key, np.empty(0)), patients_N
            )
            found[key] = measure
            of.setdefault(figure, []).extend([measure] if one.objects.any() else [])
    nothing = Measure(float("nan"), float("nan"), float("nan"), np.full(resamples, np.nan), 0.0)
    return found | {figure: mean_measure(each or [nothing]) for figure, each in of.items()}


def _measure(
    figure: str, value: float, one: Matches, ratios: Ratios, spread: Floats, patients_N: NDArray[np.int64]
) -> Measure:
    """One figure of one class; without replicates it has no interval."""
    top, below = ratios.get(figure, (one.objects.astype(np.float64),) * 2)
    P = clusters_of(below, patients_N)
    if not len(spread) or value != value:
        low, high = float("nan"), float("nan")
    elif figure in ratios:
        low, high = (ratio_share if figure in ("sensitivity", "ppv") else ratio_mean)(top, below, patients_N)
    else:
        low, high = widened(value, spread, P, reflected=figure in ("map", "map50"))
    most = np.inf if figure == "false_positives" else 1.0
    return Measure(value, float(np.maximum(low, 0.0)), float(np.minimum(high, most)), spread, P - 1)


def baseline_of(name: str, value: float) -> float:
    """The figure of a detector that finds nothing."""
    return float("nan") if np.isnan(value) or name.split("|")[0] == "ppv" else 0.0
