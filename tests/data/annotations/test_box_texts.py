"""Boxes in cells of tables: digits inside words are no coordinates, names tell how numbers make a box, NaN is no number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenray.core.errors import DataError
from evenray.data.annotations.box_tables import read_box_table
from evenray.data.annotations.found import Annotations

IMAGES = ["1.png", "2.png"]
SIDES = (100, 120, 130, 160)  # x 100, y 120, width 30, height 40


def read(root: Path, cell: str, more: str = "") -> Annotations:
    pl.DataFrame({"image": ["1.png"], "bbox": [cell]}).write_csv(root / "boxes.csv")
    (root / "boxes.csv").write_text((root / "boxes.csv").read_text() + more)
    return read_box_table([root / "boxes.csv"], IMAGES, root)


def boxes(found: Annotations) -> list[tuple[float, ...]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in found.images["1.png"].boxes]


@pytest.mark.parametrize("cell", [
    repr([np.float64(100), np.float64(120), np.float64(30), np.float64(40)]), repr([np.int64(100), 120, 30, 40]),
    repr(np.array([100.0, 120, 30, 40])), repr(np.array([100, 120, 30, 40], np.float32)), "100 120 30 40", "100|120|30|40",
    "(100, 1.2e2, 30., 40.0)", "['100', '120', '30', '40']", "{'x': 100, 'y': 120, 'width': 30, 'height': 40}",
    '{"w": 30, "h": 40, "x": np.float64(100.0), "y": 120}', "{'x1': 100, 'y1': 120, 'x2': 130, 'y2': 160}",
    "xmin=100 ymin=120 xmax=130 ymax=160",
    "{'cx': 115, 'cy': 140, 'w': 30, 'h': 40}",
])  # fmt: skip
def test_one_box_in_many_ways_of_writing(tmp_path: Path, cell: str) -> None:
    assert boxes(read(tmp_path, cell)) == [SIDES]


def test_several_boxes_in_one_text(tmp_path: Path) -> None:
    assert boxes(read(tmp_path, "[[100, 120, 30, 40], [1, 2, 3, 4]]")) == [SIDES, (1, 2, 4, 6)]
    two = "[{'x1': 100, 'y1': 120, 'x2': 130, 'y2': 160}, {'x1': 1, 'y1': 2, 'x2': 4, 'y2': 6}]"
    assert boxes(read(tmp_path, two)) == [SIDES, (1, 2, 4, 6)]


@pytest.mark.parametrize("cell", [
    "100-120-30-40", "lesion2 100 120 30 40", "[100, 120, 30]", "{'x1': 1, 'y1': 2, 'width': 3}", "[1, 2, 3, nan]", "[1, 2, inf, 4]",
    "{'a1': 1, 'a2': 2, 'a3': 3, 'a4': 4}", "v1.2 1 2 3 4", "1_0 2 3 4",
])  # fmt: skip
def test_what_has_more_or_less_than_numbers_is_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"has the box ['\"].*['\"] in row 1; expected four numbers, or none of them"):
        read(tmp_path, cell)


@pytest.mark.parametrize("cell", ["[]", "nan", "NaN", "[nan, nan, nan, nan]", "None", "No finding"])
def test_a_text_without_numbers_is_no_box(tmp_path: Path, cell: str) -> None:
    assert boxes(read(tmp_path, cell, '2.png,"1 2 3 4"\n')) == []


def test_four_cells_that_are_not_a_number_are_no_box(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("image,class,xmin,ymin,xmax,ymax\n1.png,No finding,NaN,NaN,nan,NaN\n2.png,cell,0.1,0.2,0.5,0.6\n")
    found = read_box_table([path], IMAGES, tmp_path)
    assert (found.classes, found.shares, found.images["1.png"].boxes) == (("cell",), True, ())
    for broken in ("NaN", "inf"):
        path.write_text(f"image,class,xmin,ymin,xmax,ymax\n1.png,cell,1,2,{broken},4\n")
        with pytest.raises(DataError, match=f"has the box '1 2 {broken} 4' in row 1; expected four numbers"):
            read_box_table([path], IMAGES, tmp_path)
