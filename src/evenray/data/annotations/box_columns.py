"""The columns of tables that hold boxes, and how four numbers make one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evenray.data.tables.meanings import compact, is_torn

__all__ = ["Columns", "Four", "box_columns", "told_by_names", "two_corners"]

# The names of columns, without signs: the first of each that a table has, the two lowest corners and the two highest or the sides.
CORNERS = [
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("left", "top", "right", "bottom"),
]
SIDES = [
    ("x", "y", "w", "h"),  # before those that may be the image's
    ("x", "y", "width", "height"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
]
CENTRES = [("xcenter", "ycenter", "width", "height"), ("cx", "cy", "w", "h"), ("cx", "cy", "width", "height"),
           ("xcentre", "ycentre", "width", "height")]  # fmt: skip
WAYS = [("corners", CORNERS), ("centres", CENTRES), ("sides", SIDES)]
TEXTS = (
    "bbox",
    "box",
    "boundingbox",
    "bboxes",
    "boxes",
    "boundingboxes",
)  # a column of x, y, width and height as one text, or several
OF_BOX = re.compile(r"^(?:boundingbox|bbox|box)")
Four = tuple[float, ...]


@dataclass(frozen=True)
class Columns:
    """Four columns, or one of texts, and how they make a box."""

    names: tuple[str, ...]
    how: str  # corners, sides or centres; listed where texts have to say

    @property
    def kind(self) -> tuple[str, ...]:
        """What is alike in tables of the same columns."""
        return (self.how, *map(compact, self.names))


def box_columns(columns: Sequence[str]) -> Columns | None:
    """The columns of boxes. All four names begin with what they are of (`bbox_x`) or none does, unless NIH's list was torn at commas.

    >>> box_columns(["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"])
    Columns(names=('Bbox [x', 'y', 'w', 'h]'), how='sides')
    >>> box_columns(["file", "width", "height", "bbox_x", "bbox_y", "bbox_w", "bbox_h"]).names
    ('bbox_x', 'bbox_y', 'bbox_w', 'bbox_h')
    """
    plain = {compact(name): name for name in columns}
    of_box = {OF_BOX.sub("", short): name for short, name in plain.items() if OF_BOX.match(short)}
    torn = of_box | plain if any(map(is_torn, of_box.values())) else {}
    for named in (of_box, plain, torn):
        for how, ways in WAYS:
            for way in ways:
                if all(name in named for name in way):
                    return Columns(tuple(named[name] for name in way), how)
    text = next((plain[name] for name in TEXTS if name in plain), None)
    return None if text is None else Columns((text,), "listed")


def told_by_names(named: dict[str, float]) -> tuple[Four, str] | None:
    """Four numbers with a name each, in order, and how they make a box; None where the names are of none.

    >>> told_by_names({"y": 2, "x": 1, "height": 4, "width": 3}), told_by_names({"a": 1})
    (((1, 2, 3, 4), 'sides'), None)
    """
    plain = {compact(name): value for name, value in named.items()}
    for how, ways in WAYS:
        for way in ways:
            if set(way) == set(plain):
                return tuple(plain[name] for name in way), how
    return None


def two_corners(four: Four, how: str) -> tuple[float, float, float, float]:
    """The corners of a box, of four numbers that make it one way or another."""
    a, b, c, d = four
    if how == "corners":
        return a, b, c, d
    return (a - c / 2, b - d / 2, a + c / 2, b + d / 2) if how == "centres" else (a, b, a + c, b + d)
