"""Out-of-distribution images: how unlike the training images an image is.

A network answers whatever it is shown, a photo of a cat included. Here seven numbers say how far an image is from the
training images, and a limit is set so that a stated share of images like them exceeds any of the limits: the conformal
quantile (Vovk et al., Algorithmic Learning in a Random World, 2005) of the training images' own distances, each taken
from the others (five folds by patient).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.model import DistributionRecord
from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset, Image
from evenray.data.audit import measure
from evenray.images.histogram import Histogram

__all__ = ["Deviation", "Fingerprint", "deviations", "fit", "unlike"]

Floats = NDArray[np.float64]

RATE = 0.01  # the share of images like the training images that is flagged
FEWEST = 20  # training images
MOST = 20_000  # training images that are looked at, evenly spread
FOLDS = 5
LEVELS = 32
COLUMNS = ("rows", "columns", "channels", "bits", "photometric", "noise", "sharpness")
SKETCHES = ("histogram", "fingerprint")
# How far a number has to move before it means anything, however little it varied in training (logarithms, but for likeness),
# and what is added to those that may be zero.
LEAST = {"size": 0.1, "aspect": 0.1, "noise": 0.25, "sharpness": 0.25, "likeness": 0.05}
FLOORS = {"noise": 0.002, "sharpness": 0.05}
PLAIN = ("size", "aspect", "noise", "sharpness")  # logarithms, too low or too high
WIDE = ("histogram", "picture")  # lengths in many dimensions, too high
# and "likeness", the correlation with the mean picture, too low: a negative, a flip, another part of the body
NAMES = {
    "size": "side", "picture": "distance of the picture", "histogram": "distance of the grey levels",
    "likeness": "likeness to the mean picture",
}  # fmt: skip


@dataclass(frozen=True)
class Fingerprint:
    """What an image is compared by, as the scan measures it; `histogram` is uint32 (256,), `picture` the rough picture."""

    rows: int
    columns: int
    channels: int
    bits: int
    photometric: str
    noise: float
    sharpness: float
    histogram: NDArray[np.uint32]
    picture: NDArray[Any]

    @classmethod
    def of(cls, image: Image) -> Fingerprint:
        histogram = Histogram.of(image)
        measured = measure(image, histogram, only=("fingerprint", "noise", "blur"))
        return cls(
            rows=image.shape[0], columns=image.shape[1], channels=image.channels, bits=image.bits,
            photometric=image.header.get("photometric_in_file", image.photometric),
            noise=float(measured["noise"]), sharpness=float(measured["sharpness"]),
            histogram=histogram.rebin(256).counts.astype(np.uint32), picture=np.asarray(measured["fingerprint"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Deviation:
    """One way in which an image is unlike the training images: which number, its value, and what it may be.

    `kind` is one of PLAIN or WIDE, likeness, channels, bits or photometric.
    """

    kind: str
    value: float | int | str
    expected: str

    def __str__(self) -> str:
        value = f"{self.value:.3g}" if isinstance(self.value, float) else self.value
        return f"{self.kind} {value} (trained on {self.expected})"


def deviations(known: DistributionRecord, images: Sequence[Fingerprint]) -> list[list[Deviation]]:
    """For each image, in what it is unlike the training images; an empty list where in nothing."""
    cases = pl.DataFrame(
        [{name: getattr(image, name) for name in COLUMNS} for image in images], infer_schema_length=None
    )
    wide = _wide(np.stack([image.histogram for image in images]), np.stack([image.picture for image in images]))
    found: list[list[Deviation]] = [[] for _ in images]
    for kind, seen in known.seen.items():
        for row, value in enumerate(cases[kind].to_list()):
            if value not in seen:
                found[row].append(Deviation(kind, _word(kind, value), " or ".join(_word(kind, s) for s in seen)))
    plain = _plain(cases)
    learnt = _Learnt.of(known)
    values = {kind: np.exp(plain[kind]) for kind in PLAIN}
    values["likeness"] = _likeness(wide["picture"], learnt.shapes["picture"][0])
    for kind, distance in learnt.distances(plain, wide).items():
        for row in np.flatnonzero(distance > known.limits[kind]).tolist():
            value = float(values.get(kind, distance)[row])
            found[row].append(Deviation(NAMES.get(kind, kind), value, _range(known, kind)))
    return found


def unlike(known: DistributionRecord, dataset: Dataset) -> int | None:
    """How many images of a data set are unlike the training images; None where its scan kept too little to tell."""
    cases = dataset.cases
    if not set(COLUMNS) <= set(cases.columns) or not all(map(dataset.has_sketch, SKETCHES)):
        return None
    pictures = zip(*map(dataset.sketch, SKETCHES), strict=True)
    rows = cases.select(COLUMNS).with_columns(pl.col("noise", "sharpness").fill_null(0.0)).iter_rows(named=True)
    images = [
        Fingerprint(**row, histogram=counts, picture=lines) for row, (counts, lines) in zip(rows, pictures, strict=True)
    ]
    return sum(map(bool, deviations(known, images)))


def _range(known: DistributionRecord, kind: str) -> str:
    """The values of a number that are within its limit, in words."""
    if kind in WIDE:
        return f"up to {known.limits[kind]:.3g}"
    below, above = (known.limits[kind] * side for side in known.spread[kind])
    if kind == "likeness":
        return f"from {known.middle[kind] - below:.3g} up"
    return f"{np.exp(known.middle[kind] - below):.3g} to {np.exp(known.middle[kind] + above):.3g}"


def fit(dataset: Dataset) -> DistributionRecord | None:
    """Describe the images of a data set (the training part); None where they are too few, or its table lacks the numbers."""
    cases = dataset.cases
    if cases.height < FEWEST or not set(COLUMNS) <= set(cases.columns):
        return None
    if not all(map(dataset.has_sketch, SKETCHES)):
        return None
    few = replace(dataset, cases=cases.gather_every(-(-cases.height // MOST)))
    cases = few.cases
    plain, wide = _plain(cases), _wide(*map(few.sketch, SKETCHES))
    fold = _folds(cases)
    scores: dict[str, Floats] = {kind: np.zeros(cases.height) for kind in (*PLAIN, "likeness", *WIDE)}
    for held in range(FOLDS):
        outside = fold == held
        learnt = _Learnt.fit(_taken(plain, ~outside), _taken(wide, ~outside))
        for kind, distance in learnt.distances(_taken(plain, outside), _taken(wide, outside)).items():
            scores[kind][outside] = distance
    # One limit for all numbers together: each in units of its own usual high.
    units = {kind: max(float(np.quantile(score, 0.9)), 1.0) for kind, score in scores.items()}
    worst = np.max([score / units[kind] for kind, score in scores.items()], axis=0)
    rank = min(len(worst), int(np.ceil((len(worst) + 1) * (1 - RATE))))
    limit = float(np.sort(worst)[rank - 1])
    rates = {"all": float((worst > limit).mean())}
    members = few.members
    rates |= {name: float((worst[members[name]] > limit).mean()) for name in few.classes if members[name].any()}
    learnt = _Learnt.fit(plain, wide)
    return DistributionRecord(
        seen={kind: tuple(sorted(cases[kind].drop_nulls().unique())) for kind in ("channels", "bits", "photometric")},
        middle=learnt.middle, spread=learnt.spread,
        shapes={kind: (_text(mean), _text(whitening)) for kind, (mean, whitening) in learnt.shapes.items()},
        limits={kind: limit * unit for kind, unit in units.items()},
        rates=rates,
        cases=cases.height,
    )  # fmt: skip


def _plain(cases: pl.DataFrame) -> dict[str, Floats]:
    rows, columns = (cases[name].to_numpy().astype(np.float64) for name in ("rows", "columns"))
    noise, sharpness = (
        np.log(np.maximum(cases[name].fill_null(0.0).to_numpy().astype(np.float64), 0.0) + FLOORS[name])
        for name in ("noise", "sharpness")
    )
    return {
        "size": np.log(rows * columns) / 2,
        "aspect": np.log(rows / columns),
        "noise": noise,
        "sharpness": sharpness,
    }


def _wide(histograms: NDArray[Any], fingerprints: NDArray[Any]) -> dict[str, Floats]:
    counts = histograms.reshape(len(histograms), LEVELS, -1).sum(axis=2, dtype=np.float64)
    cumulative = np.cumsum(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), axis=1)[:, :-1]
    return {"histogram": cumulative, "picture": fingerprints.astype(np.float64)}


def _folds(cases: pl.DataFrame) -> NDArray[np.int64]:
    """A fold for each case; the images of one patient, and equal images, share it."""
    own = pl.Series(cases["case"] if "case" in cases.columns else np.arange(cases.height).astype(str)).cast(pl.String)
    who = pl.select(pl.coalesce(patient_groups(cases), own)).to_series()
    _, number = np.unique(who.to_numpy().astype(str), return_inverse=True)
    order = np.random.default_rng(0).permutation(int(number.max()) + 1)
    return np.asarray(order[number] % FOLDS, dtype=np.int64)


def _taken(numbers: Mapping[str, Floats], rows: NDArray[np.bool_]) -> dict[str, Floats]:
    return {kind: values[rows] for kind, values in numbers.items()}


@dataclass(frozen=True)
class _Learnt:
    """Middles, spreads and shapes as in DistributionRecord, the shapes as arrays."""

    middle: dict[str, float]
    spread: dict[str, tuple[float, float]]
    shapes: dict[str, tuple[Floats, Floats]]

    @classmethod
    def fit(cls, plain: Mapping[str, Floats], wide: Mapping[str, Floats]) -> _Learnt:
        shapes = {kind: _shape(wide[kind]) for kind in WIDE}
        numbers = {**plain, "likeness": _likeness(wide["picture"], shapes["picture"][0])}
        quantiles = {kind: np.quantile(values, (0.05, 0.5, 0.95)).tolist() for kind, values in numbers.items()}
        spread = {
            kind: (max(middle - low, LEAST[kind]), max(high - middle, LEAST[kind]))
            for kind, (low, middle, high) in quantiles.items()
        }
        return cls({kind: middle for kind, (_, middle, _) in quantiles.items()}, spread, shapes)

    @classmethod
    def of(cls, known: DistributionRecord) -> _Learnt:
        shapes = {}
        for kind, (mean, whitening) in known.shapes.items():
            shapes[kind] = (_numbers(mean), _numbers(whitening).reshape(-1, len(_numbers(mean))))
        return cls(known.middle, known.spread, shapes)

    def distances(self, plain: Mapping[str, Floats], wide: Mapping[str, Floats]) -> dict[str, Floats]:
        """How far each image is from the middle, in spreads."""
        found = {}
        for kind in PLAIN:
            distance, (below, above) = plain[kind] - self.middle[kind], self.spread[kind]
            found[kind] = np.abs(distance) / np.where(distance < 0, below, above)
        alike = _likeness(wide["picture"], self.shapes["picture"][0])
        found["likeness"] = np.maximum(self.middle["likeness"] - alike, 0) / self.spread["likeness"][0]
        for kind in WIDE:
            mean, whitening = self.shapes[kind]
            found[kind] = np.linalg.norm((wide[kind] - mean) @ whitening.T, axis=1)
        return found


def _likeness(pictures: Floats, mean: Floats) -> Floats:
    """The correlation of each picture with the mean one, -1 to 1; the mean grey (the first number) left out."""
    lines, middle = pictures[:, 1:], mean[1:]
    return np.asarray(lines @ middle / np.maximum(np.linalg.norm(lines, axis=1) * np.linalg.norm(middle), 1e-12))


def _shape(rows: Floats) -> tuple[Floats, Floats]:
    """The mean, and the matrix that makes the spread of the rows round (Ledoit & Wolf 2004), scaled to a mean length of 1."""
    from sklearn.covariance import ledoit_wolf

    mean = rows.mean(axis=0)
    covariance, _ = ledoit_wolf(rows)
    covariance = covariance + np.eye(len(mean)) * max(1e-8, 0.01 * float(np.trace(covariance)) / len(mean))
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)) / np.sqrt(len(mean))
    return mean, np.asarray(whitening)


def _word(kind: str, value: int | str) -> str:
    if kind == "channels":
        return "colour" if value == 3 else "grey"
    return str(value)


def _text(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _numbers(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
