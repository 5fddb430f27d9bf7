"""Repeated training with other seeds: the uncertainty from training, apart from that of the test patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are first used

from evenray.core.errors import UsageError
from evenray.core.types import Predictions

from ._aligned import aligned
from .measuring import Cut
from .paired import Spread, _one

__all__ = ["SeedSpread", "seed_spread", "spread_apart"]


@dataclass(frozen=True)
class SeedSpread:
    """A metric over runs that differ in their seed alone, with its two sources of variance kept apart.

    `value` is the mean over the runs; `low`, `high` its 95 % interval over the patients (the runs being these),
    `sampling_deviation` the standard deviation from which test patients were drawn; `seed_deviation` that of a single
    run from its seed, `seed_low`, `seed_high` Student's interval of the mean over seeds (the patients being these).
    """

    value: float
    low: float
    high: float
    sampling_deviation: float
    seed_deviation: float
    seed_low: float
    seed_high: float
    values: tuple[float, ...]


def seed_spread(
    runs: Sequence[Predictions],
    metric: str = "auprc",
    *,
    thresholds: Sequence[Cut] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> SeedSpread:
    """The spread of `metric` over runs on the same cases; NaN for the seeds' part where there is a single run."""
    if not runs:
        raise UsageError("There are no runs; give the predictions of at least one seed.")
    cuts: Sequence[Cut] = [None] * len(runs) if thresholds is None else thresholds
    found = [_one(r, metric, t, None, seed, resamples) for r, t in zip(aligned(runs), cuts, strict=True)]
    return spread_apart(Spread.of(found))


def spread_apart(spread: Spread) -> SeedSpread:
    """The two sources of variance of what is measured already."""
    n = len(spread.values)
    deviation = float(spread.values.std(ddof=1)) if n > 1 else float("nan")
    half = float(scipy.special.stdtrit(n - 1, 0.975)) * deviation / n**0.5 if n > 1 else float("nan")
    return SeedSpread(
        value=spread.value,
        low=spread.low,
        high=spread.high,
        sampling_deviation=float(np.nanstd(spread.replicates, ddof=1)),
        seed_deviation=deviation,
        seed_low=spread.value - half,
        seed_high=spread.value + half,
        values=tuple(float(v) for v in spread.values),
    )
