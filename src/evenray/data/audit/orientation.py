"""Orientation: images that are turned or mirrored against their fellows."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Finding

from ._consensus import ALIKE, Look, agreement, fellows, few, pictures
from ._fingerprint import TURNS, turned
from ._table import values_text, worst_first

__all__ = ["orientation"]

# Agreement is 1 for images as they are and -1 for turned ones, with the same spread s: at -3 s^2 an image is exp(6) = 400
# times as likely to be a turned one, which outweighs that one in a hundred is.
DOUBT = 3.0
PLAIN = -0.4  # a person would see it
DISTINCT = 0.6  # the spread above which a turn cannot be told in this kind of image (mirrored ultrasound)


def orientation(dataset: Dataset) -> list[Finding]:
    """Images that agree better with their fellows (of one modality and view) when they are turned or mirrored."""
    cases = dataset.cases
    if not dataset.has_sketch("fingerprint"):
        return []
    scores, turns = np.ones(cases.height), np.full(cases.height, -1)
    for rows in fellows(cases):
        scores[rows], turns[rows] = _best(rows, pictures(dataset))
    found = turns >= 0
    if not found.any():
        return []
    kinds = pl.Series("turn", [list(TURNS)[turn] for turn in turns[found]])
    return [
        Finding(
            "orientation",
            "warning",
            "Images that are turned or mirrored",
            "They agree with the others only when turned back. Turn them, and look for what else their export changed: "
            "a mirrored image shows the wrong side of the body.",
            worst_first(cases, found, -scores.round(6)),
            {"images": int(found.sum()), "turns": values_text(kinds)},
        )
    ]


def _best(rows: NDArray[np.int64], look: Look) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each image its agreement with the turn that it may have had, and that turn, or -1 where it stands as the others."""
    best, chosen = np.full(len(rows), np.inf), np.full(len(rows), -1)
    taught = look(few(rows))
    common = taught.mean(axis=0)
    if np.median(taught @ common) < ALIKE * np.linalg.norm(common):
        return best, chosen
    for number, turn in enumerate(TURNS):
        scores, spread = agreement(rows, look, partial(_turned, look, turn))
        if spread > DISTINCT:
            continue
        # A right angle also looks a little mirrored: the turn after which the agreement is nearest to 1 is meant.
        nearer = np.abs(scores + 1) < np.abs(best + 1)
        better = nearer & (scores < min(PLAIN, -DOUBT * spread**2))
        best[better], chosen[better] = scores[better], number
    return best, chosen


def _turned(look: Look, turn: str, rows: NDArray[np.int64]) -> NDArray[np.floating]:
    return turned(look(rows).reshape(-1, 8, 8), turn).reshape(-1, 64)
