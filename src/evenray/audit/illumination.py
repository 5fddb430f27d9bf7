"""Illumination: light that falls off to one side or to the edges, as no fellow's does."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._consensus import Floats, agreement, fellows
from ._fingerprint import fingerprint_of
from ._table import numbers, pixel_rows, values_text, worst_first

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
    if "thumbnail" not in cases.columns:
        return []
    scores, darker = np.ones(cases.height), np.full(cases.height, -1)
    images = _relative(cases, _EVEN)
    for number, light in enumerate(FALLOFFS.values()):
        changed = _relative(cases, light)
        for rows in fellows(cases):
            agreed, spread = agreement(images[rows], changed[rows])
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


def _relative(cases: pl.DataFrame, light: NDArray[np.float32]) -> Floats:
    """Fingerprints of the thumbnails under that light, relative to their mean grey level, float32 (cases, 63)."""
    result = np.empty((cases.height, 63), np.float32)
    for rows, block in pixel_rows(cases, "thumbnail", "u1", 1024):
        lit = fingerprint_of(block.reshape(-1, 32, 32) * light).reshape(len(block), 64)
        result[rows] = lit[:, 1:] / np.maximum(lit[:, :1], 0.02)
    return result
