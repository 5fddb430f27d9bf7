"""Histograms: counts of grey levels or of any numbers, their frequency table, their moments, and exact merging."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.files import whole_file
from evenray.core.boundary import checked_class
from evenray.core.display import Displayed
from evenray.core.errors import DataError, UsageError
from evenray.core.types import Image

from . import binning
from .levels import DEEPEST, count_levels, lightness, whole_levels

__all__ = ["Histogram"]


@checked_class
@dataclass(frozen=True)
class Histogram(Displayed):
    """Counts over bins: `counts` int64 (bins,), `edges` float64 (bins + 1,), ascending, in the units of the values.

    Bins are half open, [edge, next edge). `missing` counts what was left out (padding, NaN). `resolution` is the step
    that the values come in (1 for grey levels), None where they are continuous; only the texts of the table use it.

    >>> image = Image(np.array([[0, 0, 3, 255]], np.uint8), value_range=(0, 255))
    >>> histogram = Histogram.of(image)
    >>> histogram.bins, histogram.total, histogram.mean
    (256, 4, 64.5)
    >>> (histogram + histogram).counts[[0, 3, 255]].tolist()
    [4, 2, 2]
    """

    counts: NDArray[np.int64]
    edges: NDArray[np.float64]
    missing: int = 0
    resolution: float | None = None

    def __repr__(self) -> str:
        places = f"{self.bins:,} bins from {self.edges[0]:g} to {self.edges[-1]:g}"
        return f"Histogram({places}, {self.total:,} values, {self.missing:,} missing)"

    def __post_init__(self) -> None:
        if self.counts.ndim != 1 or self.edges.shape != (len(self.counts) + 1,) or not len(self.counts):
            raise UsageError(
                f"counts have shape {self.counts.shape} and edges {self.edges.shape}; expected (bins,) and (bins + 1,)."
            )

    @classmethod
    def of(cls, image: Image) -> Histogram:
        """The grey levels of an image over the range that its header declares; missing pixels are not counted.

        One bin a level for integer pixels of at most 65,536 levels, else 65,536 bins. Values outside the range fall
        into the end bins, as they do on a display. Colour is counted by its lightness (see `lightness`).
        """
        grey, empty = lightness(image), cls.blank(image)
        counts = count_levels(grey, image.valid, image.value_range)
        return cls(counts, empty.edges, int(grey.size - counts.sum()), empty.resolution)

    @classmethod
    def blank(cls, image: Image) -> Histogram:
        """The bins that `of` gives an image, with nothing counted."""
        low, high = image.value_range
        whole = whole_levels(image.value_range) if image.pixels.dtype != np.float32 else None
        bins, resolution = (whole, 1.0) if whole else (DEEPEST, None)
        return cls(np.zeros(bins, np.int64), _level_edges(low, high, bins), 0, resolution)

    @classmethod
    def of_values(
        cls,
        values: Any,
        *,
        bins: int | None = None,
        width: float | None = None,
        start: float | None = None,
        rule: Literal["freedman-diaconis", "equal-frequency"] = "freedman-diaconis",
        resolution: float | None = None,
    ) -> Histogram:
        """Bin any numbers: by `width` (from `start`), by a number of `bins`, or by a rule; NaN counts as missing.

        Freedman and Diaconis (1981): width = 2 IQR / n^(1/3). "equal-frequency" gives `bins` (10 unless told) bins of
        about the same count. Bins of a given width are whole, and cover the values. A value within rounding error of an
        edge stands at it: 0.3 is in the bin from 0.3 on, though 3 * 0.1 is a little more.

        >>> Histogram.of_values([1, 2, 2, 3, 7], width=2, start=1).table()
        [('1 to 2', 3), ('3 to 4', 1), ('5 to 6', 0), ('7 to 8', 1)]
        """
        array = np.asarray(values)
        if array.dtype.kind not in "buif":
            raise UsageError(
                f"values are of type {array.dtype}; a histogram needs numbers (use frequencies for names)."
            )
        precision = float(np.finfo(array.dtype if array.dtype.kind == "f" else np.float64).eps)
        array = array.astype(np.float64).ravel()
        finite = array[np.isfinite(array)]
        if not finite.size:
            raise DataError(f"there are {array.size} values and none is a number; a histogram needs at least one.")
        step = resolution if resolution is not None else binning.step_of(finite)
        sample = binning.Sample.of(finite, step, precision)
        edges = binning.edges(sample, bins=bins, width=width, start=start, rule=rule)
        place = binning.places(finite, edges, covering=bins is None or width is None, precision=precision)
        inside = place[(place >= 0) & (place < len(edges) - 1)]
        counts = np.bincount(inside, minlength=len(edges) - 1)
        return cls(counts.astype(np.int64), edges, int(array.size - inside.size), step)

    def __add__(self, other: Histogram) -> Histogram:
        """The histogram of both together, exactly; both need the same bins."""
        if not np.array_equal(self.edges, other.edges):
            raise UsageError(
                f"histograms of different bins cannot be merged: {self.bins} over {self.range} and "
                f"{other.bins} over {other.range}; bring both to .unit(256) first."
            )
        return Histogram(self.counts + other.counts, self.edges, self.missing + other.missing, self.resolution)

    def rebin(self, bins: int) -> Histogram:
        """The same range in other bins: every level goes to the nearest one, so 8 bits stored in 16 come back as 8."""
        index = np.rint(self.unit_levels * (bins - 1)).astype(np.int64)
        counts = np.bincount(index, weights=self.counts, minlength=bins).astype(np.int64)
        return Histogram(counts, _level_edges(*self.range, bins), self.missing)

    def grouped(self, bins: int) -> Histogram:
        """Neighbouring bins taken together, `bins` intervals of as nearly the same width as whole bins allow.

        >>> Histogram.of(Image(np.array([[0, 99, 255]], np.uint8), value_range=(0, 255))).grouped(2).table()
        [('0 to 127', 2), ('128 to 255', 1)]
        """
        bins = min(bins, self.bins)
        starts = np.arange(bins) * self.bins // bins
        counts = np.add.reduceat(self.counts, starts)
        return Histogram(counts, np.append(self.edges[starts], self.edges[-1]), self.missing, self.resolution)

    def binned(
        self,
        *,
        bins: int | None = None,
        width: float | None = None,
        start: float | None = None,
        rule: Literal["freedman-diaconis", "equal-frequency"] = "freedman-diaconis",
    ) -> Histogram:
        """The same counts in intervals as `of_values` has them; where values come in steps, a rule takes whole ones.

        Every bin goes where its centre lies. What lies outside a given `start` and `bins` counts as missing.

        >>> Histogram(np.array([4, 2, 1, 1]), np.arange(5) - 0.5, resolution=1).binned(width=2, start=0).table()
        [('0 to 1', 6), ('2 to 3', 2)]
        """
        found = np.flatnonzero(self.counts)
        if not len(found):
            raise DataError("the histogram is empty; binning needs at least one value.")
        low, high = float(self.centres[found[0]]), float(self.centres[found[-1]])
        sample = binning.Sample(low, high, self.total, lambda q: self.percentile(100 * q), self.resolution)
        if width is None and bins is None and rule == "freedman-diaconis" and self.resolution:
            width = max(round(binning.freedman_diaconis(sample) / self.resolution), 1) * self.resolution
        edges = binning.edges(sample, bins=bins, width=width, start=start, rule=rule)
        place = binning.places(self.centres, edges, covering=bins is None or width is None)
        inside = (place >= 0) & (place < len(edges) - 1)
        counts = np.bincount(place[inside], weights=self.counts[inside], minlength=len(edges) - 1).astype(np.int64)
        return Histogram(counts, edges, self.missing + self.total - int(counts.sum()), self.resolution)

    def unit(self, bins: int = 256) -> Histogram:
        """Rebinned, over the range 0 to 1: images of any depth can then be merged."""
        return Histogram(self.rebin(bins).counts, _level_edges(0.0, 1.0, bins), self.missing)

    @property
    def bins(self) -> int:
        return len(self.counts)

    @cached_property
    def centres(self) -> NDArray[np.float64]:
        """The middle of every bin; for grey levels the level itself."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def range(self) -> tuple[float, float]:
        """The centres of the first and the last bin: black and white."""
        return float(self.centres[0]), float(self.centres[-1])

    @cached_property
    def unit_levels(self) -> NDArray[np.float64]:
        """Where every bin stands in the range, float64 (bins,), 0 (black) to 1 (white)."""
        return np.linspace(0.0, 1.0, self.bins)

    @cached_property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    @cached_property
    def cumulative(self) -> NDArray[np.float64]:
        """The share of the values up to and including each bin, float64 (bins,); zeros where nothing was counted."""
        return np.cumsum(self.counts) / max(self.total, 1)

    def _moment(self, power: int) -> float:
        if not self.total:
            return math.nan
        if np.count_nonzero(self.counts) == 1:
            return 0.0  # the mean may miss the one level by rounding, which is no spread
        return float(self.counts @ (self.centres - self.mean) ** power) / self.total

    @cached_property
    def mean(self) -> float:
        return float(self.counts @ self.centres) / self.total if self.total else math.nan

    @cached_property
    def variance(self) -> float:
        """Of the values as they are (divided by n)."""
        return self._moment(2)

    @cached_property
    def skewness(self) -> float:
        """Third standardised moment; negative: the mass is bright and the tail dark (over-exposed). 0 for a constant."""
        return self._moment(3) / self.variance**1.5 if self.variance else 0.0

    @cached_property
    def kurtosis(self) -> float:
        """Fourth standardised moment less 3; 0 for a normal distribution, and for a constant."""
        return self._moment(4) / self.variance**2 - 3 if self.variance else 0.0

    @cached_property
    def entropy(self) -> float:
        """Shannon entropy of the bins in bits; 0 for a constant, log2(bins) for an even spread."""
        shares = self.counts[self.counts > 0] / max(self.total, 1)
        return float(abs(-(shares * np.log2(shares)).sum()))

    def percentile(self, q: float) -> float:
        """The q-th percentile (0 to 100) of the bin centres, linear between values as numpy.percentile.

        >>> Histogram.of_values([1, 2, 3, 10], width=1, start=0.5).percentile(50)
        2.5
        """
        if not 0 <= q <= 100:
            raise UsageError(f"the percentile is {q}; expected 0 to 100.")
        if not self.total:
            return math.nan
        place = (self.total - 1) * q / 100
        ranks = np.cumsum(self.counts)
        below, above = np.searchsorted(ranks, [math.floor(place), math.ceil(place)], side="right")
        low, high = float(self.centres[below]), float(self.centres[above])
        return low + (high - low) * (place - math.floor(place))

    @property
    def saturation(self) -> tuple[float, float]:
        """The shares of the values in the first and in the last bin: crushed blacks and burnt whites."""
        return float(self.counts[0]) / max(self.total, 1), float(self.counts[-1]) / max(self.total, 1)

    def table(self) -> list[tuple[str, int]]:
        """The frequency table: the interval of every bin as text, and its count."""
        return list(zip(map(self._interval, self.edges[:-1], self.edges[1:]), self.counts.tolist(), strict=True))

    def _interval(self, low: float, high: float) -> str:
        step = self.resolution
        if step is None:
            return f"[{low:.6g}, {high:.6g})"
        first = math.ceil(round(low / step, 6)) * step
        last = (math.ceil(round(high / step, 6)) - 1) * step
        return f"{first:.10g}" if round(last / step) <= round(first / step) else f"{first:.10g} to {last:.10g}"

    def save(self, path: str | Path) -> None:
        """Write as JSON: {"counts", "edges", "missing", "resolution"}; `match("file.json")` takes it as a reference."""
        Path(path).write_text(json.dumps(self.as_json()), encoding="utf-8")

    def as_json(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        bins = {"counts": self.counts.tolist(), "edges": self.edges.tolist()}
        return {**bins, "missing": self.missing, "resolution": self.resolution}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Histogram:
        """What `as_json` gave."""
        counts, edges = np.array(content["counts"], np.int64), np.array(content["edges"], np.float64)
        return cls(counts, edges, int(content["missing"]), content["resolution"])

    @classmethod
    def load(cls, path: str | Path) -> Histogram:
        """Read what `save` wrote; UsageError for anything else."""
        try:
            return cls.of_json(json.loads(whole_file(path)))
        except FileNotFoundError:
            raise UsageError(f"the histogram '{path}' does not exist; make it with: evenray histogram DATA") from None
        except (UsageError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"'{path}' is not a saved histogram ({error}); make one: evenray histogram DATA") from None


@lru_cache(maxsize=32)
def _level_edges(low: float, high: float, bins: int) -> NDArray[np.float64]:
    half = (high - low) / (bins - 1) / 2 if bins > 1 else 0.5
    edges = np.linspace(low - half, high + half, bins + 1)
    edges.setflags(write=False)  # shared by all histograms of the range
    return edges
