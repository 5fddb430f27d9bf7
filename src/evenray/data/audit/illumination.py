"""Illumination: light that falls off to one side or to the edges, as no peer's does."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import counted, numbers, warn
from ._fingerprint import fingerprint_of
from ._peers import agreement, peer_groups

__all__ = ["FALLOFFS", "illumination"]

SPREADS = 6.0
FRAMED = 0.1
DISTINCT = 0.45  # the spread above which a fall-off cannot be recognised in this kind of image

_ALONG = np.linspace(0, 1, 32, dtype=np.float32)
_RADIUS = ((_ALONG[:, None] - 0.5) ** 2 + (_ALONG - 0.5) ** 2) / 0.5
_EVEN = np.ones((32, 32), np.float32)

# The share of the light that is left at each place of the thumbnail, by where it is darker; a reader would notice each.
FALLOFFS: dict[str, NDArray[np.float32]] = {
    "right": _EVEN - 0.6 * _ALONG,
    "left": _EVEN - 0.6 * _ALONG[::-1],
    "bottom": _EVEN - 0.6 * _ALONG[:, None],
    "top": _EVEN - 0.6 * _ALONG[::-1, None],
    "edges": (_EVEN - 0.8 * _RADIUS).astype(np.float32),
}


def illumination(dataset: Dataset) -> list[Finding]:
    """Images that look more like their peers under a fall-off of the light than like their peers."""
    cases = dataset.cases
    if not dataset.has_sketch("thumbnail"):
        return []
    scores, darker = np.ones(cases.height), np.full(cases.height, -1)
    for rows in peer_groups(dataset):
        for number, light in enumerate(FALLOFFS.values()):
            agreed, spread = agreement(rows, partial(_lit, dataset, _EVEN), partial(_lit, dataset, light))
            if spread < DISTINCT:
                worse = (agreed < min(-0.3, 1 - SPREADS * spread)) & (agreed < scores[rows])
                scores[rows[worse]], darker[rows[worse]] = agreed[worse], number
    # A frame left by collimation is dark too, and belongs to another check.
    found = (darker >= 0) & ~(numbers(cases, "frame") > FRAMED)
    where = pl.Series("where", [list(FALLOFFS)[number] for number in darker[found]], dtype=pl.String)
    return warn("illumination", cases, found, -scores.round(6), darker=counted(where))


def _lit(dataset: Dataset, light: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.floating]:
    """Fingerprints of the thumbnails under that light, relative to their mean grey level, float32 (rows, 63)."""
    lines = fingerprint_of(dataset.sketch("thumbnail", rows) * light).reshape(-1, 64)
    return np.asarray(lines[:, 1:] / np.maximum(lines[:, :1], 0.02))
