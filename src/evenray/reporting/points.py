"""The points that the page draws and the slider walks along, from predictions alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Operating", "operating", "thinned"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Operating:
    """What happens at each threshold, from flagging nobody to flagging everybody.

    `thresholds` float64 (T,) fall; a case is flagged when its probability is at least the threshold. `true_positives`
    and `false_positives` int64 (T,) count the cases that are flagged, out of `positives` and `negatives`.
    """

    thresholds: Floats
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    positives: int
    negatives: int

    def row(self, threshold: float) -> int:
        """The last row that is at or above `threshold`.

        >>> operating(np.array([True, False]), np.array([0.9, 0.2])).row(0.9)
        1
        """
        return int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1


def operating(positive: NDArray[np.bool_], p: Floats, chosen: float | None = None, most: int = 2000) -> Operating:
    """Counts at every distinct probability, thinned to about `most` of them; `chosen` is always one of the rows.

    >>> table = operating(np.array([True, False, True]), np.array([0.9, 0.6, 0.2]))
    >>> table.true_positives, table.false_positives
    (array([0, 1, 1, 2]), array([0, 0, 1, 1]))
    """
    levels = np.unique(p)
    if len(levels) > most:
        levels = levels[np.unique(np.linspace(0, len(levels) - 1, most).round().astype(int))]
    nobody = np.nextafter(max(levels[-1], 1.0) if len(levels) else 1.0, np.inf)
    thresholds = np.unique(np.concatenate([levels, [nobody], [] if chosen is None else [chosen]]))[::-1]
    flagged = (_at_least(p[positive], thresholds), _at_least(p[~positive], thresholds))
    return Operating(thresholds, *flagged, int(positive.sum()), int((~positive).sum()))


def _at_least(p: Floats, thresholds: Floats) -> NDArray[np.int64]:
    return len(p) - np.searchsorted(np.sort(p), thresholds, side="left").astype(np.int64)


def thinned(x: Floats, y: Floats, most: int = 400) -> tuple[Floats, Floats]:
    """The same curve without the points inside straight runs, and at most about `most` points.

    >>> thinned(np.array([0., 1., 2., 2.]), np.array([0., 0., 0., 5.]))[0]
    array([0., 2., 2.])
    """
    if len(x) > 2:
        turn = np.diff(x)[1:] * np.diff(y)[:-1] != np.diff(x)[:-1] * np.diff(y)[1:]
        kept = np.concatenate([[True], turn, [True]])
        x, y = x[kept], y[kept]
    if len(x) > most:
        rows = np.unique(np.linspace(0, len(x) - 1, most).round().astype(int))
        x, y = x[rows], y[rows]
    return x, y
