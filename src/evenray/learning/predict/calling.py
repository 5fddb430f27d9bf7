"""From the outputs of a network of pixels to masks in the pixels of the image itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.data.letterbox import Placement
from evenray.learning.tasks.question import Question
from evenray.metrics import Calibration
from evenray.metrics.pixel_bins import CENTRES, REACH, STEP, bins_of, edge_of, odds_of

__all__ = ["Calling", "as_counted"]

HAIR = 1e-3  # of a bin: log-odds that are the border of bins count above it, whatever was rounded since
GRID = np.linspace(-40.0, 40.0, 16_001)  # log-odds that calibrations are inverted on


@dataclass(frozen=True)
class Calling:
    """How pixels are called: of the classes whose log-odds reach their own of `least`, the one that exceeds it most; else the
    background. Each of `least` is where the calibrated probability of a class reaches its threshold.

    >>> Calling((0.0, 1.0)).called(np.array([[[0.5, 1.2], [-1.0, 2.5], [-1.0, 0.5]]]))
    array([[1, 2, 0]], dtype=uint8)
    """

    least: tuple[float, ...]

    @classmethod
    def of(
        cls, questions: Sequence[Question], calibrations: Sequence[Calibration | None], thresholds: Sequence[float]
    ) -> Calling:
        """From the thresholds of the probabilities that questions and calibrations lead to."""
        each = zip(questions, calibrations, thresholds, strict=True)
        return cls(tuple(_first(_probabilities(GRID, asked, fitted), cut) for asked, fitted, cut in each))

    def called(self, log_odds_HWK: NDArray[np.floating]) -> NDArray[np.uint8]:
        """uint8 (H, W): 0 background, k + 1 class k."""
        above = log_odds_HWK - np.asarray(self.least, log_odds_HWK.dtype)
        most = above.argmax(axis=2)
        reached = np.take_along_axis(above, most[..., None], axis=2)[..., 0] >= 0
        return np.where(reached, most + 1, 0).astype(np.uint8)

    def in_image(self, log_odds_HWK: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.uint8]:
        """The mask of an image of `shape` whose log-odds (size, size, K) are those of the square that it was fitted into; log-odds
        are interpolated, not masks."""
        restored = Placement.of(shape, log_odds_HWK.shape[0]).restore(np.ascontiguousarray(log_odds_HWK, np.float32))
        return self.called(restored.reshape(*shape, -1))


def as_counted(
    questions: Sequence[Question], calibrations: Sequence[Calibration | None], thresholds: Sequence[float]
) -> list[float]:
    """Thresholds that were chosen by counts of calibrated bins, moved to where the uncalibrated bin begins that each calls first.

    Pixels were counted before they were calibrated. A threshold within a bin would part pixels that were counted together: all
    of a lesion, where a network gives most of its pixels one and the same log-odds.
    """
    found = []
    for asked, fitted, cut in zip(questions, calibrations, thresholds, strict=True):
        called = np.flatnonzero(bins_of(odds_of(_probabilities(CENTRES, asked, fitted))) >= edge_of(cut))
        edges = np.array([STEP * (called[0] - HAIR) - REACH]) if len(called) and called[0] else None
        found.append(cut if edges is None else float(_probabilities(edges, asked, fitted)[0]))
    return found


def _probabilities(
    log_odds_N: NDArray[np.floating], asked: Question, fitted: Calibration | None
) -> NDArray[np.float64]:
    pairs = np.column_stack([np.zeros_like(log_odds_N), log_odds_N])
    return np.asarray(asked.probabilities(pairs, fitted, None)[:, 1])


def _first(p: NDArray[np.float64], cut: float) -> float:
    """The log-odds from which on a rising probability reaches a threshold."""
    if cut <= 0:
        return float("-inf")
    place = int(np.argmax(p >= cut))
    if not p[place] >= cut or GRID[place] > CENTRES[-1]:  # pixels beyond were counted in the last bin, as not called
        return float("inf")
    if place == 0:
        return float(GRID[0])
    share = (cut - p[place - 1]) / (p[place] - p[place - 1])
    return float(GRID[place - 1] + share * (GRID[place] - GRID[place - 1]))
