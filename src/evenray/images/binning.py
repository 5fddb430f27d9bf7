"""Where the bins of a histogram begin and end (by width, by number, or by a rule), and what has no bins: categories."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["Sample", "edges", "freedman_diaconis", "frequencies", "is_quantity", "places", "step_of"]

_MOST = 655_360  # bins; more is a mistake in the width
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Sample:
    """What binning asks of values: extremes, number, quantiles (0 to 1) and the step that they come in, if any.

    `precision` is the epsilon of the type that the values come in.
    """

    low: float
    high: float
    size: int
    quantile: Callable[[float], float]
    step: float | None = None
    precision: float = _EPS

    @classmethod
    def of(cls, values: NDArray[np.float64], step: float | None, precision: float = _EPS) -> Sample:
        def quantile(q: float) -> float:
            return float(np.quantile(values, q))

        return cls(float(values.min()), float(values.max()), len(values), quantile, step, precision)

    @property
    def beyond(self) -> float:
        """An upper edge just above the largest value, as bins are open there."""
        return self.high + self.step if self.step else float(np.nextafter(self.high, np.inf))


def step_of(values: NDArray[np.float64]) -> float | None:
    """The coarsest decimal step (1 to 0.0001) that all values are multiples of, else None.

    >>> step_of(np.array([-3.5, 0.25])), step_of(np.array([2e-7]))
    (0.01, None)
    """
    for decimals in range(5):
        scaled = values * 10**decimals
        if np.allclose(scaled, np.rint(scaled), rtol=0, atol=1e-6 * min(1.0, float(np.abs(scaled).max()))):
            return float(10.0**-decimals)
    return None


def freedman_diaconis(sample: Sample) -> float:
    """The width 2 IQR / n^(1/3); 0 where half of the values are one. Freedman and Diaconis 1981."""
    return 2 * (sample.quantile(0.75) - sample.quantile(0.25)) / float(sample.size ** (1 / 3))


def edges(
    sample: Sample,
    *,
    bins: int | None = None,
    width: float | None = None,
    start: float | None = None,
    rule: str = "freedman-diaconis",
) -> NDArray[np.float64]:
    """The edges, float64 (bins + 1,), ascending: see `Histogram.of_values` for what wins over what.

    >>> edges(Sample.of(np.array([1.0, 2.0, 5.0]), 1.0), width=2)
    array([1., 3., 5., 7.])
    """
    if bins is not None and not 1 <= bins <= _MOST:
        raise UsageError(f"bins is {bins}; expected 1 or more, at most {_MOST}.")
    if width is not None and not 0 < width < math.inf:
        raise UsageError(f"width is {width}; expected a number, more than 0.")
    if start is not None and not math.isfinite(start):
        raise UsageError(f"start is {start}; expected a number.")
    if not math.isfinite(sample.high - sample.low):
        raise UsageError(
            f"the values reach from {sample.low:g} to {sample.high:g}, too far apart for bins of one width."
        )
    if width is not None and bins is not None and start is None:
        raise UsageError("width and bins together need start: where the first bin begins.")
    if rule == "equal-frequency" and width is None:
        return _equal_frequency(sample, bins or 10)
    if width is None and bins is None:
        width = freedman_diaconis(sample) or None
        bins = None if width else 1
    first = sample.low if start is None else start
    if width is None:
        if not first < sample.beyond:
            raise UsageError(f"start is {first:g} and the largest value {sample.high:g}; choose a smaller start.")
        return np.linspace(first, sample.beyond, (bins or 1) + 1)
    blur = max(1e-9, min(float(_rounding(sample.high, first, sample.precision)) / width, 0.25))
    number = bins or max(1, math.floor((sample.high - first) / width + blur) + 1)
    if number > _MOST:
        raise UsageError(f"width {width} over {first} to {sample.high} makes {number} bins; choose a larger width.")
    return np.asarray(first + width * np.arange(number + 1))


def places(
    values: NDArray[np.float64], edges: NDArray[np.float64], *, covering: bool, precision: float = _EPS
) -> NDArray[np.int64]:
    """The bin that each value falls into, int64: -1 before the first edge, len(edges) - 1 from the last one on.

    A value within rounding error of an edge stands at it, as it does in decimals, so the bin that opens there has it.
    Bins that are `covering` reach beyond the largest value by construction, so no value is from the last edge on.

    >>> places(np.array([0.2, 0.3, 0.7]), 0.1 * np.arange(9), covering=True)
    array([2, 3, 7])
    """
    widths = np.diff(edges)
    nearby = np.minimum(_rounding(edges, edges[0], precision), np.append(widths[:1], widths) / 4)
    found = np.searchsorted(edges - nearby, values, side="right") - 1
    return np.minimum(found, len(widths) - 1) if covering else found


def _rounding(place: Any, first: float, precision: float) -> Any:
    """How far from `place` an edge reckoned from `first`, and a value of this precision, may stand by rounding alone."""
    share = precision / 2 + 4 * _EPS  # the value's own rounding; that of width or step, product, sum and first
    return share * abs(place) + share * abs(first)


def _equal_frequency(sample: Sample, bins: int) -> NDArray[np.float64]:
    inner = np.unique([sample.quantile(q) for q in np.linspace(0, 1, min(bins, sample.size) + 1)])
    return np.append(inner[:-1], sample.beyond) if len(inner) > 1 else np.array([sample.low, sample.beyond])


def frequencies(values: Sequence[Any]) -> list[tuple[str, int]]:
    """How often each category occurs, most frequent first; None and NaN are left out. A bar chart shows it, with gaps.

    >>> frequencies(["PA", "AP", "PA", None])
    [('PA', 2), ('AP', 1)]
    """
    kept = [str(value) for value in values if value is not None and value == value]
    names, counts = np.unique(np.array(kept, dtype=str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(str(names[i]), int(counts[i])) for i in order]


def is_quantity(values: Any) -> bool:
    """Whether values measure something (a histogram) or name something (a bar chart).

    >>> is_quantity([0.1, 2.5]), is_quantity(["NORMAL", "PNEUMONIA"]), is_quantity([True, False])
    (True, False, False)
    """
    return np.asarray(values).dtype.kind in "uif"
