"""Text files of boxes that name their class: KITTI's lines, `name x0 y0 x1 y1`, or a name with YOLO's shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .shapes import BadFile, Drawn, Format, Shape, rectangle

__all__ = ["NAMED_BOXES"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
LINE = re.compile(rf"([^\W\d]\S*)((?:\s+{NUMBER}){{4}}|(?:\s+{NUMBER}){{14,15}})\s*")
KITTI = slice(
    3, 7
)  # of the numbers that follow the name: left, top, right, bottom, after truncation, occlusion and angle
MOST_SHARE = 1.001
IGNORED = "DontCare"  # where objects are that nobody marked one by one


def _read(path: Path) -> list[Drawn]:
    lines = [line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()]
    shapes = []
    for number, line in enumerate(lines, 1):
        if (met := LINE.fullmatch(line)) is None:
            raise BadFile(f"line {number} is no name with four numbers")
        values = [float(value) for value in met[2].split()]
        a, b, c, d = values if len(values) == 4 else values[KITTI]  # what they are, all files tell
        shapes.append(Shape(met[1], corners=(a, b, c, d), is_box=True, ignored=met[1] == IGNORED))
    return [Drawn("", shapes)]


def _settled(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Most objects that count tell whether all numbers are corners in pixels, or a centre and sides in shares of the image's: a file
    may have none, or only a tiny one, and DontCare often stands with numbers that mean nothing."""
    counted = [shape.corners for each in drawn for shape in each.shapes if shape.corners and not shape.ignored]
    shares = 2 * sum(max(four) <= MOST_SHARE for four in counted) > len(counted)
    return [replace(each, shapes=[_boxed(shape, shares) for shape in each.shapes], shares=shares) for each in drawn]


def _boxed(shape: Shape, centre: bool) -> Shape:
    a, b, c, d = shape.corners or (0, 0, 0, 0)
    ring = rectangle(a - c / 2, b - d / 2, a + c / 2, b + d / 2) if centre else rectangle(a, b, c, d)
    return replace(shape, rings=ring, corners=None)


def _is_so(head: str) -> bool:
    first = head.lstrip("\ufeff\r\n ").partition("\n")[0]
    return LINE.fullmatch(first.strip()) is not None


NAMED_BOXES = Format("named_boxes", (".txt",), _is_so, _read, outlines=False, settled=_settled)
