"""LabelMe and X-AnyLabeling: clicks that drew nothing, and objects that are too difficult to count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from evenray.data.annotations.found import Annotations
from evenray.data.annotations.labelme import LABELME
from evenray.data.annotations.shapes import read_shapes

BOX = {"label": "a", "points": [[1, 2], [5, 6]], "shape_type": "rectangle"}
OUTLINE = {"label": "a", "points": [[1, 2], [5, 2], [5, 6]], "shape_type": "polygon"}


def read(root: Path, *shapes: dict[str, Any], task: Literal["segment", "detect"] = "detect") -> Annotations:
    (root / "a.json").write_text(
        json.dumps({"shapes": shapes, "imagePath": "a.png", "imageHeight": 9, "imageWidth": 9})
    )
    return read_shapes(LABELME, root, ["a.json"], ["a.png"], task)


@pytest.mark.parametrize("kind", ["rectangle", "circle", "polygon", "rotation"])
@pytest.mark.parametrize("points", [[], [[3, 4]]])
def test_a_click_that_drew_nothing_is_no_object_and_hides_none(
    tmp_path: Path, kind: str, points: list[list[int]]
) -> None:
    found = read(tmp_path, {"label": "a", "points": points, "shape_type": kind}, BOX)
    assert found.rejected == ()
    assert (1, 2, 5, 6) in [(box.x0, box.y0, box.x1, box.y1) for box in found.images["a.png"].boxes]


@pytest.mark.parametrize(
    ("flags", "ignored"),
    [({"difficult": True}, True), ({"difficult": False}, False), ({"flags": {"ignore": True}}, True),
     ({"flags": {"difficult": False, "blurred": True}}, False), ({"flags": None}, False)],
)  # fmt: skip
def test_difficult_objects_count_neither_way(tmp_path: Path, flags: dict[str, Any], ignored: bool) -> None:
    found = read(tmp_path, BOX, BOX | {"points": [[2, 2], [7, 7]]} | flags)
    assert [box.ignored for box in found.images["a.png"].boxes] == [False, ignored]
    masks = read(tmp_path, OUTLINE, OUTLINE | {"label": "b"} | flags, task="segment")
    assert masks.classes == (("a",) if ignored else ("a", "b"))
    assert [mask.index for mask in masks.images["a.png"].masks] == [1, 255 if ignored else 2]


def test_a_crowd_is_no_box_to_be_found_and_its_pixels_are_those_of_its_class(tmp_path: Path) -> None:
    crowd = OUTLINE | {"flags": {"crowd": True}}
    assert [box.ignored for box in read(tmp_path, BOX, crowd).images["a.png"].boxes] == [False, True]
    assert [mask.index for mask in read(tmp_path, crowd, task="segment").images["a.png"].masks] == [1]


def test_a_place_that_is_no_number_sets_the_file_aside(tmp_path: Path) -> None:
    [(file, why)] = read(tmp_path, BOX | {"points": [[1, float("nan")], [5, 6]]}).rejected
    assert (file, "an object 'a' has a coordinate that is no finite number" in why) == ("a.json", True)
