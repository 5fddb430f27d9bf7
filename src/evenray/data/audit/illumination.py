"""Illumination: light that falls off to one side or to the edges, as no fellow's does."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._consensus import agreement, fellows
from ._fingerprint import fingerprint_of
from ._table import numbers, values_text, worst_first

__all__ = ["FALLOFFS", "illumination"]

SPREADS = 6.0
FRAMED = 0.1
DISTINCT = 0.45  # the spread above which a fall-off cannot be told in this kind of image

_ALONG = np.linspace(0, 1, 32, dtype=np.float32)
_RADIUS = ((_ALONG[:, None] - 0.5) ** 2 + (_ALONG - 0.5) ** 2) / 0.5
_EVEN = np.ones((32, 32), np.float32)

# What is left of the light at each place of the thumbnail, for a fall-off that a reader would notice.
FALLOFFS: dict[str, NDArray[np.float32]] = {
    "to the right": _EVEN - 0.6 * _ALONG,
    "to the left": _EVEN - 0.6 * _ALONG[::-1],
    "to the bottom": _EVEN - 0.6 * _ALONG[:, None],
    "to the top": _EVEN - 0.6 * _ALONG[::-1, None],
    "to the edges": (_EVEN - 0.8 * _RADIUS).astype(np.float32),
}


def illumination(dataset: Dataset) -> list[Finding]:
    """Images that look more like their fellows under a fall-off of the light than like their fellows."""
    cases = dataset.cases
    if not dataset.has_sketch("thumbnail"):
        return []
    scores, darker = np.ones(cases.height), np.full(cases.height, -1)
    for rows in fellows(cases):
        for number, light in enumerate(FALLOFFS.values()):
            agreed, spread = agreement(rows, partial(_lit, dataset, _EVEN), partial(_lit, dataset, light))
            if spread < DISTINCT:
                worse = (agreed < min(-0.3, 1 - SPREADS * spread)) & (agreed < scores[rows])
                scores[rows[worse]], darker[rows[worse]] = agreed[worse], number
    # A frame left by collimation is dark too, and is the matter of another check.
    found = (darker >= 0) & ~(numbers(cases, "frame") > FRAMED)
    if not found.any():
        return []
    where = pl.Series("where", [list(FALLOFFS)[number] for number in darker[found]])
    return [
        Finding(
            "illumination",
            "warning",
            "Images of uneven light",
            "Their light falls off as that of no other image does (an off-centre beam or grid, gain, vignetting). A local "
            "contrast method such as clahe evens it out; a global one cannot.",
            worst_first(cases, found, -scores.round(6)),
            {"images": int(found.sum()), "darker": values_text(where)},
        )
    ]


def _lit(dataset: Dataset, light: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.floating]:
    """Fingerprints of the thumbnails under that light, relative to their mean grey level, float32 (rows, 63)."""
    lines = fingerprint_of(dataset.sketch("thumbnail", rows) * light).reshape(-1, 64)
    return np.asarray(lines[:, 1:] / np.maximum(lines[:, :1], 0.02))
