"""Text files of boxes that name their class: KITTI's lines, `name x0 y0 x1 y1`, or a name with YOLO's shares."""

from __future__ import annotations

import re
from pathlib import Path

from .runs import Points
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
    told: list[tuple[str, list[float]]] = []
    for number, line in enumerate(lines, 1):
        if (met := LINE.fullmatch(line)) is None:
            raise BadFile(f"line {number} is no name with four numbers")
        values = [float(value) for value in met[2].split()]
        told.append((met[1], values if len(values) == 4 else values[KITTI]))
    shares = bool(told) and all(max(four) <= MOST_SHARE for _, four in told)
    return [
        Drawn(
            "",
            [Shape(name, _ring(four, shares), is_box=True, ignored=name == IGNORED) for name, four in told],
            shares=shares,
        )
    ]


def _ring(four: list[float], centres: bool) -> tuple[Points, ...]:
    a, b, c, d = four
    return rectangle(a - c / 2, b - d / 2, a + c / 2, b + d / 2) if centres else rectangle(a, b, c, d)


def _is_so(head: str) -> bool:
    first = head.lstrip("\ufeff\r\n ").partition("\n")[0]
    return LINE.fullmatch(first.strip()) is not None


NAMED_BOXES = Format("named_boxes", (".txt",), _is_so, _read, outlines=False)
