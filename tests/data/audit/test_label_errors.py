"""Confident disagreement: planted label errors first, and none where a model is merely unsure."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from evenray.core.types import Predictions
from evenray.data.audit import label_errors

CLASSES = ("a", "b", "c")


def predictions(probabilities: NDArray[np.float64], targets: NDArray[np.int64]) -> Predictions:
    count = len(targets)
    columns = {
        "case": [f"case{i:03d}" for i in range(count)],
        "patient": [str(i) for i in range(count)],
        "part": ["test"] * count,
        "label": [CLASSES[k] for k in targets],
        "target": targets,
        **{f"logit_{k}": np.log(probabilities[:, k]) for k in range(3)},
        **{f"p_{k}": probabilities[:, k] for k in range(3)},
    }
    return Predictions(pl.DataFrame(columns), CLASSES, "a")


def confident(truth: NDArray[np.int64], seed: int = 0) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(0, 0.8, (len(truth), 3))
    logits[np.arange(len(truth)), truth] += 4
    return np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))


def test_planted_errors_are_listed() -> None:
    truth = np.arange(1200) % 3
    targets = truth.copy()
    wrong = np.random.default_rng(1).choice(1200, 36, replace=False)
    targets[wrong] = (truth[wrong] + 1) % 3
    [finding] = label_errors(predictions(confident(truth), targets))
    planted = {f"case{i:03d}" for i in wrong}
    assert len(planted & set(finding.cases)) >= 27
    assert len(planted & set(finding.cases)) >= 0.9 * len(finding.cases)
    listed = sum(count for likely in finding.evidence["labelled_but_likely"].values() for count in likely.values())
    assert listed == len(finding.cases)


def test_the_surest_disagreement_comes_first() -> None:
    truth = np.zeros(60, np.int64)
    truth[30:] = 1
    probabilities = confident(truth)
    targets = truth.copy()
    targets[[3, 4]] = 1
    probabilities[3], probabilities[4] = (0.999, 0.0005, 0.0005), (0.97, 0.02, 0.01)
    [finding] = label_errors(predictions(probabilities, targets))
    assert finding.cases[:2] == ("case003", "case004")


def test_agreement_and_doubt_are_not_accused() -> None:
    truth = np.arange(300) % 3
    assert label_errors(predictions(confident(truth), truth)) == []
    unsure = np.full((300, 3), 1 / 3)
    assert label_errors(predictions(unsure, truth)) == []


def test_no_predictions_no_finding() -> None:
    assert label_errors(predictions(np.empty((0, 3)), np.empty(0, np.int64))) == []


def test_a_model_that_cannot_tell_the_classes_accuses_nobody() -> None:
    rng = np.random.default_rng(2)
    noise = rng.dirichlet((2, 2, 2), 600)
    assert label_errors(predictions(noise, np.arange(600) % 3)) == []


def test_what_chance_would_list_stands_beside() -> None:
    """Labels drawn from the probabilities themselves are all right; planted errors come on top."""
    rng, numbers, expected, variants = np.random.default_rng(3), [], [], []
    for seed in range(12):
        # A model that is right about how sure it is: the labels come of its probabilities.
        sure = confident(np.arange(900) % 3, seed)
        targets = (sure.cumsum(axis=1) < rng.random((900, 1))).sum(axis=1)
        [finding] = label_errors(predictions(sure, targets))
        numbers.append(len(finding.cases))
        expected.append(finding.evidence["by_chance"])
        variants.append(finding.variant)
    assert np.mean(expected) == pytest.approx(np.mean(numbers), rel=0.15)
    assert variants.count("more") <= 3
    targets[rng.choice(900, 90, replace=False)] = 0
    [finding] = label_errors(predictions(sure, targets))
    assert finding.variant == "more"
