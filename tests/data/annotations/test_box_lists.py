"""JSON with a list of boxes an image: four numbers are a corner and sides, or two corners where only these fit into the images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenray.data.annotations.box_lists import BOX_LISTS
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.shapes import read_shapes

IMAGES = [f"{n}.png" for n in range(4)]
SIZE = {"width": 512, "height": 400}
CORNERS = [[(20, 30, 90, 110)], [(300, 250, 420, 330), (10, 20, 30, 60)], [(5, 5, 500, 390)], []]  # of each image


def read(root: Path, whole: Any) -> Annotations:
    (root / "boxes.json").write_text(json.dumps(whole))
    return read_shapes(BOX_LISTS, root, ["boxes.json"], IMAGES, "detect")


def boxes(found: Annotations) -> list[list[tuple[float, ...]]]:
    return [[(box.x0, box.y0, box.x1, box.y1) for box in found.images[image].boxes] for image in IMAGES]


def as_sides(four: tuple[int, ...]) -> list[int]:
    return [four[0], four[1], four[2] - four[0], four[3] - four[1]]


def by_name(key: str, **more: Any) -> dict[str, Any]:
    return {image: {key: [list(four) for four in own], **more} for image, own in zip(IMAGES, CORNERS, strict=True)}


@pytest.mark.parametrize("key", ["bboxes", "bbox"])
def test_corners_that_would_reach_beyond_as_sides_are_corners_and_it_is_said(tmp_path: Path, key: str) -> None:
    found = read(tmp_path, by_name(key, **SIZE))
    assert boxes(found) == CORNERS
    assert [note.as_json() for note in found.notes] == [
        {"code": "annotations.corners", "values": {"file": "boxes.json"}}
    ]


def test_corners_in_objects_and_in_a_list_of_images(tmp_path: Path) -> None:
    whole = [
        {"file_name": image, **SIZE, "objects": {"bbox": [list(four) for four in own], "categories": [0] * len(own)}}
        for image, own in zip(IMAGES, CORNERS, strict=True)
    ]
    assert boxes(read(tmp_path, whole)) == CORNERS
    objects = [
        {**each, "objects": [{"bbox": list(four)} for four in own]} for each, own in zip(whole, CORNERS, strict=True)
    ]
    assert boxes(read(tmp_path, objects)) == CORNERS


def test_sides_that_fit_are_sides(tmp_path: Path) -> None:
    whole = {
        image: {"bboxes": [as_sides(four) for four in own], **SIZE} for image, own in zip(IMAGES, CORNERS, strict=True)
    }
    found = read(tmp_path, whole)
    assert (boxes(found), found.notes) == (CORNERS, ())


def test_one_box_beyond_its_image_among_many_does_not_make_corners(tmp_path: Path) -> None:
    """A slip in one of twenty boxes; read as corners all would fit."""
    fours = [[10, 10 + n, 40, 50] for n in range(19)] + [[400, 300, 460, 380]]
    found = read(tmp_path, {"0.png": {"bboxes": fours, **SIZE}, "1.png": {"bboxes": [], **SIZE}})
    assert [(box.x1, box.y1) for box in found.images["0.png"].boxes[:2]] == [(50, 60), (50, 61)]


def test_names_of_sides_are_believed(tmp_path: Path) -> None:
    whole = {
        image: {"bbox": [dict(zip(("x", "y", "width", "height"), four, strict=True)) for four in own], **SIZE}
        for image, own in zip(IMAGES, CORNERS, strict=True)
    }
    found = read(tmp_path, whole)
    assert (boxes(found)[0], found.notes) == ([(20, 30, 110, 140)], ())


def test_without_the_sizes_of_images_nothing_tells(tmp_path: Path) -> None:
    assert boxes(read(tmp_path, by_name("bboxes")))[0] == [(20, 30, 110, 140)]


@pytest.mark.parametrize("form", ["sides", "corners"])
def test_shares_of_the_sides_are_no_pixels(tmp_path: Path, form: str) -> None:
    """As corners all fit, and as a corner and sides the second reaches beyond the image."""
    true = [(0.1, 0.2, 0.4, 0.6), (0.55, 0.5, 0.95, 0.9)]
    fours = [list(four) if form == "corners" else [*four[:2], four[2] - four[0], four[3] - four[1]] for four in true]
    found = read(tmp_path, {image: {"bbox": fours, **SIZE} for image in IMAGES})
    assert found.shares
    assert [round(value, 6) for four in boxes(found)[0] for value in four] == [value for four in true for value in four]


@pytest.mark.parametrize("key", ["category_id", "class_id", "class_name", "label"])
def test_class_0_and_names_of_classes_are_read(tmp_path: Path, key: str) -> None:
    kinds = ("cell", "cyst") if key == "class_name" else (0, 1)
    four = [1, 2, 3, 4]
    whole = [{"file_name": f"{n}.png", "objects": [{"bbox": four, key: kind, "id": 7}]} for n, kind in enumerate(kinds)]
    assert read(tmp_path, whole).classes == tuple(map(str, kinds))
    lists = [{"file_name": f"{n}.png", "bboxes": [four], key: kind} for n, kind in enumerate(kinds)]
    assert read(tmp_path, lists).classes == tuple(map(str, kinds))


def test_a_box_of_nan_is_none_and_a_part_of_one_sets_the_file_aside(tmp_path: Path) -> None:
    nan = float("nan")
    for none in ([nan] * 4, dict.fromkeys(("x", "y", "w", "h"), nan)):
        whole = {"0.png": {"bbox": [none], "label": "nothing"}, "1.png": {"bbox": [[1, 2, 3, 4]], "label": "a"}}
        found = read(tmp_path, whole)
        assert (found.classes, len(found.images["0.png"].boxes), len(found.images["1.png"].boxes)) == (("a",), 0, 1)
    [(file, why)] = read(tmp_path, {"0.png": {"bbox": [[1, nan, 3, 4]]}}).rejected
    assert (file, "not all finite numbers" in why) == ("boxes.json", True)
