"""Simple models that learn in seconds, which a network must beat to be worth its trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Predictions
from evenray.metrics.operating import TINY

from .balance import correct
from .linear_head import VARIANCE
from .tasks.question import Target

__all__ = ["TrunkFeatures", "baselines"]

Floats = NDArray[np.float64]

TREES = 100  # 200 take twice as long and rank no better
MOST = 20_000  # training cases: more take minutes
NUMBERS = (
    "rows", "columns", "channels", "bits", "bits_stored", "low", "high", "spacing_row", "spacing_column", "window_center",
    "window_width",
)  # fmt: skip
WORDS = ("format", "dtype", "modality", "manufacturer", "view", "photometric", "site")


@dataclass(frozen=True)
class TrunkFeatures:
    """What a frozen trunk made of cases, by name, float32 (n, D): of those to predict, and of all training cases, or of so many as
    were `drawn`. `weights` is the name of the trunk's."""

    cases: Sequence[str]
    features: NDArray[np.float32]
    weights: str
    drawn: int | None = None

    def of(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Those of some cases, in their order.

        >>> TrunkFeatures(["a", "b"], np.array([[0.5], [2.0]], np.float32), "vgg16").of(["b"]).tolist()
        [[2.0]]
        """
        places = {name: row for row, name in enumerate(self.cases)}
        return self.features[[places[name] for name in names]]


def baselines(
    dataset: Dataset, like: Predictions, target: Target | None = None, *, seed: int = 0, trunk: TrunkFeatures | None = None
) -> dict[str, Predictions]:  # fmt: skip
    """The predictions of each simple model for the cases of `like`, in its order, by its name.

    `header` sees the size of the image and what the header says of how it was made, `histogram` its grey levels without
    their places, `thumbnail` 32 x 32 pixels: extremely randomised trees (Geurts, Ernst & Wehenkel 2006) learn each on the
    training part, of at most 20,000 cases; of several findings each by itself, on the cases of which it is known. `trunk` is
    logistic regression on the features of a frozen trunk, where they are given, learnt from the training cases that have any. A
    model is left out where nothing that it sees varies. Probabilities are moved from the class shares of the training part to
    those of `target`, as those of the network are: one entry (K,) a question, None where the shares are to stay.
    """
    part = dataset.cases["part"]
    train = np.flatnonzero((part == "train").to_numpy())
    if len(train) > MOST:
        train = np.sort(np.random.default_rng(seed).choice(train, MOST, replace=False))
    places = {name: row for row, name in enumerate(dataset.cases["case"].to_list())}
    asked = np.array([places[name] for name in like.table["case"].to_list()])
    several = dataset.facts.task == "tag"
    answers = dataset.targets[train] if several else dataset.targets[train, None]
    K, shares = 2 if several else len(dataset.classes), [None] * answers.shape[1] if target is None else target
    found = {}
    whole = _seen(dataset, np.concatenate([train, asked]))
    seen = [(name, features[: len(train)], answers, features[len(train) :]) for name, features in whole]
    if trunk is not None:
        rows = np.flatnonzero(((part == "train") & dataset.cases["case"].is_in(list(trunk.cases))).to_numpy())
        known = trunk.of(dataset.cases["case"].gather(rows).to_list())
        told = dataset.targets[rows] if several else dataset.targets[rows, None]
        seen.append(("trunk", known, told, trunk.of(like.table["case"].to_list())))
    for name, known, told, new in seen:
        if not (known != known[0]).any():
            continue
        model = _logistic(known.shape[1]) if name == "trunk" else _trees(seed)
        each = [_learnt(model, known, own, new, K, at) for own, at in zip(told.T, shares, strict=True)]
        p = np.column_stack([p_NK[:, 1] for p_NK in each]) if several else each[0]
        found[name] = like.with_probabilities(p)
    return found


def _trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(TREES, random_state=seed, n_jobs=-1)


def _logistic(features: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=VARIANCE / features, max_iter=1000))


def _learnt(
    model: Any, features: NDArray[np.float32], answers: NDArray[np.int64], new: NDArray[np.float32], K: int,
    target: Floats | None,
) -> Floats:  # fmt: skip
    """The probabilities (N, K) of the `new` features, learnt from those whose answer is known (not below 0)."""
    rows = np.flatnonzero(answers >= 0)
    counts = np.maximum(np.bincount(answers[rows], minlength=K), TINY)
    p_NK = np.full((len(new), K), TINY)
    if len(classes := np.unique(answers[rows])) > 1:
        model.fit(features[rows], answers[rows])
        if hasattr(
            model, "n_jobs"
        ):  # trees may grow at once; their votes are added in order, for rounding depends on it
            model.set_params(n_jobs=1)
        p_NK[:, model.classes_] = np.clip(model.predict_proba(new), TINY, 1)
    elif len(classes):
        p_NK[:, classes] = 1
    p_NK /= p_NK.sum(axis=1, keepdims=True)
    return p_NK if target is None else np.exp(correct(np.log(p_NK), target, counts / counts.sum()))


def _seen(dataset: Dataset, rows: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """What each model sees of the cases at these rows, float32 (rows, features)."""
    header = _header(dataset.cases[rows])
    if header.shape[1]:
        yield "header", header
    if dataset.has_sketch("histogram"):
        counts = dataset.sketch("histogram", rows).astype(np.float32)
        yield "histogram", counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if dataset.has_sketch("thumbnail"):
        yield "thumbnail", dataset.sketch("thumbnail", rows).reshape(len(rows), -1).astype(np.float32)


def _header(cases: pl.DataFrame) -> NDArray[np.float32]:
    """Numbers as they are, -1 where unknown, and a column for each word that occurs."""
    columns = [cases[name].cast(pl.Float32).fill_null(-1).to_numpy() for name in NUMBERS if name in cases.columns]
    for name in WORDS:
        if name in cases.columns:
            words = cases[name].cast(pl.String)
            columns += [
                (words == word).fill_null(False).cast(pl.Float32).to_numpy()
                for word in words.drop_nulls().unique().sort()
            ]
    return np.stack(columns, axis=1) if columns else np.empty((cases.height, 0), np.float32)
