"""What the images of a set have in common, and which of them stand against it: turned, mirrored, or in negative."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ._fingerprint import fingerprints
from ._table import FELLOWS, column

__all__ = ["agreement", "fellows", "likeness", "pictures"]

Lines = NDArray[np.float64]


def pictures(cases: pl.DataFrame) -> Lines:
    """Fingerprints without their mean grey level, each of length one, float64 (cases, 8, 8)."""
    lines = fingerprints(cases).astype(np.float64)
    lines[:, 0] = 0
    lines /= np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9)
    return lines.reshape(-1, 8, 8)


def fellows(cases: pl.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Row numbers of the cases of each modality and view, in order of their names; groups under 20 are left out."""
    both = [column(cases, name).fill_null("").cast(pl.String) for name in ("modality", "view")]
    keys = (both[0] + "/" + both[1]).alias("group")
    table = pl.DataFrame([keys, cases["case"]]).with_row_index("row").sort("group", "case")
    for group in table.partition_by("group", maintain_order=True):
        if group.height >= FELLOWS:
            yield group["row"].to_numpy().astype(np.int64)


def agreement(images: Lines, changed: Lines) -> tuple[NDArray[np.float64], float]:
    """How far each image agrees with its fellows, 1, rather than with their changed (mirrored, ...) selves, -1.

    A linear discriminant (Fisher 1936) between the images and their changed selves, learnt on one half of the images
    and applied to the other; float64 (images,) with median 1, and the robust standard deviation below that median.
    Infinite spread where the two cannot be told apart.
    """
    difference = (images - changed).reshape(len(images), -1)
    scores = np.empty(len(images))
    for half in (0, 1):
        scores[half::2] = difference[half::2] @ _discriminant(difference[1 - half :: 2])
    median = float(np.median(scores))
    if median <= 1e-9:
        return np.ones(len(images)), np.inf
    scores /= median
    return scores, 1.4826 * float(np.median(1 - scores[scores <= 1]))


def _discriminant(difference: Lines) -> NDArray[np.float64]:
    count, size = difference.shape
    covariance = np.cov(difference.T)
    level = np.trace(covariance) / size
    # Few images give a covariance that is too flat in some directions: shrink it towards the sphere.
    weight = max(size / (size + count), 1e-3)
    shrunk = (1 - weight) * covariance + (weight * level + 1e-12) * np.eye(size)
    return np.asarray(np.linalg.solve(shrunk, difference.mean(axis=0)))


def likeness(images: Lines) -> NDArray[np.float64]:
    """The cosine of each picture to the first principal direction of all, -1 to 1, float64 (images,).

    Most are positive; where neither sign has 60 %, those with darker edges are, as X-rays have in air.

    >>> up = np.zeros((3, 8, 8)); up[:, 0, 2] = [1, 1, -1]
    >>> likeness(up)
    array([ 1.,  1., -1.])
    """
    lines = images.reshape(len(images), -1)
    common = np.linalg.eigh(lines.T @ lines)[1][:, -1]
    found = np.asarray(lines @ common)
    positive = float((found > 0).mean())
    if abs(positive - 0.5) > 0.1:
        return found if positive > 0.5 else -found
    # The frequencies (0, 2) and (2, 0) are positive where the edges are brighter than the centre.
    bright_edges = common[2] + common[16] > 0
    return -found if bright_edges else found
