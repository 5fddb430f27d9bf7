"""The types that flow through the line: images in, cases and findings between, predictions and scores out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .annotations import Task
from .boundary import checked_class
from .dataset import PARTS, REJECTED, Dataset, require_classes
from .display import Displayed
from .errors import DataError, UsageError
from .numbers import decimals, interval
from .tags import ABSENT, PRESENT, UNKNOWN

__all__ = [
    "PARTS", "REJECTED", "Curve", "Dataset", "Estimate", "Image", "Predictions", "Scores",
    "require_classes",
]  # fmt: skip

T = TypeVar("T", bound=np.generic)


@checked_class
@dataclass(frozen=True)
class Image(Displayed):
    """One decoded image, in the units of its file.

    `pixels` is (H, W) or (H, W, 3), uint8, uint16, int16 or float32, brighter meaning more (MONOCHROME1 is already
    inverted). `value_range` is the grey range (low, high) that the header declares: black and white, never the image's own
    extremes; values outside it saturate. `valid` is None where every pixel counts, else bool (H, W), False where
    data is missing (padding, NaN). `spacing_mm` is (row, column) with its source. `header` holds what describes the
    acquisition, never what identifies a person.

    >>> image = Image(np.zeros((4, 6), np.uint16), value_range=(0, 4095))
    >>> image.shape, image.channels, image.bits
    ((4, 6), 1, 12)
    """

    pixels: NDArray[Any]
    value_range: tuple[float, float]
    valid: NDArray[np.bool_] | None = None
    photometric: str = "MONOCHROME2"
    spacing_mm: tuple[float, float] | None = None
    spacing_source: str | None = None
    sha256: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pixels.ndim not in (2, 3) or (self.pixels.ndim == 3 and self.pixels.shape[2] != 3):
            raise UsageError(f"pixels have shape {self.pixels.shape}; expected (H, W) or (H, W, 3).")
        if not self.pixels.size:
            raise UsageError(f"pixels have shape {self.pixels.shape}; expected one pixel or more.")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.int16, np.float32):
            raise UsageError(f"pixels have dtype {self.pixels.dtype}; expected uint8, uint16, int16 or float32.")
        if not self.value_range[0] < self.value_range[1]:
            raise UsageError(f"value_range is {self.value_range}; expected (low, high) with low < high.")
        if self.valid is not None and self.valid.shape != self.shape:
            raise UsageError(f"valid has shape {self.valid.shape}; expected {self.shape}, as the pixels.")

    def __repr__(self) -> str:
        height, width = self.shape
        low, high = self.value_range
        missing = 0 if self.valid is None else int(self.valid.size - np.count_nonzero(self.valid))
        size = f"{height} x {width}" + (" x 3" if self.channels == 3 else "")
        return f"Image({size}, {self.pixels.dtype}, value range {low:g} to {high:g}, missing pixels {missing:,})"

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def channels(self) -> int:
        return 1 if self.pixels.ndim == 2 else 3

    @property
    def bits(self) -> int:
        """Bits that the range of levels needs; 32 for float pixels."""
        if self.pixels.dtype == np.float32:
            return 32
        return max(1, int(np.ceil(np.log2(self.value_range[1] - self.value_range[0] + 1))))

    def with_pixels(self, pixels: NDArray[Any], **changes: Any) -> Image:
        """The same image with other pixels."""
        return replace(self, pixels=pixels, **changes)


@checked_class
@dataclass(frozen=True)
class Curve(Displayed):
    """A transfer curve: for each bin of a histogram, black to white, the grey level it becomes.

    `values` is float64 (bins,), in units of the range: 0 is the low level, 1 the high one. Curves compose to one.

    >>> Curve(np.array([0.0, 0.5, 1.0])).then(Curve(np.array([1.0, 0.5, 0.0]))).values
    array([1. , 0.5, 0. ])
    """

    values: NDArray[np.float64]

    def __repr__(self) -> str:
        places = (0, len(self.values) // 2, len(self.values) - 1)
        told = ", ".join(f"{place} -> {self.values[place]:.3g}" for place in dict.fromkeys(places))
        return f"Curve({len(self.values)} levels: {told})"

    def then(self, other: Curve) -> Curve:
        """This curve first, `other` after it, as one curve (linear between the other's bins)."""
        bins = np.linspace(0.0, 1.0, len(other.values))
        return Curve(np.interp(self.values, bins, other.values))


@dataclass(frozen=True)
class Predictions:
    """What a model said of every case: everything that metrics and reports need, and nothing else.

    `table` has case, patient, part, label, target (int64), logit_0 ... logit_K-1 and p_0 ... p_K-1 (float64; after
    prior correction and calibration); rows stand in the order of the data set. Group columns (site) may follow.
    Where `task` is tag, the classes are findings of which a case may have several: in place of label and target stand
    target_0 ... target_K-1 (bool, null where unknown), and p_k is the probability of finding k by itself.
    Of a cross-validation each case has the `fold` that held it out and, where there is one, the `threshold` (of findings
    threshold_k) of that fold. Arrays are made once, and read-only.
    """

    table: pl.DataFrame
    classes: tuple[str, ...]
    positive: str
    task: Task = "classify"

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Corrected probabilities, float64 (cases, classes); DataError where one is no number."""
        p = self._columns("p")
        if not (known := np.isfinite(p).all(axis=1)).all():
            row = int(known.argmin())
            case = f"'{self.table['case'][row]}'" if "case" in self.table.columns else f"row {row}"
            raise DataError(
                f"The probabilities of {int((~known).sum())} of {len(p)} cases are no numbers ({case} is the first); leave"
                " these cases out, or predict them again."
            )
        return p

    @cached_property
    def logits(self) -> NDArray[np.float64]:
        """The network's own outputs, float64 (cases, classes)."""
        return self._columns("logit")

    @cached_property
    def targets(self) -> NDArray[np.int64]:
        """The true class index, int64 (cases,); of findings 1 present, 0 absent, -1 unknown: int64 (cases, classes)."""
        if self.task != "classify":
            known = [self.table[f"target_{k}"].cast(pl.Int64).fill_null(UNKNOWN) for k in range(len(self.classes))]
            return _kept(np.column_stack([one.to_numpy() for one in known]).astype(np.int64))
        return _kept(self.table["target"].to_numpy().astype(np.int64))

    @cached_property
    def patients(self) -> NDArray[np.int64]:
        """A cluster index a case, int64 (cases,); cases of unknown patient stand alone."""
        names = self.table["patient"].fill_null("").to_list()
        seen: dict[str, int] = {}
        return _kept(np.array([seen.setdefault(n or f"\0{i}", len(seen)) for i, n in enumerate(names)], dtype=np.int64))

    @cached_property
    def folds(self) -> NDArray[np.int64] | None:
        """Of a cross-validation the fold that held out each case, int64 (cases,); None of a test part."""
        if not self._tells("fold"):
            return None
        return _kept(self.table["fold"].to_numpy().astype(np.int64))

    @cached_property
    def thresholds(self) -> NDArray[np.float64] | None:
        """Of a cross-validation the threshold of each case's own fold, float64 (cases,); None where there is one for all."""
        return _kept(self.table["threshold"].to_numpy().astype(np.float64)) if self._tells("threshold") else None

    def _tells(self, name: str) -> bool:
        return name in self.table.columns and self.table[name].null_count() < self.table.height

    def _columns(self, name: str) -> NDArray[np.float64]:
        columns = [f"{name}_{k}" for k in range(len(self.classes))]
        return _kept(self.table.select(columns).to_numpy().astype(np.float64))

    @property
    def positive_index(self) -> int:
        return self.classes.index(self.positive)

    def part(self, name: str) -> Predictions:
        return replace(self, table=self.table.filter(pl.col("part") == name))

    def with_probabilities(self, p_NK: NDArray[np.float64]) -> Predictions:
        """The same cases with other probabilities, float64 (cases, classes), or (classes,) for all alike."""
        p_NK = np.broadcast_to(p_NK, (self.table.height, len(self.classes)))
        columns = [pl.Series(f"p_{k}", column) for k, column in enumerate(p_NK.T)]
        return replace(self, table=self.table.with_columns(columns))

    def finding(self, name: str) -> Predictions:
        """One finding by itself, of the cases of which it is known: predictions of the classes absent and present.

        >>> table = pl.DataFrame({"target_0": [True, None], "logit_0": [1.5, 0.0], "p_0": [0.75, 0.5]})
        >>> Predictions(table, ("nodule",), "", "tag").finding("nodule").table.to_dicts()
        [{'label': 'present', 'target': 1, 'logit_0': 0.0, 'logit_1': 1.5, 'p_0': 0.25, 'p_1': 0.75}]
        """
        k, own = self.classes.index(name), ("target_", "logit_", "p_", "threshold_", "prior_")
        has = pl.col(f"target_{k}")
        rest = [column for column in self.table.columns if not column.startswith(own)]
        of_its_fold = []
        if f"threshold_{k}" in self.table.columns:
            of_its_fold.append(pl.col(f"threshold_{k}").alias("threshold"))
        if f"prior_{k}" in self.table.columns:
            of_its_fold += [(1 - pl.col(f"prior_{k}")).alias("prior_0"), pl.col(f"prior_{k}").alias("prior_1")]
        table = self.table.filter(has.is_not_null()).select(
            *rest, pl.when(has).then(pl.lit(PRESENT)).otherwise(pl.lit(ABSENT)).alias("label"),
            has.cast(pl.Int64).alias("target"), pl.lit(0.0).alias("logit_0"), pl.col(f"logit_{k}").alias("logit_1"),
            (1 - pl.col(f"p_{k}")).alias("p_0"), pl.col(f"p_{k}").alias("p_1"), *of_its_fold,
        )  # fmt: skip
        return Predictions(table, (ABSENT, PRESENT), PRESENT)


def _kept(array: NDArray[T]) -> NDArray[T]:
    array.setflags(write=False)
    return array


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, and that of a baseline that looks at no image: the majority class, or nothing found.

    >>> print(Estimate(0.912, 0.87, 0.95, 0.5))
    0.912 (0.870 to 0.950; baseline: 0.500)
    >>> print(Estimate(0.9997, 0.9982, 0.99994, 0.5))
    >0.999 (0.998 to >0.999; baseline: 0.500)
    >>> print(Estimate(0.333, float("nan"), float("nan"), 0.111))
    0.333 (no interval; baseline: 0.111)
    """

    value: float
    low: float
    high: float
    baseline: float

    def __str__(self) -> str:
        beside = f"baseline: {'undefined' if self.baseline != self.baseline else decimals(self.baseline)}"
        return interval(self.value, self.low, self.high, decimals, beside)


@dataclass(frozen=True)
class Scores(Displayed):
    """The evaluation of one part: estimates by name, the operating point, and the counts behind them.

    Estimates are also attributes: `scores.auroc.value`.
    """

    estimates: Mapping[str, Estimate]
    threshold: float | None
    confusion: NDArray[np.int64]
    classes: tuple[str, ...]
    positive: str
    cases: int
    patients: int

    def __repr__(self) -> str:
        figures = "\n".join(f"{name}: {estimate}" for name, estimate in self.estimates.items())
        whose = f"positive: {self.positive}" if self.confusion.size else f"means of {len(self.classes)} findings"
        return f"Scores of {self.cases:,} cases of {self.patients:,} patients, {whose}\n{figures}"

    def __getattr__(self, name: str) -> Estimate:
        estimates = self.__dict__.get("estimates", {})
        if name in estimates:
            found: Estimate = estimates[name]
            return found
        raise AttributeError(f"no score named '{name}'; there are: {', '.join(estimates)}")
