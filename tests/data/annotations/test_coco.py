"""COCO files as tools and people write them: numbers of their own, parts of one set, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as masks_of_coco

from evenray.core.errors import DataError
from evenray.data.annotations.coco import is_coco, read_coco
from evenray.data.annotations.found import Annotations

IMAGES = [f"{n}.png" for n in range(4)]


def coco(path: Path, images: list[int], kinds: list[Any], categories: dict[int, str] | None, **more: Any) -> Path:
    """A file with one box an image, of the kinds; None is a box without one."""
    annotations = [
        {"id": n, "image_id": n, "bbox": [n, 1, 4, 4]} | ({} if kind is None else {"category_id": kind}) | more
        for n, kind in zip(images, kinds, strict=True)
    ]
    whole: dict[str, Any] = {"images": [{"id": n, "file_name": f"{n}.png"} for n in images], "annotations": annotations}
    whole |= {} if categories is None else {"categories": [{"id": n, "name": name} for n, name in categories.items()]}
    path.write_text(json.dumps(whole))
    return path


def said(root: Path, *paths: Path) -> dict[str, list[str]]:
    found: Annotations = read_coco(root, paths, IMAGES, "detect")
    return {file: [found.classes[box.index] for box in own.boxes] for file, own in found.images.items()}


def test_parts_with_other_numbers_of_categories(tmp_path: Path) -> None:
    """The class of number 1 is not used in the first part, and has number 0 in the second."""
    first = coco(tmp_path / "train.json", [0, 1], [2, 2], {1: "cell", 2: "x"})
    second = coco(tmp_path / "val.json", [2, 3], [0, "2"], {0: "cell", 2: "x"})
    assert said(tmp_path, first, second) == {"0.png": ["x"], "1.png": ["x"], "2.png": ["cell"], "3.png": ["x"]}
    assert read_coco(tmp_path, [first, second], IMAGES, "detect").classes == ("cell", "x")


@pytest.mark.parametrize(
    ("kinds", "classes"), [([None, None], ("object",)), ([1, 1], ("object",)), ([7, 3], ("3", "7"))]
)
def test_without_categories_all_is_one_class_unless_several_are_numbered(
    tmp_path: Path, kinds: list[int | None], classes: tuple[str, ...]
) -> None:
    path = coco(tmp_path / "all.json", [0, 1], kinds, None)
    assert read_coco(tmp_path, [path], IMAGES, "detect").classes == classes
    assert said(tmp_path, path) == {"0.png": [classes[-1]], "1.png": [classes[0]]}


def test_a_category_that_is_missing_is_an_error_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an annotation of category 5, which its categories lack; expected one of 1, 2"):
        said(tmp_path, coco(tmp_path / "all.json", [0], [5], {2: "b", 1: "a"}))
    with pytest.raises(DataError, match=r"is no COCO file: KeyError 'category_id'; expected images with id"):
        said(tmp_path, coco(tmp_path / "all.json", [0], [None], {1: "a"}))


@pytest.mark.parametrize("place", ["images", "categories"])
def test_images_and_categories_without_numbers_are_refused(tmp_path: Path, place: str) -> None:
    path = coco(tmp_path / "all.json", [0], [1], {1: "a"})
    whole = json.loads(path.read_text())
    del whole[place][0]["id"]
    path.write_text(json.dumps(whole))
    with pytest.raises(DataError, match="is no COCO file: KeyError 'id'; expected images with id"):
        said(tmp_path, path)


def test_one_number_of_two_images_is_refused(tmp_path: Path) -> None:
    path = coco(tmp_path / "all.json", [0, 1], [1, 1], {1: "a"})
    whole = json.loads(path.read_text())
    whole["images"][1]["id"] = 0
    path.write_text(json.dumps(whole))
    with pytest.raises(
        DataError, match=r"has the id 0 for '0.png' and for '1.png'; expected one of its own .* Number the images"
    ):
        said(tmp_path, path)


def test_a_box_of_nan_is_none_and_a_part_of_one_is_refused(tmp_path: Path) -> None:
    path = coco(tmp_path / "all.json", [0, 1], [1, 2], {1: "a", 2: "No finding"})
    whole = json.loads(path.read_text())
    whole["annotations"][1]["bbox"] = [float("nan")] * 4
    path.write_text(json.dumps(whole))
    assert said(tmp_path, path) == {"0.png": ["a"], "1.png": []}
    assert read_coco(tmp_path, [path], IMAGES, "detect").classes == ("a",)
    for broken in (float("nan"), float("inf")):
        whole["annotations"][1]["bbox"] = [1, 2, broken, 4]
        path.write_text(json.dumps(whole))
        with pytest.raises(DataError, match=r"has an annotation \(id 1\) that cannot be read"):
            said(tmp_path, path)


@pytest.mark.parametrize("box", [None, []])
def test_an_object_without_a_box_has_that_of_its_outline_or_runs(tmp_path: Path, box: list[float] | None) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 7:20] = 1
    runs = masks_of_coco.encode(np.asfortranarray(mask))
    path = coco(tmp_path / "all.json", [0, 1], [1, 1], {1: "a"})
    whole = json.loads(path.read_text())
    for each in whole["annotations"]:
        each["bbox"] = box
    whole["annotations"][0]["segmentation"] = {"size": [20, 30], "counts": runs["counts"].decode()}
    whole["annotations"][1]["segmentation"] = [[7, 4, 12, 4, 12, 9], [15, 5, 20, 5, 20, 7]]
    path.write_text(json.dumps(whole))
    found = read_coco(tmp_path, [path], IMAGES, "detect")
    for file in ("0.png", "1.png"):
        [one] = found.images[file].boxes
        assert (one.x0, one.y0, one.x1, one.y1) == (7, 4, 20, 9)


def test_several_numbers_of_categories_are_refused_with_their_names(tmp_path: Path) -> None:
    path = coco(tmp_path / "teeth.json", [0, 1], [None, None], None, category_id_1=0, category_id_2=4, category_id_3=1)
    whole = json.loads(path.read_text())
    names = {
        key: [{"id": n, "name": str(n)} for n in range(5)] for key in ("categories_1", "categories_2", "categories_3")
    }
    path.write_text(json.dumps(whole | names))
    with pytest.raises(
        DataError, match=r"category_id_1, category_id_2, category_id_3 in its annotations and no category_id,"
    ):
        said(tmp_path, path)
    path.write_text(path.read_text().replace("category_id_2", "category_id").replace("categories_2", "categories"))
    assert said(tmp_path, path) == {"0.png": ["4"], "1.png": ["4"]}


@pytest.mark.parametrize("first", ["images", "annotations"])
def test_annotations_by_their_ids_are_read_as_a_list_is(first: str, tmp_path: Path) -> None:
    path = coco(tmp_path / "cells.json", [0, 1, 1], [1, 2, 1], {1: "a", 2: "b"})
    listed = said(tmp_path, path)
    whole = json.loads(path.read_text())
    whole["annotations"] = {str(7 + n): each for n, each in enumerate(whole["annotations"])}
    path.write_text(json.dumps({first: whole[first]} | whole))
    assert is_coco(path)
    assert said(tmp_path, path) == listed == {"0.png": ["a"], "1.png": ["b", "a"]}
