"""Predictions to score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from evenray.core.types import Predictions

Make = Callable[..., Predictions]


@pytest.fixture(scope="session")
def make_predictions() -> Make:
    """Random predictions: `make_predictions(cases, classes, seed, prevalence, patients, decimals)`."""

    def make(
        cases: int = 300,
        classes: int = 2,
        seed: int = 0,
        prevalence: float = 0.3,
        patients: int | None = None,
        decimals: int | None = None,
        strength: float = 1.0,
    ) -> Predictions:
        rng = np.random.default_rng(seed)
        prior = np.full(classes, (1 - prevalence) / (classes - 1))
        prior[-1] = prevalence
        target = rng.choice(classes, size=cases, p=prior)
        logits = rng.normal(size=(cases, classes)) + np.log(prior)
        logits[np.arange(cases), target] += strength
        if decimals is not None:
            logits = logits.round(decimals)
        return of(target, logits, None if patients is None else rng.integers(0, patients, cases))

    return make


def of(target: np.ndarray, logits: np.ndarray, patients: np.ndarray | None = None) -> Predictions:
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    K = p.shape[1]
    names = (*(f"class{k}" for k in range(K - 1)), "sick")
    table = {
        "case": [f"case{i}" for i in range(len(target))],
        "patient": [None] * len(target) if patients is None else [f"patient{i}" for i in patients],
        "part": ["test"] * len(target),
        "label": [names[t] for t in target],
        "target": np.asarray(target, dtype=np.int64),
    }
    table |= {f"logit_{k}": logits[:, k].astype(float) for k in range(K)} | {f"p_{k}": p[:, k] for k in range(K)}
    return Predictions(pl.DataFrame(table, schema_overrides={"patient": pl.String}), names, "sick")


@pytest.fixture(scope="session")
def binary() -> Callable[..., Predictions]:
    """Predictions of two classes from the probabilities of the sick and who is sick."""

    def build(p: list[float], sick: list[int], patients: list[int] | None = None) -> Predictions:
        values = np.asarray(p, dtype=float)
        with np.errstate(divide="ignore"):
            logits = np.log(np.column_stack([1 - values, values]))
        made = of(np.asarray(sick), np.zeros_like(logits), None if patients is None else np.asarray(patients))
        table = made.table.with_columns(
            pl.Series("p_0", 1 - values),
            pl.Series("p_1", values),
            pl.Series("logit_0", logits[:, 0]),
            pl.Series("logit_1", logits[:, 1]),
        )
        return Predictions(table, ("healthy", "sick"), "sick")

    return build
