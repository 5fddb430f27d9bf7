"""Whether an image is of the kind that a network was trained on: its fingerprint against those of the training part.

A network answers whatever it is shown, a photo of a cat included. Here seven numbers say how far an image is from the
training images, each in its own right, and a limit is set so that a stated share of images of the same kind exceeds any
of them: the conformal quantile (Vovk et al., Algorithmic Learning in a Random World, 2005) of the training images' own
distances, each taken from the others (five folds by patient).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.patient_groups import whose
from evenray.core.types import Dataset, Image
from evenray.data.audit import measure
from evenray.images.histogram import Histogram

__all__ = ["Familiar", "Strange", "fingerprint_row", "fit"]

Floats = NDArray[np.float64]

RATE = 0.01  # the share of images of the same kind that is called unfamiliar
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


@dataclass(frozen=True)
class Strange:
    """One way in which an image is unlike the training images: which number, its value, and what it may be.

    `kind` is one of PLAIN or WIDE, likeness, channels, bits or photometric.
    """

    kind: str
    value: float | int | str
    expected: str

    def __str__(self) -> str:
        value = f"{self.value:.3g}" if isinstance(self.value, float) else self.value
        return f"{self.kind} {value} (trained on {self.expected})"


@dataclass(frozen=True)
class Familiar:
    """The kind of images that a network knows. Floats are kept as they are in JSON; the two shapes as base64.

    `seen` are the channels, bits and photometric interpretations of the training part. `middle` and `spread` are of the
    logarithms of the PLAIN numbers, and of likeness. `shapes` hold a mean and a whitening matrix each. `limits` say how
    far each number may be; `rates` are the shares of the training images, "all" and by class, that exceed one.
    """

    seen: Mapping[str, list[Any]]
    middle: Mapping[str, float]
    spread: Mapping[str, list[float]]
    shapes: Mapping[str, tuple[Floats, Floats]]
    limits: Mapping[str, float]
    rates: Mapping[str, float]
    cases: int

    @property
    def false_flags(self) -> float:
        """The share of images of the same kind that is called unfamiliar: as measured, or what so few images can promise."""
        return max(self.rates["all"], 1 / (self.cases + 1))

    def strange(self, rows: Sequence[Mapping[str, Any]]) -> list[list[Strange]]:
        """For each `fingerprint_row`, what is unlike the training images; an empty list where nothing is."""
        cases = pl.DataFrame([{name: row[name] for name in COLUMNS} for row in rows], infer_schema_length=None)
        wide = _wide(*(np.stack([row[name] for row in rows]) for name in SKETCHES))
        found: list[list[Strange]] = [[] for _ in range(cases.height)]
        for kind, known in self.seen.items():
            for row, value in enumerate(cases[kind].to_list()):
                if value not in known:
                    found[row].append(Strange(kind, _word(kind, value), " or ".join(_word(kind, k) for k in known)))
        plain = _plain(cases)
        values = {kind: np.exp(plain[kind]) for kind in PLAIN}
        values["likeness"] = _likeness(wide["picture"], self.shapes["picture"][0])
        for kind, distance in _distances(plain, wide, self.middle, self.spread, self.shapes).items():
            for row in np.flatnonzero(distance > self.limits[kind]).tolist():
                value = values.get(kind, distance)[row]
                found[row].append(Strange(_name(kind), float(value), self._range(kind)))
        return found

    def _range(self, kind: str) -> str:
        if kind in WIDE:
            return f"up to {self.limits[kind]:.3g}"
        if kind == "likeness":
            return f"from {self.middle[kind] - self.limits[kind] * self.spread[kind][0]:.3g} up"
        low, high = (
            float(np.exp(self.middle[kind] + sign * self.limits[kind] * side))
            for sign, side in zip((-1, 1), self.spread[kind], strict=True)
        )
        return f"{low:.3g} to {high:.3g}"

    def as_json(self) -> dict[str, Any]:
        about = asdict(self) | {"shapes": {kind: [_text(a) for a in pair] for kind, pair in self.shapes.items()}}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in about.items()}

    @classmethod
    def of_json(cls, about: Mapping[str, Any]) -> Familiar:
        shapes = {}
        for kind, (mean, whitening) in about["shapes"].items():
            shapes[kind] = (_numbers(mean), _numbers(whitening).reshape(-1, len(_numbers(mean))))
        return cls(**{**about, "shapes": shapes})


def fit(dataset: Dataset) -> Familiar | None:
    """Learn the kind of the images of a data set (the training part); None where they are too few to tell.

    Raises nothing for what a table from elsewhere lacks: it returns None.
    """
    cases = dataset.cases
    if cases.height < FEWEST or not {*COLUMNS, "label"} <= set(cases.columns):
        return None
    if not all(map(dataset.has_sketch, SKETCHES)):
        return None
    few = replace(dataset, cases=cases.gather_every(-(-cases.height // MOST)))
    cases = few.cases
    plain, wide = _plain(cases), _wide(*map(few.sketch, SKETCHES))
    fold = _folds(cases)
    scores: dict[str, Floats] = {kind: np.zeros(cases.height) for kind in (*PLAIN, "likeness", *WIDE)}
    for held in range(FOLDS):
        learnt = _learn(_taken(plain, fold != held), _taken(wide, fold != held))
        outside = fold == held
        for kind, distance in _distances(_taken(plain, outside), _taken(wide, outside), *learnt).items():
            scores[kind][outside] = distance
    # One limit for all numbers together: each in units of its own usual high.
    units = {kind: max(float(np.quantile(score, 0.9)), 1.0) for kind, score in scores.items()}
    worst = np.max([score / units[kind] for kind, score in scores.items()], axis=0)
    rank = min(len(worst), int(np.ceil((len(worst) + 1) * (1 - RATE))))
    limit = float(np.sort(worst)[rank - 1])
    labels = cases["label"].to_numpy()
    rates = {"all": float((worst > limit).mean())}
    rates |= {str(label): float((worst[labels == label] > limit).mean()) for label in np.unique(labels)}
    middle, spread, shapes = _learn(plain, wide)
    return Familiar(
        seen={kind: sorted(cases[kind].drop_nulls().unique().to_list()) for kind in ("channels", "bits", "photometric")},
        middle=middle, spread=spread, shapes=shapes,
        limits={kind: limit * unit for kind, unit in units.items()},
        rates=rates,
        cases=cases.height,
    )  # fmt: skip


def fingerprint_row(image: Image) -> dict[str, Any]:
    """The COLUMNS and SKETCHES of one image, as the scan measures them."""
    histogram = Histogram.of(image)
    measured = measure(image, histogram, only=("fingerprint", "noise", "blur"))
    return {
        "rows": image.shape[0], "columns": image.shape[1], "channels": image.channels, "bits": image.bits,
        "photometric": image.header.get("photometric_in_file", image.photometric),
        "histogram": histogram.rebin(256).counts.astype(np.uint32),
        **{name: measured[name] for name in ("noise", "sharpness", "fingerprint")},
    }  # fmt: skip


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
    who = pl.select(pl.coalesce(whose(cases), own)).to_series()
    _, number = np.unique(who.to_numpy().astype(str), return_inverse=True)
    order = np.random.default_rng(0).permutation(int(number.max()) + 1)
    return np.asarray(order[number] % FOLDS, dtype=np.int64)


def _taken(numbers: Mapping[str, Floats], rows: NDArray[np.bool_]) -> dict[str, Floats]:
    return {kind: values[rows] for kind, values in numbers.items()}


Learnt = tuple[dict[str, float], dict[str, list[float]], dict[str, tuple[Floats, Floats]]]


def _learn(plain: Mapping[str, Floats], wide: Mapping[str, Floats]) -> Learnt:
    """Middles, spreads and shapes."""
    shapes = {kind: _shape(wide[kind]) for kind in WIDE}
    numbers = {**plain, "likeness": _likeness(wide["picture"], shapes["picture"][0])}
    found = {kind: _spread(kind, values) for kind, values in numbers.items()}
    return {k: middle for k, (middle, _) in found.items()}, {k: spread for k, (_, spread) in found.items()}, shapes


def _distances(
    plain: Mapping[str, Floats], wide: Mapping[str, Floats],
    middle: Mapping[str, float], spread: Mapping[str, list[float]], shapes: Mapping[str, tuple[Floats, Floats]],
) -> dict[str, Floats]:  # fmt: skip
    found = {kind: _beyond(plain[kind], middle[kind], spread[kind]) for kind in PLAIN}
    alike = _likeness(wide["picture"], shapes["picture"][0])
    found["likeness"] = np.maximum(middle["likeness"] - alike, 0) / spread["likeness"][0]
    return found | {kind: _length(wide[kind], *shapes[kind]) for kind in WIDE}


def _likeness(pictures: Floats, mean: Floats) -> Floats:
    """The correlation of each picture with the mean one, -1 to 1; the mean grey (the first number) left out."""
    lines, middle = pictures[:, 1:], mean[1:]
    return np.asarray(lines @ middle / np.maximum(np.linalg.norm(lines, axis=1) * np.linalg.norm(middle), 1e-12))


def _spread(kind: str, values: Floats) -> tuple[float, list[float]]:
    """The median, and how far the usual value lies below and above it: the 5 % and 95 % quantiles."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return float(middle), [max(float(side), LEAST[kind]) for side in (middle - low, high - middle)]


def _beyond(values: Floats, middle: float, spread: list[float]) -> Floats:
    distance = values - middle
    return np.asarray(np.abs(distance) / np.where(distance < 0, spread[0], spread[1]))


def _shape(rows: Floats) -> tuple[Floats, Floats]:
    """The mean, and the matrix that makes the spread of the rows round (Ledoit & Wolf 2004), scaled to a mean length of 1."""
    from sklearn.covariance import ledoit_wolf

    mean = rows.mean(axis=0)
    covariance, _ = ledoit_wolf(rows)
    covariance = covariance + np.eye(len(mean)) * max(1e-8, 0.01 * float(np.trace(covariance)) / len(mean))
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)) / np.sqrt(len(mean))
    return mean, np.asarray(whitening)


def _length(rows: Floats, mean: Floats, whitening: Floats) -> Floats:
    return np.asarray(np.linalg.norm((rows - mean) @ whitening.T, axis=1))


def _name(kind: str) -> str:
    names = {
        "size": "side", "picture": "distance of the picture", "histogram": "distance of the grey levels",
        "likeness": "likeness to the mean picture",
    }  # fmt: skip
    return names.get(kind, kind)


def _word(kind: str, value: Any) -> str:
    if kind == "channels":
        return "colour" if value == 3 else "grey"
    return str(value)


def _text(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def _numbers(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
