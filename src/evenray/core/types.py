"""The types that flow through the line: images in, cases and findings between, predictions and scores out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .errors import DataError, UsageError
from .numbers import decimals, interval
from .sketches import Rows

__all__ = ["Curve", "Dataset", "Estimate", "Finding", "Image", "Predictions", "Scores", "Severity"]

T = TypeVar("T", bound=np.generic)
Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # the gravest first
PARTS = ("train", "validation", "test")
REJECTED = {"file": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class Image:
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


@dataclass(frozen=True)
class Curve:
    """A transfer curve: for each bin of a histogram, black to white, the grey level it becomes.

    `values` is float64 (bins,), in units of the range: 0 is the low level, 1 the high one. Curves compose to one.

    >>> Curve(np.array([0.0, 0.5, 1.0])).then(Curve(np.array([1.0, 0.5, 0.0]))).values
    array([1. , 0.5, 0. ])
    """

    values: NDArray[np.float64]

    def then(self, other: Curve) -> Curve:
        """This curve first, `other` after it, as one curve (linear between the other's bins)."""
        bins = np.linspace(0.0, 1.0, len(other.values))
        return Curve(np.interp(self.values, bins, other.values))


@dataclass(frozen=True)
class Dataset:
    """A table of labelled cases and where their pixels are; a few hundred bytes a case, no pixel in memory.

    `cases` has one row a case; `classes` are the label names in the order of the network's outputs; `positive` is the
    class that sensitivity is about. `root` is the folder (or file) that the column `file` is relative to.
    Columns: see docs/cases.md. Those every data set has: case, file, fragment, label, patient, site, part.
    `sketches` are the arrays that a scan keeps of the pixels, by name: histogram uint32 (256,), thumbnail uint8 (32, 32),
    fingerprint float16 (64,) a case. The column `sketch` says which of their rows is a case's.
    """

    cases: pl.DataFrame
    classes: tuple[str, ...]
    positive: str
    root: str
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED))
    facts: Mapping[str, Any] = field(default_factory=dict)
    sketches: Mapping[str, Rows] = field(default_factory=dict)

    @classmethod
    def of_shards(cls, shards: Sequence[Dataset]) -> Dataset:
        """One data set of several that were scanned apart, below one root and with one $EVENRAY_KEY; sketches in memory.

        The positive class is the first one's. Raises UsageError where the roots differ.

        >>> one = Dataset(pl.DataFrame({"case": ["a"], "sketch": [0]}), ("x",), "x", ".", sketches={"mean": np.array([0.1])})
        >>> two = replace(one, cases=one.cases.with_columns(case=pl.lit("b")), classes=("y",))
        >>> both = Dataset.of_shards([one, two])
        >>> both.classes, both.sketch("mean")
        (('x', 'y'), array([0.1, 0.1]))
        """
        first = shards[0]
        for shard in shards:
            if shard.root != first.root:
                raise UsageError(
                    f"Shards of '{first.root}' and of '{shard.root}' cannot be joined; scan below one root."
                )
        known = [name for name in first.sketches if all(shard.has_sketch(name) for shard in shards)]
        every = {name: [shard.sketch(name) for shard in shards] for name in known}
        cases = pl.concat([shard.cases for shard in shards], how="diagonal_relaxed")
        if known:
            cases = cases.with_columns(sketch=pl.int_range(pl.len(), dtype=pl.UInt32))
        classes = tuple(dict.fromkeys(name for shard in shards for name in shard.classes))
        facts: dict[str, Any] = {
            "patients_known": any(shard.facts.get("patients_known") for shard in shards),
            "synthetic": any(shard.facts.get("synthetic") for shard in shards),
            "unlabelled": sum(shard.facts.get("unlabelled", 0) for shard in shards),
            "notes": list(dict.fromkeys(note for shard in shards for note in shard.facts.get("notes", ()))),
        }
        if searched := [shard.facts["patient_pattern"] for shard in shards if "patient_pattern" in shard.facts]:
            facts["patient_pattern"] = {name: sum(each[name] for each in searched) for name in ("paths", "matched")}
        return replace(
            first, cases=cases, classes=classes, rejected=pl.concat([shard.rejected for shard in shards]),
            facts={**first.facts, **facts}, sketches={name: np.concatenate(arrays) for name, arrays in every.items()},
        )  # fmt: skip

    def has_sketch(self, name: str) -> bool:
        """Whether the cases have a sketch of this name; tables from elsewhere have none."""
        return name in self.sketches and "sketch" in self.cases.columns

    def sketch(self, name: str, rows: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """The sketches of all cases, or of those at row numbers of `cases`: an array (cases, ...), read when asked for.

        >>> means = {"mean": np.array([0.1, 0.2, 0.3])}
        >>> data = Dataset(pl.DataFrame({"case": ["c", "a"], "sketch": [2, 0]}), ("x", "y"), "x", ".", sketches=means)
        >>> data.sketch("mean"), data.sketch("mean", np.array([1]))
        (array([0.3, 0.1]), array([0.1]))
        """
        numbers = self.cases["sketch"] if rows is None else self.cases["sketch"].gather(rows)
        return self.sketches[name][numbers.to_numpy().astype(np.int64)]

    def to_learn_from(self) -> Dataset:
        """The data set itself; DataError where it has fewer than two classes, of which nothing can be learnt."""
        require_classes(self.classes, self.root, len(self))
        return self

    def part(self, name: str) -> Dataset:
        """The cases of one part: train, validation or test."""
        if "part" not in self.cases.columns:
            raise DataError("The cases are not split yet; run 'evenray split' first.")
        return replace(self, cases=self.cases.filter(pl.col("part") == name))

    @property
    def targets(self) -> NDArray[np.int64]:
        """The class index of every case, int64 (cases,)."""
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array([index[label] for label in self.cases["label"]], dtype=np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Cases a class, in class order."""
        found = dict(self.cases["label"].value_counts().iter_rows())
        return {name: int(found.get(name, 0)) for name in self.classes}

    def __len__(self) -> int:
        return self.cases.height


def require_classes(classes: Collection[str], root: object, images: int) -> None:
    """DataError where there are no two classes; an audit does without, a classifier does not.

    >>> require_classes(["well"], "films", 3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: All 3 images of 'films' have the label 'well'; a classifier needs two classes or more. ...
    """
    if len(classes) > 1:
        return
    if classes:
        raise DataError(
            f"All {images} images of '{root}' have the label '{next(iter(classes))}'; a classifier needs two classes or"
            " more. Check the folder or the column of labels."
        )
    raise DataError(
        f"The {images} images of '{root}' have no labels: put them into one folder a class, or give --labels TABLE."
    )


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found: which check, how bad, which cases, the evidence as numbers, what to do.

    `check` is the name in the registry; `title` is a short sentence, `advice` another; `evidence` maps names to
    numbers or short texts. `cases` are case names; a finding about the whole set has none.
    """

    check: str
    severity: Severity
    title: str
    advice: str
    cases: tuple[str, ...] = ()
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Predictions:
    """What a model said of every case: everything that metrics and reports need, and nothing else.

    `table` has case, patient, part, label, target (int64), logit_0 ... logit_K-1 and p_0 ... p_K-1 (float64; after
    prior correction and calibration); rows stand in the order of the data set. Group columns (site) may follow.
    Arrays are made once, and read-only.
    """

    table: pl.DataFrame
    classes: tuple[str, ...]
    positive: str

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
        """The true class index, int64 (cases,)."""
        return _kept(self.table["target"].to_numpy().astype(np.int64))

    @cached_property
    def patients(self) -> NDArray[np.int64]:
        """A cluster index a case, int64 (cases,); cases of unknown patient stand alone."""
        names = self.table["patient"].fill_null("").to_list()
        seen: dict[str, int] = {}
        return _kept(np.array([seen.setdefault(n or f"\0{i}", len(seen)) for i, n in enumerate(names)], dtype=np.int64))

    def _columns(self, name: str) -> NDArray[np.float64]:
        columns = [f"{name}_{k}" for k in range(len(self.classes))]
        return _kept(self.table.select(columns).to_numpy().astype(np.float64))

    @property
    def positive_index(self) -> int:
        return self.classes.index(self.positive)

    def part(self, name: str) -> Predictions:
        return replace(self, table=self.table.filter(pl.col("part") == name))


def _kept(array: NDArray[T]) -> NDArray[T]:
    array.setflags(write=False)
    return array


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, and the same figure for the always-majority baseline.

    >>> print(Estimate(0.912, 0.87, 0.95, 0.5))
    0.912 (0.870 to 0.950; always the majority: 0.500)
    >>> print(Estimate(0.9997, 0.9982, 0.99994, 0.5))
    >0.999 (0.998 to >0.999; always the majority: 0.500)
    >>> print(Estimate(0.333, float("nan"), float("nan"), 0.111))
    0.333 (no interval; always the majority: 0.111)
    """

    value: float
    low: float
    high: float
    baseline: float

    def __str__(self) -> str:
        beside = f"always the majority: {decimals(self.baseline)}"
        return interval(self.value, self.low, self.high, decimals, beside)


@dataclass(frozen=True)
class Scores:
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

    def __getattr__(self, name: str) -> Estimate:
        estimates = self.__dict__.get("estimates", {})
        if name in estimates:
            found: Estimate = estimates[name]
            return found
        raise AttributeError(f"no score named '{name}'; there are: {', '.join(estimates)}")
