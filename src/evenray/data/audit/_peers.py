"""What images of one kind have in common, and which differ from it: turned, in negative, unevenly lit.

The question is always the same: does an image look like its peers, or like its peers after a fault? A linear
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

from ._cases import PEERS, column, numbers

__all__ = ["ALIKE", "Features", "agreement", "common_part", "peer_groups", "projected", "sample", "unit_fingerprints"]

Rows = NDArray[np.int64]
Features = Callable[[Rows], NDArray[np.floating]]  # the features of the cases at these rows, (rows, features)
EYE = ("OP", "OPT")  # DICOM PS3.3 C.7.3.1.1.1: ophthalmic photography and tomography
ALIKE = 0.5  # the median common part from which on the images have something in common
SAMPLE = 5000  # images that a discriminant is learnt from, at most


def unit_fingerprints(dataset: Dataset) -> Features:
    """Fingerprints without their mean grey level, each of length one, float32 (rows, 64)."""

    def features(rows: Rows) -> NDArray[np.floating]:
        lines = dataset.sketch("fingerprint", rows).astype(np.float32)
        lines[:, 0] = 0
        return np.asarray(lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9))

    return features


def peer_groups(dataset: Dataset, *, radiographs: bool = False) -> Iterator[Rows]:
    """Row numbers of the cases of each modality and view, in order of their names; groups under 20 are left out.

    `radiographs` leaves out colour pictures and photographs of the eye: nothing there has an up and a down, or is dark by
    rule, that its peers could tell.
    """
    cases = dataset.cases
    modality, view = (column(cases, name).cast(pl.String).fill_null("").to_list() for name in ("modality", "view"))
    photographs = (numbers(cases, "channels") == 3) | np.isin(modality, EYE)
    groups: dict[tuple[str, str], list[int]] = {}
    for row in cases["case"].arg_sort().to_list():
        if not (radiographs and photographs[row]):
            groups.setdefault((modality[row], view[row]), []).append(row)
    for _, rows in sorted(groups.items()):
        if len(rows) >= PEERS:
            yield np.array(rows, np.int64)


def sample(rows: Rows) -> Rows:
    """At most 5,000 of the rows, evenly spread: enough to learn from, however many there are."""
    return rows[:: -(-len(rows) // SAMPLE)] if len(rows) else rows


def projected(rows: Rows, features: Features, direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features of all rows along a direction, a few thousand at a time, float64 (rows,)."""
    return np.concatenate([np.asarray(features(rows[block]) @ direction, np.float64) for block in blocks(len(rows))])


def agreement(rows: Rows, features: Features, changed: Features) -> tuple[NDArray[np.float64], float]:
    """How far each image agrees with its peers, 1, rather than with their changed copies, -1.

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
        taught, asked = sample(rows[1 - half :: 2]), rows[half::2]
        direction = _discriminant(features(taught), changed(taught))
        own = projected(asked, features, direction)
        median, faulty = float(np.median(own)), float(np.median(projected(sample(asked), changed, direction)))
        if median - faulty <= 1e-9:
            return np.ones(len(rows)), np.inf
        scores[half::2] = 2 * (own - faulty) / (median - faulty) - 1
    return scores, 1.4826 * float(np.median(1 - scores[scores <= 1]))


def _discriminant(images: NDArray[np.floating], changed: NDArray[np.floating]) -> NDArray[np.float64]:
    """The direction from changed copies to images, float64 (features,)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    count, size = images.shape
    # Few images give a covariance that is too flat in some directions: shrink it towards the sphere.
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=max(size / (size + count), 1e-3))
    both = np.concatenate([images, changed]).astype(np.float64)
    return np.asarray(model.fit(both, np.repeat([1, 0], count)).coef_[0])


def common_part(rows: Rows, features: Features) -> NDArray[np.float64]:
    """The part of each unit picture along the first principal direction of all, -1 to 1, float64 (rows,).

    `features` are even frequencies, (rows, 16). The sign is that of most pictures; where neither has 60 %, that of
    pictures with darker edges, as X-rays have in air.

    >>> pictures = np.zeros((3, 16)); pictures[:, 1] = [1, 1, -1]
    >>> common_part(np.arange(3), lambda rows: pictures[rows])
    array([ 1.,  1., -1.])
    """
    taught = features(sample(rows)).astype(np.float64)
    common = np.linalg.eigh(taught.T @ taught)[1][:, -1]
    found = projected(rows, features, common)
    positive = float((found > 0).mean())
    if abs(positive - 0.5) > 0.1:
        return found if positive > 0.5 else -found
    # The frequencies (0, 2) and (2, 0) are positive where the edges are brighter than the centre.
    bright_edges = common[1] + common[4] > 0
    return -found if bright_edges else found
