"""A linear discriminant, cross-validated by patient; scikit-learn's, but without the second that its import takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["discriminate", "folds", "out_of_fold"]

SHRINKAGE = 0.05  # of the covariance towards the sphere: neighbouring levels and places are nearly the same


def out_of_fold(
    values: NDArray[np.float64], targets: NDArray[np.int64], patients: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.float64]:
    """The log-odds of every case's classes by a discriminant that has not seen its patient, float64 (cases, classes).

    `targets` are 0 to K - 1.
    """
    scores = np.empty((len(targets), int(targets.max()) + 1))
    fold = folds(targets, patients, count, seed)
    for k in range(count):
        test = fold == k
        scores[test] = discriminate(values[~test], targets[~test], values[test], scores.shape[1])
    return scores


def folds(targets: NDArray[np.int64], patients: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """The fold of each case, 0 to count - 1: patients whole, and those of each class dealt out in turn, int64 (cases,).

    >>> folds(np.array([0, 0, 0, 1, 1, 1]), np.array([4, 4, 5, 6, 7, 7]), 2, seed=0).tolist()
    [0, 0, 1, 1, 0, 0]
    """
    owners, member = np.unique(patients, return_inverse=True)
    cases = np.zeros((int(targets.max()) + 1, len(owners)), np.int64)
    np.add.at(cases, (targets, member), 1)
    # By the class that they (mostly) have, those with many cases first, equals as chance will have it.
    chance = np.random.default_rng(seed).permutation(len(owners))
    order = np.lexsort((chance, -cases.sum(axis=0), cases.argmax(axis=0)))
    fold = np.empty(len(owners), np.int64)
    fold[order] = np.arange(len(owners)) % count
    return fold[member]


def discriminate(
    taught: NDArray[np.float64], targets: NDArray[np.int64], asked: NDArray[Any], classes: int
) -> NDArray[np.float64]:
    """Log-odds of each class against the others, all being equally likely beforehand, float64 (asked, classes).

    Fisher's discriminant with the mean covariance of the classes, shrunk (Hastie, Tibshirani and Friedman, 4.3).
    A class that was not taught is never meant.

    >>> discriminate(np.array([[0.0], [2], [4], [6]]), np.array([0, 0, 1, 1]), np.array([[4.0], [5]]), 2).round(3)
    array([[-4.,  4.],
           [-8.,  8.]])
    """
    known = [k for k in range(classes) if (targets == k).any()]
    means = np.stack([taught[targets == k].mean(axis=0) for k in known])
    covariance = np.zeros((taught.shape[1], taught.shape[1]))
    for k, mean in zip(known, means, strict=True):
        centred = taught[targets == k] - mean
        covariance += centred.T @ centred / (len(centred) * len(known))
    covariance *= 1 - SHRINKAGE
    size = np.trace(covariance) / (1 - SHRINKAGE) / len(covariance)
    covariance[np.diag_indices_from(covariance)] += SHRINKAGE * size + 1e-9
    weights = np.linalg.solve(covariance, means.T)
    scores = np.full((len(asked), classes), -np.inf)
    scores[:, known] = asked @ weights - 0.5 * np.einsum("kf,fk->k", means, weights)
    others = [np.logaddexp.reduce(np.delete(scores, k, axis=1), axis=1) for k in range(classes)]
    return np.asarray(scores - np.stack(others, axis=1))
