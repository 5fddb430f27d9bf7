"""What is kept of a detector's answers about some images: what it found, beside what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decoding import Detected, kept_in

__all__ = ["found_in", "objects_in", "told"]


def told(
    detected: Sequence[Detected], objects_NM5: NDArray[np.float64], side: int, losses: Sequence[float] | None = None
) -> NDArray[Any]:
    """A structured array (N,): `found` (kept_in(side), 6) class, left, top, right, bottom and score; `objects` (M, 5); `side` and `loss`.

    Places, given as shares of the side of the square, are kept in its pixels; rows of NaN fill up.
    """
    M = objects_NM5.shape[1]
    kept = np.zeros(
        len(detected),
        [
            ("found", np.float64, (kept_in(side), 6)),
            ("objects", np.float64, (M, 5)),
            ("side", np.int64),
            ("loss", np.float64),
        ],
    )
    kept["found"], kept["objects"] = np.nan, objects_NM5
    kept["loss"] = np.nan if losses is None else losses
    kept["side"] = side
    for row, one in zip(kept["found"], detected, strict=True):
        row[: len(one.scores)] = np.column_stack([one.classes, one.boxes, one.scores])
    for name in ("found", "objects"):
        kept[name][..., 1:5] *= side
    return kept


def found_in(one: Any) -> NDArray[np.float64]:
    """What was found in one image, (D, 6)."""
    rows: NDArray[np.float64] = one["found"]
    return rows[~np.isnan(rows[:, 0])]


def objects_in(one: Any) -> NDArray[np.float64]:
    """What is there, (n, 5)."""
    rows: NDArray[np.float64] = one["objects"]
    return rows[~np.isnan(rows[:, 0])]
