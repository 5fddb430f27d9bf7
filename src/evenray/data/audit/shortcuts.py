"""Shortcuts: can the label be told without looking at the anatomy, from the header, the size, the border or the
grey levels alone?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding
from evenray.metrics.intervals import percentile_interval, replicates
from evenray.metrics.ranking import Ranking

from ._discriminant import out_of_fold
from ._table import column, numbers, patient_numbers
from .drift import cumulative_histograms

__all__ = ["Telling", "shortcut_border", "shortcut_header", "shortcut_histogram", "shortcut_size", "telling"]

NAMED = ("format", "modality", "manufacturer", "view", "photometric", "channels", "bits", "dtype", "spacing_source")
MEASURED = ("spacing_row", "spacing_column", "window_center", "window_width", "bits_stored")
MOST = 3000  # cases looked at, at most: enough for an interval of 0.02
FOLDS, RESAMPLES = 5, 500
FEW = 20  # patients of each class below which nothing is said
ABOUT_ANATOMY, NOT_ABOUT = (0.85, 0.75), (0.75, 0.6)  # lower bounds of the AUROC for a warning and for a remark


@dataclass(frozen=True)
class Telling:
    """The cross-validated AUROC of a linear discriminant on some features, with its 95 % interval over patients."""

    auroc: float
    low: float
    high: float
    cases: int


def shortcut_header(dataset: Dataset) -> list[Finding]:
    """The label told by what the header says of the acquisition."""
    few = _drawn(dataset)
    return _judged(few, "header", _header(few.cases), NOT_ABOUT)


def shortcut_size(dataset: Dataset) -> list[Finding]:
    """The label told by the number of rows and columns, their product and their ratio."""
    few = _drawn(dataset)
    rows, columns = numbers(few.cases, "rows"), numbers(few.cases, "columns")
    return _judged(
        few, "size", np.stack([rows, columns, np.log(rows * columns), np.log(rows / columns)], axis=1), NOT_ABOUT
    )


def shortcut_histogram(dataset: Dataset) -> list[Finding]:
    """The label told by the histogram, whatever the pixels show."""
    if not dataset.has_sketch("histogram"):
        return []
    few = _drawn(dataset)
    return _judged(few, "histogram", cumulative_histograms(few.sketch("histogram")), ABOUT_ANATOMY)


def shortcut_border(dataset: Dataset) -> list[Finding]:
    """The label told by the outermost ring of the image, a sixteenth of its side wide."""
    if not dataset.has_sketch("thumbnail"):
        return []
    few = _drawn(dataset)
    ring = np.ones((32, 32), np.bool_)
    ring[2:-2, 2:-2] = False
    return _judged(few, "border", few.sketch("thumbnail")[:, ring], ABOUT_ANATOMY)


def _drawn(dataset: Dataset, seed: int = 0) -> Dataset:
    """At most 3,000 of the cases, in order of their names."""
    order = dataset.cases["case"].arg_sort().to_numpy()
    if len(order) > MOST:
        order = order[np.sort(np.random.default_rng(seed).choice(len(order), MOST, replace=False))]
    return replace(dataset, cases=dataset.cases[order])


_TITLES = {
    "header": ("The label can be told from the header alone", "The header says something about the label"),
    "size": ("The label can be told from the image size alone", "The image size says something about the label"),
    "histogram": ("The label can be told from the histogram alone", "The histogram says something about the label"),
    "border": ("The label can be told from the image border alone", "The image border says something about the label"),
}
_ADVICE = {
    "header": "The classes were acquired differently, and the pixels will show that too. Take the classes from the same "
    "devices and protocols, or match the cases on the properties that differ.",
    "size": "The classes were cropped or exported differently; resizing leaves traces of that. Export all images alike.",
    "histogram": "Exposure, window or export differ between the classes, or the disease changes the overall grey level. "
    "Normalise the contrast, and see whether the network beats this figure.",
    "border": "Markers, collimation or position differ between the classes. Crop the border or mask it, and see whether "
    "the network beats this figure.",
}


def _judged(dataset: Dataset, what: str, features: NDArray[Any], bounds: tuple[float, float]) -> list[Finding]:
    told = telling(dataset, features)
    if told is None or told.low < bounds[1]:
        return []
    strong = told.low >= bounds[0]
    evidence = {
        "auroc": round(told.auroc, 3),
        "low": round(told.low, 3),
        "high": round(told.high, 3),
        "cases": told.cases,
    }
    title = _TITLES[what][0 if strong else 1]
    return [Finding(f"shortcut_{what}", "warning" if strong else "info", title, _ADVICE[what], (), evidence)]


def telling(dataset: Dataset, features: NDArray[Any], seed: int = 0) -> Telling | None:
    """How well a linear discriminant tells the label from `features` (cases, numbers), by cross-validated AUROC.

    Five folds, stratified by label and grouped by patient; several classes are averaged, each against the rest. The
    interval is that of 500 resamples of patients, widened by what the training adds. None where a class has under 20
    patients, or no feature varies.
    """
    if not len(dataset):
        return None
    values = np.nan_to_num(features.astype(np.float64))
    values = values[:, values.std(axis=0) > 1e-9]
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    targets, patients = dataset.targets, patient_numbers(dataset.cases)
    present, known = np.unique(targets, return_inverse=True)
    if values.shape[1] == 0 or len(present) < 2 or min(len(np.unique(patients[targets == k])) for k in present) < FEW:
        return None
    scores = out_of_fold(values, known, patients, FOLDS, seed)

    def aurocs(weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        return {"auroc": np.mean([ranking.areas(weights)[0] for ranking in rankings], axis=0)}

    # Two classes are one question; several are averaged, each against the rest.
    judged = [1] if len(present) == 2 else list(range(len(present)))
    rankings = [Ranking.of(scores[:, k], known == k) for k in judged]
    whole = aurocs(np.ones((1, len(targets))))["auroc"][0]
    drawn = replicates(aurocs, np.unique(patients, return_inverse=True)[1], RESAMPLES, seed)["auroc"]
    slope = float(np.mean([_slope(scores[:, k], known == k) for k in judged]))
    low, high = _widened(float(whole), percentile_interval(drawn), slope)
    return Telling(float(whole), low, high, len(targets))


def _slope(scores: NDArray[np.float64], is_class: NDArray[np.bool_]) -> float:
    """The calibration slope of log-odds: how far apart the classes are over how far they should be (Cox 1958).

    1 where the discriminant has found what there is, 0 where all it learnt is chance.
    """
    own, others = scores[is_class], scores[~is_class]
    spread = (own.var() + others.var()) / 2
    return float(np.clip((own.mean() - others.mean()) / max(spread, 1e-12), 0, 1))


def _widened(value: float, ends: tuple[float, float], slope: float) -> tuple[float, float]:
    """An interval of resamples, which know who was tested, made to know also who was taught.

    A case is taught in four folds and tested in one. Where nothing can be learnt the two do the same to the area: it is
    about a sum over pairs of cases, d_i d_j, of which each counts once in either role, so its variance is twice that of the
    tested alone; where the discriminant would be the same whoever taught it, nothing is added. The share of chance in
    what was learnt is 1 - slope. That intervals of cross-validation are too narrow for this reason, and by how much:
    Nadeau and Bengio, Inference for the generalization error, 2003; Bates, Hastie and Tibshirani, 2023.
    """
    middle, *odds = (math.log(p / (1 - p)) for p in np.clip([value, *ends], 1e-9, 1 - 1e-9).tolist())
    low, high = (middle + math.sqrt(2 - slope) * (end - middle) for end in odds)
    return 1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))


def _header(cases: pl.DataFrame) -> NDArray[np.float64]:
    """Named properties as indicators of their values (the rarest together), measured ones as they are and whether known."""
    parts: list[NDArray[np.float64]] = []
    for name in NAMED:
        values = column(cases, name).cast(pl.String).fill_null("unknown")
        for value in values.value_counts().sort(["count", name], descending=[True, False])[name].head(12):
            parts.append((values == value).to_numpy().astype(np.float64))
    for name in MEASURED:
        known = numbers(cases, name)
        parts += [np.nan_to_num(known), np.isfinite(known).astype(np.float64)]
    return np.stack(parts, axis=1)
