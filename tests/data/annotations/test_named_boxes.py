"""Text files of boxes that name their class: whether numbers are pixels or shares is told by all files together."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.data.annotations import read_boxes
from evenray.data.scan import scan

from .drawn import SHAPE, boxes_of, image

DUMMIES = [
    "DontCare 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    "DontCare -1 -1 -10 -1 -1 -1 -1 -1 -1 -1 -1000 -1000 -1000 -10",
    "DontCare 0 0 0 0",
]


def lines_of(number: int, *, shares: bool = False) -> list[str]:
    down, across = SHAPE
    return [
        f"{'ab'[kind]} {(x0 + x1) / 2 / across} {(y0 + y1) / 2 / down} {(x1 - x0) / across} {(y1 - y0) / down}"
        if shares
        else f"{'ab'[kind]} {x0} {y0} {x1} {y1}"
        for kind, x0, y0, x1, y1 in boxes_of(number)
    ]


def write(root: Path, texts: list[list[str]]) -> None:
    for number, lines in enumerate(texts):
        image(root / f"p{number}.png", number)
        (root / f"p{number}.txt").write_text("\n".join(lines) + "\n")


def counted(root: Path, number: int) -> list[list[float]]:
    return [box for box in read_boxes(scan(root), number).tolist() if box[0] >= 0]


@pytest.mark.parametrize("dummy", DUMMIES)
@pytest.mark.parametrize("shares", [False, True])
def test_a_file_with_nothing_but_a_dummy_does_not_tell_what_numbers_are(
    tmp_path: Path, dummy: str, shares: bool
) -> None:
    write(tmp_path, [*(lines_of(n, shares=shares) for n in range(3)), [dummy]])
    for n in range(3):
        assert counted(tmp_path, n) == [pytest.approx(list(box)) for box in boxes_of(n)]
    assert read_boxes(scan(tmp_path), 3).tolist() == []


def test_a_dummy_beside_objects_does_not_tell_either(tmp_path: Path) -> None:
    write(tmp_path, [[*lines_of(n, shares=True), DUMMIES[1]] for n in range(3)])
    for n in range(3):
        assert counted(tmp_path, n) == [pytest.approx(list(box)) for box in boxes_of(n)]


def test_a_file_with_one_tiny_object_at_the_corner_is_in_pixels_as_the_others(tmp_path: Path) -> None:
    write(tmp_path, [*(lines_of(n) for n in range(3)), ["a 0 0 1 1"]])
    assert counted(tmp_path, 2) == [list(box) for box in boxes_of(2)]
    boxes = scan(tmp_path).cases["boxes"][3].to_list()
    assert [(box["x0"], box["x1"], box["y1"]) for box in boxes] == [(0, 1, 1)]
