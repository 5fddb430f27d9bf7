"""Polarity: images that are negatives against their fellows, such as an X-ray whose air is white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._consensus import ALIKE, Floats, agreement, fellows, likeness, pictures
from ._table import worst_first

__all__ = ["polarity"]

SPREADS = 5.0
DISTINCT = 0.4  # the spread above which a negative cannot be told in this kind of image (ultrasound)


def polarity(dataset: Dataset) -> list[Finding]:
    """Images that agree better with the negatives of their fellows (the cases of one modality and view)."""
    cases = dataset.cases
    if "fingerprint" not in cases.columns:
        return []
    scores, opposed = np.ones(cases.height), np.zeros(cases.height, np.bool_)
    # The even frequencies alone: they are those that no flip changes, so an image upside down is not taken for a negative.
    images = pictures(cases)[:, ::2, ::2]
    for rows in fellows(cases):
        scores[rows], opposed[rows] = _opposed(images[rows])
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


def _opposed(images: Floats) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    alike = likeness(images)
    if np.median(np.abs(alike)) < ALIKE:
        return np.ones(len(images)), np.zeros(len(images), np.bool_)
    # Half a set in negative would cancel the other half out, so all are brought to one sign first.
    sign = np.where(alike < 0, -1, 1).astype(images.dtype)
    upright = images * sign[:, None, None]
    scores, spread = agreement(upright, -upright)
    scores = scores * sign
    return scores, (scores < min(-0.3, 1 - SPREADS * spread)) & (spread < DISTINCT)
