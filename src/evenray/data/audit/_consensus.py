"""What the images of a set have in common, and which of them stand against it: turned, in negative, unevenly lit.

The question is always the same: does an image look like its fellows, or like its fellows after a fault? A linear
discriminant between the images and their own changed copies is the sharpest answer that 64 frequencies give, and it
learns from the set itself what varies there anyhow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.sketches import blocks
from evenray.core.types import Dataset

from ._table import FELLOWS, column

__all__ = ["ALIKE", "Look", "agreement", "fellows", "few", "likeness", "pictures", "seen"]

Rows = NDArray[np.int64]
Look = Callable[[Rows], NDArray[np.floating]]  # the features of the cases at these rows, (rows, features)
ALIKE = 0.5  # the usual likeness of an image to what all have in common, above which there is something in common
TAUGHT = 5000  # images that a discriminant is learnt from, at most


def pictures(dataset: Dataset) -> Look:
    """Fingerprints without their mean grey level, each of length one, float32 (rows, 64)."""

    def look(rows: Rows) -> NDArray[np.floating]:
        lines = dataset.sketch("fingerprint", rows).astype(np.float32)
        lines[:, 0] = 0
        return np.asarray(lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9))

    return look


def fellows(cases: pl.DataFrame) -> Iterator[Rows]:
    """Row numbers of the cases of each modality and view, in order of their names; groups under 20 are left out."""
    both = [column(cases, name).fill_null("").cast(pl.String) for name in ("modality", "view")]
    table = pl.DataFrame([(both[0] + "/" + both[1]).alias("group"), cases["case"]]).with_row_index("row")
    for group in table.sort("group", "case").partition_by("group", maintain_order=True):
        if group.height >= FELLOWS:
            yield group["row"].to_numpy().astype(np.int64)


def few(rows: Rows) -> Rows:
    """At most 5,000 of them, evenly spread: enough to learn from, however many there are."""
    return rows[:: -(-len(rows) // TAUGHT)] if len(rows) else rows


def looked(rows: Rows, look: Look) -> NDArray[np.floating]:
    """The features of all rows, so many at a time that the pictures take little memory."""
    return np.concatenate([look(rows[block]) for block in blocks(len(rows))])


def seen(rows: Rows, look: Look, direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features of all rows along a direction, a few thousand at a time."""
    return np.asarray(looked(rows, lambda block: look(block) @ direction), np.float64)


def agreement(rows: Rows, look: Look, changed: Look) -> tuple[NDArray[np.float64], float]:
    """How far each image agrees with its fellows, 1, rather than with their changed copies, -1.

    A linear discriminant (Fisher 1936) is learnt on every other image and applied to the rest; float64 (rows,) with
    median 1, and the robust standard deviation below that median. Infinite where the two cannot be told apart.

    >>> rng = np.random.default_rng(0)
    >>> images = np.ones((99, 4)) + 0.1 * rng.normal(size=(99, 4)); images[7] *= -1
    >>> scores, spread = agreement(np.arange(99), lambda rows: images[rows], lambda rows: -images[rows])
    >>> int(scores.argmin()), bool(scores[7] < -0.8), bool(spread < 0.2)
    (7, True, True)
    """
    scores = np.empty(len(rows))
    for half in (0, 1):
        taught, judged = few(rows[1 - half :: 2]), rows[half::2]
        direction = _discriminant(looked(taught, look), looked(taught, changed))
        own = seen(judged, look, direction)
        usual, faulty = float(np.median(own)), float(np.median(seen(few(judged), changed, direction)))
        if usual - faulty <= 1e-9:
            return np.ones(len(rows)), np.inf
        scores[half::2] = 2 * (own - faulty) / (usual - faulty) - 1
    return scores, 1.4826 * float(np.median(1 - scores[scores <= 1]))


def _discriminant(images: NDArray[np.floating], changed: NDArray[np.floating]) -> NDArray[np.float64]:
    count, size = images.shape
    covariance = (np.cov(images.T) + np.cov(changed.T)) / 2
    level = np.trace(covariance) / size
    # Few images give a covariance that is too flat in some directions: shrink it towards the sphere.
    weight = max(size / (size + count), 1e-3)
    shrunk = (1 - weight) * covariance + (weight * level + 1e-12) * np.eye(size)
    return np.asarray(np.linalg.solve(shrunk, (images.mean(axis=0) - changed.mean(axis=0)).astype(np.float64)))


def likeness(rows: Rows, look: Look) -> NDArray[np.float64]:
    """The part of each picture along the first principal direction of all, -1 to 1 for unit pictures, float64 (rows,).

    Of even frequencies, (rows, 16). Most are positive; where neither sign has 60 %, those with darker edges are, as
    X-rays have in air.

    >>> pictures = np.zeros((3, 16)); pictures[:, 1] = [1, 1, -1]
    >>> likeness(np.arange(3), lambda rows: pictures[rows])
    array([ 1.,  1., -1.])
    """
    taught = look(few(rows)).astype(np.float64)
    common = np.linalg.eigh(taught.T @ taught)[1][:, -1]
    found = seen(rows, look, common)
    positive = float((found > 0).mean())
    if abs(positive - 0.5) > 0.1:
        return found if positive > 0.5 else -found
    # The frequencies (0, 2) and (2, 0) are positive where the edges are brighter than the centre.
    bright_edges = common[1] + common[4] > 0
    return -found if bright_edges else found
