"""VGG Image Annotator: one attribute is the class in a whole file, whether it is a text or checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenray.data.annotations.found import Annotations
from evenray.data.annotations.shapes import read_shapes
from evenray.data.annotations.via import VIA

RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}


def read(root: Path, *told: dict[str, Any], where: dict[str, Any] = RECT) -> Annotations:
    regions = [{"shape_attributes": RECT, "region_attributes": each} for each in told[:-1]]
    regions.append({"shape_attributes": where, "region_attributes": told[-1]})
    (root / "via.json").write_text(json.dumps({"a.png1": {"filename": "a.png", "size": 1, "regions": regions}}))
    return read_shapes(VIA, root, ["via.json"], ["a.png"], "detect")


@pytest.mark.parametrize(
    ("told", "classes"),
    [
        ([{"type": {"benign": True}}, {"type": {"benign": False, "malignant": True}}], ["benign", "malignant"]),
        ([{"type": "benign", "side": "left"}, {"type": "", "side": "right"}], ["benign", "object"]),
        ([{"type": "", "side": "left"}, {"type": "", "side": "right"}], ["left", "right"]),
        ([{"note": "unsure", "type": "a"}, {"note": "", "type": "b"}, {"note": "", "type": "b"}], ["a", "b", "b"]),
        ([{"type": 0}, {"type": 1}], ["0", "1"]),
        ([{}, {}], ["object", "object"]),
    ],
)
def test_the_class_is_one_attribute_of_the_whole_file(
    tmp_path: Path, told: list[dict[str, Any]], classes: list[str]
) -> None:
    found = read(tmp_path, *told)
    assert [found.classes[box.index] for box in found.images["a.png"].boxes] == classes


def test_a_polygon_without_points_is_no_object_and_hides_none(tmp_path: Path) -> None:
    found = read(tmp_path, {"t": "a"}, {"t": "a"}, where={"name": "polygon", "all_points_x": [], "all_points_y": []})
    assert ([box.x1 for box in found.images["a.png"].boxes], found.rejected) == ([4], ())
