"""On real chest X-rays: what each remedy does to the probabilities, and that its correction undoes it.

One in twenty-one is sick in training and one in four in testing, so the correction moves them to another prevalence.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn.functional import cross_entropy

from evenray.core.types import Predictions
from evenray.learning.balance import Balance, make, thin
from evenray.metrics import difference, score

CLASSES = ("normal", "pneumonia")
REMEDIES = [
    "weighted(auto)",
    "weighted(effective)",
    "oversample",
    "undersample",
    "progressive",
    "focal",
    "class_balanced_focal",
    "logit_adjustment",
    "ldam",
]


@pytest.fixture(scope="module")
def xrays(evenray_data):
    """PneumoniaMNIST as 49 mean brightnesses an image, the sick thinned to one in twenty of the training part."""
    data = np.load(evenray_data / "medmnist" / "pneumoniamnist.npz")

    def features(part):
        return torch.tensor(
            data[f"{part}_images"].reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49) / 255.0 - 0.5
        )

    targets = data["train_labels"][:, 0].astype(np.int64)
    kept = thin(targets, np.arange(len(targets)), positive=1, ratio=20, seed=0)
    test_targets = np.concatenate([data["val_labels"], data["test_labels"]])[:, 0].astype(np.int64)
    held = thin(test_targets, np.arange(len(test_targets)), positive=1, ratio=3, seed=0)
    test = torch.cat([features("val"), features("test")])
    return features("train")[kept], targets[kept], test[held], test_targets[held]


def learnt(balance: Balance, xrays) -> np.ndarray:
    """Logits of the test images from a linear network, fitted to what the sampler draws, with a little weight decay."""
    x, targets, test, _ = xrays
    drawn = np.arange(len(targets))
    if balance.sampler is not None:
        drawn = np.concatenate([balance.sampler(targets, batch=32, seed=0, epoch=e) for e in range(20, 40)])
    repeated = torch.from_numpy(drawn)
    weights = torch.zeros(50, 2, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weights], max_iter=150, line_search_fn="strong_wolfe")
    inputs, labels = torch.cat([x, torch.ones(len(x), 1)], 1)[repeated], torch.from_numpy(targets)[repeated]

    def closure():
        search.zero_grad()
        logits = inputs @ weights
        loss = cross_entropy(logits, labels) if balance.loss is None else balance.loss(logits, labels, 1.0)
        loss = loss + 1e-3 * (weights[:-1] ** 2).sum()
        loss.backward()
        return loss

    search.step(closure)
    return (torch.cat([test, torch.ones(len(test), 1)], 1) @ weights).detach().numpy()


def told(logits: np.ndarray, targets: np.ndarray) -> Predictions:
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    table = {"case": [f"case{i}" for i in range(len(targets))], "patient": [None] * len(targets), "target": targets}
    return Predictions(
        pl.DataFrame(table | {"p_0": p[:, 0], "p_1": p[:, 1]}, schema_overrides={"patient": pl.String}),
        CLASSES,
        "pneumonia",
    )


def corrected(balance: Balance, xrays) -> Predictions:
    logits = learnt(balance, xrays)
    return told(balance.correct(logits, np.bincount(xrays[1]), np.bincount(xrays[3])), xrays[3])


@pytest.fixture(scope="module")
def plain(xrays):
    return corrected(Balance(), xrays)


@pytest.mark.parametrize("spec", REMEDIES)
def test_corrected_probabilities_are_no_worse_than_those_of_plain_training(spec, xrays, plain):
    found = corrected(make(spec, np.bincount(xrays[1]), CLASSES), xrays)
    for metric in ("brier", "ece"):
        gap = difference(found, plain, metric, resamples=500)
        assert gap.low < 0.001, f"{metric} is worse by {gap}"


def test_left_uncorrected_they_are_worse(xrays, plain):
    """The network learnt as if half were sick, where one in four is."""
    balance = make("oversample", np.bincount(xrays[1]), CLASSES)
    bent, mended = told(learnt(balance, xrays), xrays[3]), corrected(balance, xrays)
    for metric in ("brier", "ece"):
        assert difference(bent, mended, metric, resamples=500).low > 0
    assert score(bent, resamples=0).auroc.value == pytest.approx(score(mended, resamples=0).auroc.value)
    half = corrected(replace(balance, prior=np.array([0.2, 0.8])), xrays)  # a prior that is not the one learnt
    assert difference(half, plain, "brier", resamples=500).low > 0
