"""Polarity: images that are negatives against their peers, such as an X-ray whose air is white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import warn
from ._peers import ALIKE, Features, agreement, common_part, peer_groups, unit_fingerprints

__all__ = ["polarity"]

SPREADS = 5.0
DISTINCT = 0.4  # the spread above which a negative cannot be recognised in this kind of image (ultrasound)


def polarity(dataset: Dataset) -> list[Finding]:
    """Images that agree better with the negatives of their peers (the cases of one modality and view); colour is not asked."""
    cases = dataset.cases
    if not dataset.has_sketch("fingerprint"):
        return []
    scores, opposed = np.ones(cases.height), np.zeros(cases.height, np.bool_)
    for rows in peer_groups(dataset, radiographs=True):
        scores[rows], opposed[rows] = _opposed(rows, unit_fingerprints(dataset))
    return warn("polarity", cases, opposed, -scores.round(6), lowest_agreement=scores[opposed].min(initial=1))


def _opposed(rows: NDArray[np.int64], features: Features) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    def even(chosen: NDArray[np.int64]) -> NDArray[np.floating]:
        """The frequencies that no flip changes, so that an image upside down is not taken for a negative."""
        lines = features(chosen).reshape(-1, 8, 8)[:, ::2, ::2].reshape(-1, 16)
        return np.asarray(lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9))

    alike = common_part(rows, even)
    if np.median(np.abs(alike)) < ALIKE:
        return np.ones(len(rows)), np.zeros(len(rows), np.bool_)
    # Half a set in negative would cancel the other half out, so all are brought to one sign first.
    sign = np.ones(int(rows.max()) + 1)
    sign[rows] = np.where(alike < 0, -1, 1)
    scores, spread = agreement(
        rows, lambda chosen: even(chosen) * sign[chosen, None], lambda chosen: -even(chosen) * sign[chosen, None]
    )
    scores = scores * sign[rows]
    return scores, (scores < min(-0.3, 1 - SPREADS * spread)) & (spread < DISTINCT)
