"""Polarity: images that are negatives against their fellows, such as an X-ray whose air is white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._consensus import ALIKE, Look, agreement, fellows, likeness, pictures
from ._table import worst_first

__all__ = ["polarity"]

SPREADS = 5.0
DISTINCT = 0.4  # the spread above which a negative cannot be told in this kind of image (ultrasound)


def polarity(dataset: Dataset) -> list[Finding]:
    """Images that agree better with the negatives of their fellows (the cases of one modality and view)."""
    cases = dataset.cases
    if not dataset.has_sketch("fingerprint"):
        return []
    scores, opposed = np.ones(cases.height), np.zeros(cases.height, np.bool_)
    for rows in fellows(cases):
        scores[rows], opposed[rows] = _opposed(rows, pictures(dataset))
    if not opposed.any():
        return []
    return [
        Finding(
            "polarity",
            "warning",
            "Images of opposite polarity",
            "They are negatives against the others (air is white where theirs is black). Check the photometric "
            "interpretation of the files; invert them, or exclude them.",
            worst_first(cases, opposed, -scores.round(6)),
            {"images": int(opposed.sum()), "lowest_agreement": round(float(scores[opposed].min()), 3)},
        )
    ]


def _opposed(rows: NDArray[np.int64], look: Look) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    def even(chosen: NDArray[np.int64]) -> NDArray[np.floating]:
        """The frequencies that no flip changes, so that an image upside down is not taken for a negative."""
        lines = look(chosen).reshape(-1, 8, 8)[:, ::2, ::2].reshape(-1, 16)
        return np.asarray(lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-9))

    alike = likeness(rows, even)
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
