"""Whether four numbers a box, which nothing names, are two corners and not a corner and sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["are_corners"]

BEYOND = 0.1  # share of the boxes from which on they reach beyond their images because they are corners


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
