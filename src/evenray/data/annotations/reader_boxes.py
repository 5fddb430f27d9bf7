"""The boxes of an image on which most of several readers agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .found import Box

__all__ = ["of_most_readers"]

SAME = 0.5  # intersection over union from which on two readers mean the same object


def of_most_readers(readers: Sequence[Sequence[Box]]) -> tuple[Box, ...]:
    """The objects that more than half of the readers drew a box about, as the mean of their boxes; of one or two readers all, those of
    both once. A reader without a box found nothing.

    >>> one, two = Box(0, 0, 0, 10, 10), Box(0, 1, 0, 11, 10)
    >>> of_most_readers([[one], [two], []])
    (Box(index=0, x0=0.5, y0=0.0, x1=10.5, y1=10.0, ignored=False),)
    >>> of_most_readers([[one], [], []]), of_most_readers([[one, one]])
    ((), (Box(index=0, x0=0, y0=0, x1=10, y1=10, ignored=False), Box(index=0, x0=0, y0=0, x1=10, y1=10, ignored=False)))
    """
    if len(readers) == 1:
        return tuple(readers[0])
    groups: list[dict[int, Box]] = []
    for number, boxes in enumerate(readers):
        for box in boxes:
            open_ = [group for group in groups if number not in group]
            near = max(open_, key=lambda group: _likeness(box, group), default=None)
            if near is not None and _likeness(box, near) >= SAME:
                near[number] = box
            else:
                groups.append({number: box})
    enough = len(readers) / 2 if len(readers) > 2 else 0
    return tuple(_mean(list(group.values())) for group in groups if len(group) > enough)


def _mean(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = np.mean([(box.x0, box.y0, box.x1, box.y1) for box in boxes], axis=0).tolist()
    return Box(boxes[0].index, x0, y0, x1, y1, all(box.ignored for box in boxes))


def _likeness(box: Box, group: dict[int, Box]) -> float:
    """The overlap of a box with the mean of a group of boxes of its class; 0 for another class."""
    other = _mean(list(group.values()))
    if other.index != box.index:
        return 0.0
    across = min(box.x1, other.x1) - max(box.x0, other.x0)
    down = min(box.y1, other.y1) - max(box.y0, other.y0)
    both = max(0.0, across) * max(0.0, down)
    areas = sum((each.x1 - each.x0) * (each.y1 - each.y0) for each in (box, other))
    return both / (areas - both) if areas > both else 0.0
