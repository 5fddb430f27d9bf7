"""Whether four numbers are a box, and whether those that nothing names are two corners and not a corner and sides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

__all__ = ["are_corners", "are_shares", "is_there"]

BEYOND = 0.1  # share of the boxes from which on they reach beyond their images because they are corners
MOST_SHARE = 1.001  # coordinates up to here, not all of them whole, are shares of the image's sides


def are_corners(boxes: Iterable[Sequence[float]], sized: Iterable[tuple[Sequence[float], tuple[float, float]]]) -> bool:
    """Whether boxes are two corners each: as a corner and sides many of those that are `sized`, with the rows and columns of their
    images, reach beyond these, and as corners none does.

    >>> are_corners([(40, 30, 46, 38)], [((40, 30, 46, 38), (60, 60))]), are_corners([(4, 3, 46, 38)], [((4, 3, 46, 38), (60, 60))])
    (True, False)
    """
    if any(c <= a or d <= b for a, b, c, d in boxes):
        return False
    met = list(sized)
    beyond = sum(a + c > across + 1 or b + d > down + 1 for (a, b, c, d), (down, across) in met)
    within = all(c <= across + 1 and d <= down + 1 for (_, _, c, d), (down, across) in met)
    return bool(met) and within and beyond >= max(1, BEYOND * len(met))


def are_shares(boxes: Iterable[Sequence[float]]) -> bool:
    """Whether the numbers of boxes are shares of the images' sides.

    >>> are_shares([(0.1, 0.2, 0.3, 1.0)]), are_shares([(0, 0, 1, 1)]), are_shares([(0.1, 0.2, 0.3, 4.0)]), are_shares([])
    (True, False, False, False)
    """
    values = [value for four in boxes for value in four]
    return bool(values) and max(values) <= MOST_SHARE and not all(float(value).is_integer() for value in values)


def is_there(numbers: Sequence[float]) -> bool:
    """Whether numbers are a box: there is none where each of them is NaN. ValueError where only some are, or one is infinite.

    >>> is_there((1, 2, 3, 4)), is_there((float("nan"),) * 4)
    (True, False)
    """
    if all(map(math.isnan, numbers)):
        return False
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{' '.join(map(str, numbers))} are not all finite numbers")
    return True
