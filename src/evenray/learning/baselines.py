"""Simple models that learn in seconds, which a network must beat to be worth its trouble."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Predictions
from evenray.metrics.operating import TINY

from .balance import correct

__all__ = ["baselines"]

Floats = NDArray[np.float64]

TREES = 200
MOST = 20_000  # training cases: more take minutes
NUMBERS = (
    "rows", "columns", "channels", "bits", "bits_stored", "low", "high", "spacing_row", "spacing_column", "window_center",
    "window_width",
)  # fmt: skip
WORDS = ("format", "dtype", "modality", "manufacturer", "view", "photometric", "site")


def baselines(
    dataset: Dataset, like: Predictions, target: Floats | None = None, *, seed: int = 0
) -> dict[str, Predictions]:
    """The predictions of each simple model for the cases of `like`, in its order, by its name.

    `header` sees the size of the image and what the header says of how it was made, `histogram` its grey levels without
    their places, `thumbnail` 32 x 32 pixels: extremely randomised trees (Geurts, Ernst & Wehenkel 2006) learn each on the
    training part, of at most 20,000 cases. A model is left out where nothing that it sees varies. Probabilities are moved from
    the class shares of the training part to `target` (K,), where that is given, as those of the network are.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    part = dataset.cases["part"]
    train = np.flatnonzero((part == "train").to_numpy())
    if len(train) > MOST:
        train = np.sort(np.random.default_rng(seed).choice(train, MOST, replace=False))
    places = {name: row for row, name in enumerate(dataset.cases["case"].to_list())}
    asked = np.array([places[name] for name in like.table["case"].to_list()])
    targets, K = dataset.targets, len(dataset.classes)
    found = {}
    for name, features in _seen(dataset, np.concatenate([train, asked])):
        known, new = features[: len(train)], features[len(train) :]
        if not (known != known[0]).any():
            continue
        model = ExtraTreesClassifier(TREES, random_state=seed, n_jobs=-1).fit(known, targets[train])
        p_NK = np.full((len(asked), K), TINY)
        p_NK[:, model.classes_] = np.clip(model.predict_proba(new), TINY, 1)
        p_NK /= p_NK.sum(axis=1, keepdims=True)
        if target is not None:
            prior = np.maximum(np.bincount(targets[train], minlength=K), TINY)
            p_NK = np.exp(correct(np.log(p_NK), target, prior / prior.sum()))
        columns = {f"p_{k}": pl.Series(p_NK[:, k]) for k in range(K)}
        found[name] = Predictions(like.table.with_columns(**columns), like.classes, like.positive)
    return found


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
