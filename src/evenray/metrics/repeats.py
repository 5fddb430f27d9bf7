"""Figures of a repeated cross-validation: means over the repeats, with intervals that hold patients and trainings.

Each training is scored by the patients of its fold, and a figure is to be that of one training on new patients. So to the
interval over patients comes the variance between trainings, as squared distances to the bounds (Zou & Donner 2008). How
often the intervals hold the truth is in docs/guides/evaluation.md (`tools/simulate_nested.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Estimate, Predictions, Scores

from ._area import Z
from .operating import choose_threshold
from .recalibration import RECALIBRATION

__all__ = ["called_by_fold", "each_repeat", "joined", "over_repeats"]

# Of few cases these are biased, or not defined, so that trainings are compared over a whole repeat and not fold by fold.
OF_A_REPEAT = ("auprc", "ece", *RECALIBRATION)
UNBOUNDED = ("log_loss", "grade_error", "brier")  # above, of more than two classes
SIGNED = ("mcc", "weighted_kappa")


def each_repeat(predictions: Predictions) -> list[Predictions]:
    """The repeats of a cross-validation one by one, by the column `repeat`; predictions without one are a single set.

    >>> table = pl.DataFrame({"case": ["a", "b", "b", "a"], "repeat": [1, 1, 2, 2]})
    >>> [each.table["case"].to_list() for each in each_repeat(Predictions(table, ("well", "sick"), "sick"))]
    [['a', 'b'], ['b', 'a']]
    """
    if "repeat" not in predictions.table.columns:
        return [predictions]
    return [
        replace(predictions, table=table) for table in predictions.table.partition_by("repeat", maintain_order=True)
    ]


def called_by_fold(
    test: Predictions, validation: Predictions, rule: str, prevalence: NDArray[np.float64] | None = None
) -> Predictions:
    """The held-out cases of a repeat with the threshold that `rule` chooses on the validation part of each one's fold.

    `prevalence` (K,) are the shares that the probabilities are at; None: those of the fold's training part, prior_0, prior_1.
    A fold whose validation part has fewer than two classes calls by the prevalence. DataError as of `choose_threshold`.
    """
    chosen = {}
    for (fold,), table in validation.table.group_by("fold", maintain_order=True):
        at = table.select(f"prior_{k}" for k in range(2)).row(0) if prevalence is None else tuple(prevalence)
        own = replace(validation, table=table)
        alone = len(np.unique(own.targets)) < 2
        chosen[fold] = float(at[own.positive_index]) if alone else choose_threshold(own, rule, at)
    k = test.positive_index
    usual = pl.col(f"prior_{k}") if prevalence is None else pl.lit(float(prevalence[k]))
    thresholds = pl.col("fold").replace_strict(chosen, default=None, return_dtype=pl.Float64).fill_null(usual)
    return replace(test, table=test.table.with_columns(threshold=thresholds))


def over_repeats(repeats: Sequence[Predictions], score: Callable[[Predictions, bool], Scores]) -> Scores:
    """One set of scores for all repeats; `score` gives those of some predictions, with intervals or (False) without.

    Of predictions that are no cross-validation, there is one set, and these are its scores. Counts are means over the
    repeats, rounded so that the cases of each class stay as many.
    """
    whole = [score(each, True) for each in repeats]
    if repeats[0].folds is None:
        return whole[0]
    folds = [list(_folds(each, score)) for each in repeats]
    estimates = {
        name: joined(
            [scores.estimates[name] for scores in whole],
            [[fold.estimates[name].value for fold in each] for each in folds] if name not in OF_A_REPEAT else [],
            *_limits(name),
        )
        for name in whole[0].estimates
    }
    return replace(whole[0], estimates=estimates, confusion=_mean_counts([scores.confusion for scores in whole]))


def _folds(predictions: Predictions, score: Callable[[Predictions, bool], Scores]) -> Iterator[Scores]:
    for table in predictions.table.partition_by("fold"):
        with suppress(DataError):  # no finding that is known to be present in some and absent in others
            yield score(replace(predictions, table=table.drop("fold")), False)


def joined(
    estimates: Sequence[Estimate],
    folds: Sequence[Sequence[float]] = (),
    lowest: float = -np.inf,
    highest: float = np.inf,
) -> Estimate:
    """The mean of a figure over repeats, with the interval of one training on other patients.

    The variance between trainings is that of the figure between all folds (of each repeat, `folds`) less what their patients
    alone explain; where the figure is not defined in most folds, that between repeats.

    >>> print(joined([Estimate(0.8, 0.7, 0.9, 0.5), Estimate(0.84, 0.74, 0.94, 0.5)]))
    0.820 (0.699 to 0.941; baseline: 0.500)
    """
    values, low, high = (np.array([getattr(each, name) for each in estimates]) for name in ("value", "low", "high"))
    value, baseline = float(values.mean()), float(np.mean([each.baseline for each in estimates]))
    bounds = np.array([float(low.mean()), float(high.mean())])
    if np.isnan(value) or np.isnan(bounds).any():
        return Estimate(value, np.nan, np.nan, baseline)
    spread = Z * np.sqrt(_variance(values, (bounds[1] - bounds[0]) / (2 * Z), folds))
    half_low, half_high = np.hypot(value - bounds[0], spread), np.hypot(bounds[1] - value, spread)
    return Estimate(value, float(max(lowest, value - half_low)), float(min(highest, value + half_high)), baseline)


def _variance(values: NDArray[np.float64], deviation: float, folds: Sequence[Sequence[float]]) -> float:
    """Between trainings: what one more differs by from the mean of these; `deviation` is the figure's over all patients."""
    each = np.array([one for repeat in folds for one in repeat], dtype=np.float64)
    known = each[~np.isnan(each)]
    if len(known) > max(1, len(each) / 2):
        of_patients = len(each) / len(folds) * deviation**2  # in a fold there are so many times fewer
        return float(max(0.0, known.var(ddof=1) - of_patients) * (1 + 1 / len(known)))
    return float(values.var(ddof=1) * (1 + 1 / len(values))) if len(values) > 1 else 0.0


def _limits(name: str) -> tuple[float, float]:
    """Between what a figure lies."""
    if name in RECALIBRATION:
        return (0.0 if name == "oe_ratio" else -np.inf), np.inf
    return (-1.0 if name in SIGNED else 0.0), (np.inf if name in UNBOUNDED else 1.0)


def _mean_counts(confusions: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The mean of confusion matrices (K, K), in whole cases: of each row those of the largest remainders are rounded up.

    >>> _mean_counts([np.array([[7, 3], [1, 1]]), np.array([[8, 2], [2, 0]])]).tolist()
    [[8, 2], [2, 0]]
    """
    mean = np.mean(confusions, axis=0)
    found: NDArray[np.int64] = np.floor(mean + 1e-9).astype(np.int64)
    for row, exact in zip(found, mean, strict=True):
        left = round(exact.sum()) - row.sum()
        row[np.argsort(row - exact, kind="stable")[:left]] += 1
    return found
