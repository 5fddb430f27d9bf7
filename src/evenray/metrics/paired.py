"""Models on the same cases: paired differences with intervals, DeLong's test, and which cannot be told from the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy  # its parts are imported when they are first used
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import unknown_name
from evenray.core.numbers import interval, probability, signed
from evenray.core.types import Estimate, Predictions

from ._aligned import aligned
from ._area import Z, delong_interval
from .clustered import FEWEST, reach
from .intervals import percentile_interval
from .measuring import Cut, Prevalence, area_components, measured_by_task
from .scoring import Measure

__all__ = [
    "LOWER_IS_BETTER",
    "Difference",
    "Spread",
    "compare_models",
    "compare_spreads",
    "delong",
    "delong_difference",
    "difference",
    "from_replicates",
    "holm",
]

LOWER_IS_BETTER = ("brier", "ece", "log_loss")
LEAST = 1 - 1e-9  # degrees of freedom; below one a deviation is hardly known
ALIKE = 1e-12  # of figures: what numbers of finite length differ by
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """How far one figure lies above another on the same cases, its 95 % interval and the two-sided p-value.

    >>> print(Difference(0.031, 0.004, 0.058, 0.02))
    +0.031 (+0.004 to +0.058; p = 0.020)
    """

    value: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        p = probability(self.p)
        beside = [f"p {p}" if p.startswith("<") else f"p = {p}"] if p else []
        return interval(self.value, self.low, self.high, signed, *beside)


def difference(
    model: Predictions,
    reference: Predictions,
    metric: str = "auprc",
    *,
    thresholds: tuple[Cut, Cut] = (None, None),
    prevalence: Prevalence = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Difference:
    """`metric` of `model` less that of `reference`, from one bootstrap over their common patients.

    The predictions must be of the same cases and labels (UsageError otherwise); their order does not matter, and cases
    of one patient in either belong together. `thresholds` are those of the model and of the reference,
    `prevalence` is that of both, as in `score`; of findings each is one a finding. See `from_replicates` for interval and p.
    """
    one, other = (
        _one(predictions, metric, threshold, prevalence, seed, resamples)
        for predictions, threshold in zip(aligned([model, reference]), thresholds, strict=True)
    )
    return from_replicates(one.value - other.value, one.replicates - other.replicates, min(one.freedom, other.freedom))


def compare_models(
    models: Mapping[str, Predictions | Sequence[Predictions]],
    metric: str = "auprc",
    *,
    reference: str | None = None,
    thresholds: Mapping[str, Cut] | None = None,
    prevalence: Prevalence = None,
    level: float = 0.05,
    seed: int = 0,
    resamples: int = 2000,
) -> pl.DataFrame:
    """Every model's metric and its paired differences to the reference (default: the first) and to the best.

    One row a model, in the order given: model, value, low, high; difference, difference_low, difference_high, p, p_holm
    (to the reference); behind, behind_low, behind_high, behind_p_holm (to the best); best; tied. `tied` says that the
    model cannot be told from the best at `level` after Holm's correction for as many comparisons. The best is chosen on
    these same cases, so its own figure flatters it a little. A model may be a sequence of runs that differ in their
    seed: see `compare_spreads`. Cases, `thresholds` and `prevalence` as in `difference`.
    """
    names, cuts = list(models), thresholds or {}
    runs = {name: [each] if isinstance(each, Predictions) else list(each) for name, each in models.items()}
    every = iter(aligned([run for name in names for run in runs[name]]))
    spreads = {
        name: Spread.of([_one(next(every), metric, cuts.get(name), prevalence, seed, resamples) for _ in runs[name]])
        for name in names
    }
    return compare_spreads(spreads, metric, reference=reference, level=level, seed=seed)


@dataclass(frozen=True)
class Spread:
    """A metric of one model: its value in each run; its bootstrap replicates and its interval, those of the runs averaged; and the
    degrees of freedom of their deviation, without bound where that is known."""

    values: Floats
    replicates: Floats
    low: float = np.nan
    high: float = np.nan
    freedom: float = np.inf

    @property
    def value(self) -> float:
        return float(self.values.mean())

    @classmethod
    def of(cls, runs: Sequence[Measure]) -> Spread:
        """From the same metric of every run, on the same cases."""
        low, high = np.mean([(run.low, run.high) for run in runs], axis=0)
        return cls(
            np.array([run.value for run in runs]),
            np.mean([run.replicates for run in runs], axis=0),
            float(low),
            float(high),
            min(run.freedom for run in runs),
        )


def compare_spreads(
    spreads: Mapping[str, Spread], metric: str, *, reference: str | None = None, level: float = 0.05, seed: int = 0
) -> pl.DataFrame:
    """`compare_models` from what is measured already; all replicates are of the same resamples of the same cases.

    low and high are over the patients. Where models were trained from several seeds, the differences answer for those
    too: to the replicates of each is added what a mean of so many runs varies by, Student's distribution with the
    variance between seeds pooled over the models.
    """
    names = list(spreads)
    reference = names[0] if reference is None else reference
    if reference not in spreads:
        raise unknown_name("model", reference, names)
    values = np.array([spread.value for spread in spreads.values()])
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    best = int(np.nanargmax(sign * values)) if np.isfinite(values).any() else 0
    rows: dict[str, Any] = {
        "model": names,
        "value": values,
        "low": [spread.low for spread in spreads.values()],
        "high": [spread.high for spread in spreads.values()],
    }
    drawn = _with_seeds(list(spreads.values()), seed)
    freedom = min(spread.freedom for spread in spreads.values())
    for prefix, other in (("difference", names.index(reference)), ("behind", best)):
        found = [
            from_replicates(v - values[other], s - drawn[other], freedom) for v, s in zip(values, drawn, strict=True)
        ]
        p = np.array([d.p for d in found])
        others = np.arange(len(names)) != other
        adjusted = np.ones(len(names))
        adjusted[others] = holm(p[others])
        rows |= {prefix: [d.value for d in found]}
        rows |= {f"{prefix}_low": [d.low for d in found], f"{prefix}_high": [d.high for d in found]}
        rows |= {"p": p, "p_holm": adjusted} if prefix == "difference" else {"behind_p_holm": adjusted}
    is_best = np.arange(len(names)) == best
    apart = (rows["behind_p_holm"] < level) | np.isnan(values)  # where p is unknown, nothing tells them apart
    return pl.DataFrame(rows | {"best": is_best, "tied": is_best | ~apart})


def _with_seeds(spreads: Sequence[Spread], seed: int) -> list[Floats]:
    """The replicates, widened by the variance between seeds where there are several runs."""
    freedom = sum(len(spread.values) - 1 for spread in spreads)
    if freedom == 0:
        return [spread.replicates for spread in spreads]
    variance = sum(float(((spread.values - spread.value) ** 2).sum()) for spread in spreads) / freedom
    # One draw of the variance for all, so that the difference of any two is Student's.
    R = len(spreads[0].replicates)
    deviation = np.sqrt(variance * freedom / np.random.default_rng([seed, 1]).chisquare(freedom, R))
    noise = np.random.default_rng([seed, 2]).standard_normal((len(spreads), R))
    return [s.replicates + n * deviation / len(s.values) ** 0.5 for s, n in zip(spreads, noise, strict=True)]


def holm(p: ArrayLike) -> Floats:
    """p-values corrected for their number (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def delong(predictions: Predictions, of: str | None = None) -> Estimate:
    """AUROC with DeLong's (1988) interval, on the logit scale so that it stays within 0 and 1. It is that of class `of` (a finding of
    several), by default the one that `score` has: of more than two classes the mean over them.

    Images of one patient are taken as one cluster (Obuchowski 1997), which is DeLong's own where each stands alone.
    NaN bounds where a class has fewer than two patients or the ranking is perfect.
    """
    area, influence = area_components(predictions, of)
    return Estimate(area, *delong_interval(area, influence), 0.5)


def delong_difference(model: Predictions, reference: Predictions, of: str | None = None) -> Difference:
    """The difference of two AUROCs on the same cases, with DeLong's interval and test, clustered by patient; `of` as in `delong`.

    NaN bounds and p where a class has fewer than two patients, or all pairs of patients differ alike.
    """
    (one, influence), (other, against) = (area_components(each, of) for each in aligned([model, reference]))
    deviation, gap = float(np.sqrt(((influence - against) ** 2).sum())), one - other
    if deviation > 0:
        return Difference(gap, gap - Z * deviation, gap + Z * deviation, _two_sided(gap / deviation))
    same = gap == 0 and deviation == 0
    return Difference(0.0, 0.0, 0.0, 1.0) if same else Difference(gap, np.nan, np.nan, np.nan)


def _one(
    predictions: Predictions, metric: str, threshold: Cut, prevalence: Prevalence, seed: int, resamples: int
) -> Measure:
    found = measured_by_task(predictions, threshold, prevalence=prevalence, seed=seed, resamples=resamples)
    if metric not in found:
        raise unknown_name("metric", metric, found)
    return found[metric]


def from_replicates(value: float, spread: Floats, freedom: float = np.inf) -> Difference:
    """A difference by its value and its bootstrap replicates, whose deviation has so many degrees of freedom.

    Bounds are percentiles, as much farther from the value as Student's t reaches farther than the normal distribution. p is Student's
    with the error towards no difference, for resamples alone cannot tell small ones, or the share of resamples that turn the sign
    where that says less: a difference of a case or two is far from normal. NaN below one degree of freedom, and where no resample
    moves a difference whose deviation is not known to be none.
    """
    defined = spread[~np.isnan(spread)]
    unknown = Difference(value, np.nan, np.nan, np.nan)
    if len(defined) * 2 < len(spread) or np.isnan(value) or freedom < LEAST:
        return unknown
    deviation, farther = float(defined.std()), reach(freedom) / Z
    if deviation <= ALIKE and abs(value) > ALIKE and np.isfinite(freedom):
        return unknown
    # Of fewer patients resamples are so few different ones that percentiles are their ends.
    ends = percentile_interval(spread) if freedom >= FEWEST else (value - Z * deviation, value + Z * deviation)
    low, high = (value + (end - value) * farther for end in ends)
    towards_none = abs(value - ends[0 if value > 0 else 1]) / Z or deviation
    p = 2 * float(scipy.special.stdtr(freedom, -abs(value) / towards_none)) if towards_none else float(value == 0)
    if fewest := int(min(np.sum(defined <= 0), np.sum(defined >= 0))):
        p = max(p, 2 * (fewest + 1) / (len(defined) + 1))
    return Difference(float(value), float(low), float(high), min(1.0, p))


def _two_sided(z: float) -> float:
    return float(2 * scipy.special.ndtr(-abs(z)))
