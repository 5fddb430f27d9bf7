"""How well some features predict the label: the cross-validated AUROC of a linear discriminant, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Dataset
from evenray.metrics.intervals import percentile_interval, replicates
from evenray.metrics.ranking import Ranking

from ._cases import patient_numbers

__all__ = ["LabelAuroc", "label_auroc"]

FOLDS, RESAMPLES = 5, 500
FEW = 20  # patients of each class below which nothing is said
SHRINKAGE = 0.05  # of the covariance towards the sphere: neighbouring levels and places are nearly the same


@dataclass(frozen=True)
class LabelAuroc:
    """The AUROC with its 95 % interval over patients."""

    auroc: float
    low: float
    high: float
    cases: int


def label_auroc(dataset: Dataset, features: NDArray[Any], seed: int = 0) -> LabelAuroc | None:
    """How well a linear discriminant predicts the label from `features` (cases, numbers), by cross-validated AUROC.

    Five folds, stratified by label and grouped by patient; several classes are averaged, each against the rest. The
    interval is that of 500 resamples of patients, widened for the chance in training. None where a class has under 20
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
    scores = _out_of_fold(values, known, patients, seed)

    def aurocs(weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        return {"auroc": np.mean([ranking.areas(weights)[0] for ranking in rankings], axis=0)}

    # Two classes are one question; several are averaged, each against the rest.
    asked = [1] if len(present) == 2 else list(range(len(present)))
    rankings = [Ranking.of(scores[:, k], known == k) for k in asked]
    whole = float(aurocs(np.ones((1, len(targets))))["auroc"][0])
    drawn = replicates(aurocs, np.unique(patients, return_inverse=True)[1], RESAMPLES, seed)["auroc"]
    slope = float(np.mean([_slope(scores[:, k], known == k) for k in asked]))
    low, high = _widened(whole, percentile_interval(drawn), slope)
    return LabelAuroc(whole, low, high, len(targets))


def _out_of_fold(
    values: NDArray[np.float64], targets: NDArray[np.int64], patients: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """The log-odds of every case's classes by a discriminant that has not seen its patient, float64 (cases, classes).

    All classes count as equally likely beforehand, so that the counts of a fold do not shift its scores.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold

    classes = int(targets.max()) + 1
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE, priors=np.full(classes, 1 / classes))
    owners, member = np.unique(patients, return_inverse=True)
    cases = np.zeros((classes, len(owners)), np.int64)
    np.add.at(cases, (targets, member), 1)
    # Patients are stratified by the class of most of their cases; StratifiedGroupKFold is slow for thousands of them.
    strata = cases.argmax(axis=0)
    strata[np.bincount(strata)[strata] < FOLDS] = np.bincount(strata).argmax()  # too few to have one in each fold
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(owners, strata)
    scores = np.empty((len(targets), classes))
    for _, held_out in folds:
        test = np.isin(member, held_out)
        found = model.fit(values[~test], targets[~test]).decision_function(values[test])
        if classes == 2:
            scores[test] = np.stack([-found, found], axis=1)
        else:
            others = [np.logaddexp.reduce(np.delete(found, k, axis=1), axis=1) for k in range(classes)]
            scores[test] = found - np.stack(others, axis=1)
    return scores


def _slope(scores: NDArray[np.float64], is_class: NDArray[np.bool_]) -> float:
    """The calibration slope of log-odds: how far apart the classes are over how far they should be (Cox 1958).

    1 where the discriminant has found what there is, 0 where all it learnt is chance.
    """
    own, others = scores[is_class], scores[~is_class]
    spread = (own.var() + others.var()) / 2
    return float(np.clip((own.mean() - others.mean()) / max(spread, 1e-12), 0, 1))


def _widened(value: float, ends: tuple[float, float], slope: float) -> tuple[float, float]:
    """The interval of resamples, which vary the tested cases alone, widened for the choice of the training cases.

    A case is in training in four folds and tested in one. Where nothing can be learnt both do the same to the area: it is
    about a sum over pairs of cases, d_i d_j, of which each counts once in either role, so its variance is twice that of the
    tested cases alone; where the discriminant would be the same from any training cases, nothing is added. The share of chance in
    what was learnt is 1 - slope. That intervals of cross-validation are too narrow for this reason, and by how much:
    Nadeau and Bengio, Inference for the generalization error, 2003; Bates, Hastie and Tibshirani, 2023.
    """
    middle, *odds = (math.log(p / (1 - p)) for p in np.clip([value, *ends], 1e-9, 1 - 1e-9).tolist())
    low, high = (middle + math.sqrt(2 - slope) * (end - middle) for end in odds)
    return 1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))
