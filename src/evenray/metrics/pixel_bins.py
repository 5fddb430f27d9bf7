"""The pixels of an image counted by their log-odds and by what is true of them: what Dice at any threshold, calibration and pixel
metrics are worked from without keeping a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BINS",
    "CENTRES",
    "REACH",
    "STEP",
    "best_threshold",
    "bins_of",
    "edge_of",
    "log_odds_of",
    "odds_of",
    "rebinned",
    "swept",
    "threshold_at",
]

BINS = 256
REACH = 12.8  # log-odds beyond which a pixel counts in the last bin
STEP = 2 * REACH / BINS
SURE = 1e-12  # the least probability that has a logarithm here
CENTRES = -REACH + STEP * (np.arange(BINS) + 0.5)  # log-odds
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def log_odds_of(logits_KHW: NDArray[np.floating]) -> Floats:
    """log p / (1 - p) of every class but the first, the background, against all others: (K - 1, H, W).

    >>> log_odds_of(np.log(np.array([0.5, 0.3, 0.2]))[:, None, None])[:, 0, 0].round(3)
    array([-0.847, -1.386])
    """
    z = np.asarray(logits_KHW, np.float64)
    if len(z) == 2:
        return np.asarray(z[1:] - z[:1])
    rest = [np.logaddexp.reduce(np.delete(z, k, axis=0), axis=0) for k in range(1, len(z))]
    return np.asarray(z[1:] - np.stack(rest))


def odds_of(p: NDArray[np.floating]) -> Floats:
    """The log-odds of probabilities; those of 0 and 1 are as of 1e-12 from there.

    >>> odds_of(np.array([0.5, 1.0])).round(3)
    array([ 0.   , 27.631])
    """
    kept = np.clip(p, SURE, 1 - SURE)
    return np.asarray(np.log(kept / (1 - kept)))


def edge_of(threshold: float) -> int:
    """The first bin that a threshold of the probability calls, BINS where it calls none.

    >>> edge_of(0.5), edge_of(0.0), edge_of(1.0)
    (128, 0, 256)
    """
    if not 0 < threshold < 1:
        return 0 if threshold <= 0 else BINS
    return int(np.clip(round((np.log(threshold / (1 - threshold)) + REACH) / STEP), 0, BINS))


def threshold_at(edge: int) -> float:
    """The probability from which on the bins from `edge` on are called.

    >>> threshold_at(128), round(threshold_at(138), 3)
    (0.5, 0.731)
    """
    return float(1 / (1 + np.exp(REACH - STEP * edge)))


def rebinned(counts: NDArray[np.integer], log_odds_B: Floats) -> Ints:
    """Counts (..., BINS) of pixels whose bins have come to stand for other log-odds, as by a calibration.

    >>> rebinned(np.eye(BINS, dtype=int)[[100]], CENTRES + 10 * STEP)[0].argmax()
    np.int64(110)
    """
    found = np.zeros(counts.shape, np.int64)
    np.add.at(np.moveaxis(found, -1, 0), bins_of(log_odds_B), np.moveaxis(counts, -1, 0))
    return found


def bins_of(log_odds: Floats) -> Ints:
    """The bins that log-odds fall into.

    >>> bins_of(CENTRES[[0, 7]]), bins_of(np.array([-99.0, 99.0]))
    (array([0, 7]), array([  0, 255]))
    """
    return np.clip(np.floor((log_odds + REACH) / STEP), 0, BINS - 1).astype(np.int64)


def swept(counts_N2B: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Pixels that are called, and those of them that are true, from each bin on: (N, BINS + 1), the last of nothing called.

    Counts are of pixels where the class is absent and where it is present, by bin.
    """
    above = np.zeros((*counts_N2B.shape[:2], BINS + 1), np.int64)
    above[..., :BINS] = np.cumsum(counts_N2B[..., ::-1], axis=-1, dtype=np.int64)[..., ::-1]
    return above.sum(axis=1), above[:, 1]


def best_threshold(counts_N2B: NDArray[np.integer], rule: str = "dice", rate: float = 0.9) -> float:
    """The threshold of the probability: of the highest mean Dice or IoU over the images that have the class, or the highest one
    at which on average `rate` of an image's pixels are found ("sensitivity").

    Of a plateau of equal figures the middle is taken. 0.5 where no image has the class.

    >>> counts = np.zeros((1, 2, BINS), int)
    >>> counts[0, 0, 40], counts[0, 1, 200] = 90, 10
    >>> round(best_threshold(counts), 2)
    0.33
    """
    called, hit = swept(counts_N2B)
    true = counts_N2B[:, 1].sum(axis=1)
    has = true > 0
    if not has.any():
        return 0.5
    called, hit, true = called[has], hit[has], true[has][:, None]
    if rule == "sensitivity":
        enough = np.flatnonzero((hit / true).mean(axis=0) >= rate)
        return threshold_at(int(enough.max(initial=0)))
    figure = (hit / (called + true - hit) if rule == "iou" else 2 * hit / (called + true)).mean(axis=0)
    best = np.flatnonzero(figure >= figure.max() - 1e-12)
    run = best[: int(np.append(np.diff(best) > 1, True).argmax()) + 1]  # the first plateau
    return threshold_at(int(run[0] + run[-1] + 1) // 2)
