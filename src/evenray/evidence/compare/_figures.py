"""What one cell's trainings are worth: figures within folds, over seeds, and whether they rank better than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

from evenray.core.types import Predictions
from evenray.learning.tasks import task_of
from evenray.metrics import averaged, measured_by_task
from evenray.metrics.scoring import Measure

__all__ = ["Chance", "Figures", "by_chance", "within_folds"]

RESAMPLES = 1000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """A metric of one cell from S seeds on F folds: `values` (S, F), the 95 % interval of their mean over the patients, the
    mean's bootstrap replicates, float64 (resamples,), and the degrees of freedom of their deviation, of the patients of all folds."""

    values: Floats
    low: float
    high: float
    replicates: Floats
    freedom: float

    @property
    def value(self) -> float:
        return float(self.values.mean())


def within_folds(runs: Sequence[Predictions], fold_N: NDArray[np.int64], seed: int) -> dict[str, Figures]:
    """Every figure of the task's comparison, measured in each held-out fold and then averaged.

    The scores of two networks have no common scale, so that a ranking across folds would measure how their scales differ.
    `runs` are the out-of-fold predictions of each seed. Resamples are the same for every cell. The bounds of independent
    folds are joined as Zou and Donner (2008) join them.
    """
    names = np.unique(fold_N)
    freedom = float(runs[0].patients.max() + 1 - len(names))
    inside = [pl.Series(fold_N == name) for name in names]
    found = [
        [
            measured_by_task(
                replace(run, table=run.table.filter(held)), seed=seed * len(names) + f, resamples=RESAMPLES
            )
            for f, held in enumerate(inside)
        ]
        for run in runs
    ]
    figures = {}
    for name in task_of(runs[0].task).compared:
        values, low, high = (
            np.array([[getattr(fold[name], what) for fold in each] for each in found]) for what in ("value", "low", "high")
        )  # fmt: skip
        middle = values.mean()
        below, above = ((values - low).mean(axis=0), (high - values).mean(axis=0))
        replicates = np.mean([_kept(fold[name]) for each in found for fold in each], axis=0)
        down, up = (float(np.sqrt((side**2).sum()) / len(names)) for side in (below, above))
        figures[name] = Figures(values, float(middle - down), float(middle + up), replicates, freedom)
    return figures


def _kept(fold: Measure) -> Floats:
    """The replicates of a fold, its own figure where a resample of it lacks a class: that tells nothing of this fold, and would
    take all others with it."""
    return np.where(np.isnan(fold.replicates), fold.value, fold.replicates)


@dataclass(frozen=True)
class Chance:
    """What a figure is for forecasts that know nothing, and its standard deviation then, with its degrees of freedom: without bound
    where a formula gives it."""

    figure: str
    level: float
    deviation: float
    freedom: float = np.inf

    def p(self, figures: Mapping[str, Figures]) -> float:
        """The one-sided p-value against forecasts that know nothing; NaN where nobody can tell."""
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = (self.level - figures[self.figure].value) / np.float64(self.deviation)
        return float(scipy.special.stdtr(self.freedom, apart))


def by_chance(run: Predictions, fold_N: NDArray[np.int64], figures: Mapping[str, Figures]) -> Chance:
    """What the AUROC is by chance; of masks and boxes, what is gained over forecasts that know nothing, as the figure says
    itself."""
    gained = task_of(run.task).gained
    if gained is None:
        return Chance("auroc", 0.5, auroc_by_chance(run, fold_N))
    return Chance(gained, 0.0, float(np.nanstd(figures[gained].replicates)), figures[gained].freedom)


def auroc_by_chance(run: Predictions, fold_N: NDArray[np.int64]) -> float:
    """The standard deviation of the mean AUROC over folds of forecasts that know nothing (Mann & Whitney 1947).

    Patients are counted, not images; the mean over several classes, each against the rest, or over several findings varies at
    most by the mean of theirs.
    """
    variances = []
    for name in np.unique(fold_N):
        held = replace(run, table=run.table.filter(pl.Series(fold_N == name)))
        deviations = [np.sqrt((m + n + 1) / (12 * m * n)) for m, n in _sides(held) if m and n]
        variances.append(np.mean(deviations) ** 2 if deviations else np.nan)
    return float(np.sqrt(np.sum(np.array(variances))) / len(variances))


def _sides(run: Predictions) -> list[tuple[int, int]]:
    """Patients with and without what each averaged AUROC tells apart: the positive class, each of several, each finding."""
    if run.task == "tag":
        each = [(two.targets == 1, two.patients) for two in map(run.finding, averaged(run))]
    else:
        asked = [run.positive_index] if len(run.classes) == 2 else np.unique(run.targets).tolist()
        each = [(run.targets == k, run.patients) for k in asked]
    return [(len(np.unique(of[has])), len(np.unique(of[~has]))) for has, of in each]
