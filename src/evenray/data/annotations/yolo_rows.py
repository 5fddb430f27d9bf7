"""What the numbers after a class mean in YOLO's lines with more than four of them: an outline, or a box with more behind it.

Lines of poses have the box and then key points, x and y with or without a third number for how they can be seen (0, 1 or 2), how many
a .yaml file may say; lines of trackers the box, its confidence and the number of the object.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

__all__ = ["LONGEST_BOX", "begin_with_boxes", "lengths_of_poses"]

LONGEST_BOX = (
    5  # numbers of a line up to which it is a box, the fifth its confidence; outlines have six or more, in pairs
)
NEAR = 0.002  # shares of a side that rounding may add
REACH = 1.5  # times how far the other points of an outline lie apart; of three points in all these are two
SEEN = (0.0, 1.0, 2.0)
KEY_POINTS = re.compile(r"^kpt_shape:\s*(?:\[\s*(\d+)\s*,\s*([23])\s*\]|-\s*(\d+)\s+-\s*([23])\b)", re.MULTILINE)
Numbers = Sequence[float]


def lengths_of_poses(files: Iterable[Path]) -> dict[int, Path]:
    """How many numbers follow the class in lines of poses, by the `kpt_shape` of .yaml files among some, each with the file that says
    so: how many key points an object has, and how many numbers a key point. What cannot be read is passed over."""
    found = {}
    for file in files:
        if not file.name.lower().endswith((".yaml", ".yml")):
            continue
        try:
            told = KEY_POINTS.search(file.read_text(encoding="utf-8-sig", errors="replace"))
        except OSError:
            continue
        if told:
            points, numbers = (int(number) for number in told.groups() if number)
            found[4 + points * numbers] = file
    return found


def begin_with_boxes(rows: Sequence[Numbers], poses: Collection[int] = ()) -> bool:
    """Whether lines of more than five numbers, all those of a set, begin with the centre and the sides of a box; else each is an
    outline. Lines that all have as many numbers as `poses` are told to have do; of others their numbers say it.

    >>> begin_with_boxes([(0.5, 0.5, 0.2, 0.2, 0.45, 0.5, 2, 0.55, 0.6, 1)]), begin_with_boxes([(0.1, 0.1, 0.2, 0.1, 0.2, 0.2)])
    (True, False)
    >>> begin_with_boxes([(0.5, 0.5, 0.2, 0.2, 0.87, 14)])
    True
    """
    if rows and all(len(row) in poses for row in rows):
        return True
    if not rows or len({len(row) for row in rows}) > 1:
        return False
    if len(rows[0]) == 6 and all(
        float(row[5]).is_integer() for row in rows
    ):  # as few outlines are, and none has a share above 1
        return any(row[5] > 1 for row in rows)
    if not all(_in_image(row) for row in rows):
        return False
    if len(rows[0]) % 3 == 1 and all(value in SEEN for row in rows for value in row[6::3]):
        return all(_inside(row, 3) for row in rows)
    # The second point of an outline lies about the others; the sides of a box are no place, and lie about it by chance alone.
    return all(_inside(row, 2) for row in rows) and 2 * sum(map(_second_is_near, rows)) <= len(rows)


def _in_image(row: Numbers) -> bool:
    return all(
        side / 2 <= middle + NEAR and middle + side / 2 <= 1 + NEAR
        for middle, side in zip(row[:2], row[2:4], strict=True)
    )


def _inside(row: Numbers, step: int) -> bool:
    """Whether all key points lie in the box."""
    x, y, across, down = row[:4]
    return all(abs(a - x) <= across / 2 + NEAR and abs(b - y) <= down / 2 + NEAR for a, b in _points(row, step))


def _points(row: Numbers, step: int) -> list[tuple[float, float]]:
    """The key points; those that nobody marked are at 0, 0."""
    return [point for point in zip(row[4::step], row[5::step], strict=True) if point != (0, 0)]


def _second_is_near(row: Numbers) -> bool:
    """Whether the second pair of numbers, as a point, lies about as near to all others as these to each other."""
    others = [(row[0], row[1]), *_points(row, 2)]
    ends = [(min(values), max(values)) for values in ([point[axis] for point in others] for axis in (0, 1))]
    reach = REACH * max(high - low for low, high in ends)
    return all(low - reach <= side <= high + reach for side, (low, high) in zip(row[2:4], ends, strict=True))
