"""Orientation: images that are turned or mirrored against their peers."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import counted, warn
from ._fingerprint import TURNS, turned
from ._peers import ALIKE, Features, agreement, peer_groups, sample, unit_fingerprints

__all__ = ["orientation"]

# Agreement is 1 for images as they are and -1 for turned ones, with the same spread s: at -3 s^2 an image is exp(6) = 400
# times as likely to be a turned one, which outweighs that one in a hundred is.
DOUBT = 3.0
PLAIN = -0.4  # a person would see it
DISTINCT = 0.6  # the spread above which a turn cannot be recognised in this kind of image (mirrored ultrasound)


def orientation(dataset: Dataset) -> list[Finding]:
    """Images that agree better with their peers (of one modality and view) when they are turned or mirrored; colour is not asked."""
    cases = dataset.cases
    if not dataset.has_sketch("fingerprint"):
        return []
    scores, turns = np.ones(cases.height), np.full(cases.height, -1)
    for rows in peer_groups(dataset, radiographs=True):
        scores[rows], turns[rows] = _best(rows, unit_fingerprints(dataset))
    found = turns >= 0
    kinds = pl.Series("turn", [list(TURNS)[turn] for turn in turns[found]], dtype=pl.String)
    return warn("orientation", cases, found, -scores.round(6), turns=counted(kinds))


def _best(rows: NDArray[np.int64], features: Features) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each image its agreement with the turn that it may have had, and that turn, or -1 where it is as the others are."""
    best, chosen = np.full(len(rows), np.inf), np.full(len(rows), -1)
    taught = features(sample(rows))
    common = taught.mean(axis=0)
    if np.median(taught @ common) < ALIKE * np.linalg.norm(common):
        return best, chosen
    for number, turn in enumerate(TURNS):
        scores, spread = agreement(rows, features, partial(_turned, features, turn))
        if spread > DISTINCT:
            continue
        # A right angle also looks a little mirrored: the turn after which the agreement is nearest to 1 is meant.
        nearer = np.abs(scores + 1) < np.abs(best + 1)
        better = nearer & (scores < min(PLAIN, -DOUBT * spread**2))
        best[better], chosen[better] = scores[better], number
    return best, chosen


def _turned(features: Features, turn: str, rows: NDArray[np.int64]) -> NDArray[np.floating]:
    return turned(features(rows).reshape(-1, 8, 8), turn).reshape(-1, 64)
