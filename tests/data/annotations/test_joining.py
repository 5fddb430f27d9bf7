"""Annotations of one image in several files or entries are joined, and it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evenray.data.annotations.coco import read_coco
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.labelme import LABELME
from evenray.data.annotations.shapes import read_shapes
from evenray.data.annotations.voc import read_voc
from evenray.data.annotations.yolo import read_yolo

IMAGES = ["images/a.png", "images/b.png"]


def boxes(found: Annotations, image: str = "images/a.png") -> list[tuple[str, float, float]]:
    return [(found.classes[box.index], box.x0, box.y1) for box in found.images[image].boxes]


def several(found: Annotations) -> list[int]:
    return [note.values["count"] for note in found.notes if note.code == "annotations.several_files"]


def coco(path: Path, kind: str, annotations: list[tuple[Any, float]], images: tuple[Any, ...] = (1,)) -> Path:
    """A file of one class, whose images are all called a.png; an annotation has its image and where it begins."""
    path.write_text(json.dumps({
        "images": [{"id": number, "file_name": "a.png", "height": 40, "width": 40} for number in images],
        "annotations": [
            {"id": n, "image_id": of, "category_id": 1, "bbox": [x, 1, 4, 4]} for n, (of, x) in enumerate(annotations)
        ],
        "categories": [{"id": 1, "name": kind}],
    }))  # fmt: skip
    return path


def test_coco_files_of_two_classes_over_the_same_images(tmp_path: Path) -> None:
    paths = [coco(tmp_path / "cells.json", "cell", [(1, 3)]), coco(tmp_path / "nuclei.json", "nucleus", [(1, 5)])]
    found = read_coco(tmp_path, paths, IMAGES, "detect")
    assert (boxes(found), several(found)) == ([("cell", 3, 5), ("nucleus", 5, 5)], [1])


def test_two_entries_of_one_image_count_together_and_an_object_in_both_once(tmp_path: Path) -> None:
    path = coco(tmp_path / "merged.json", "cell", [(1, 3), (1, 9), (2, 3), (2, 6)], images=(1, 2))
    found = read_coco(tmp_path, [path], IMAGES, "detect")
    assert (sorted(boxes(found)), several(found)) == ([("cell", 3, 5), ("cell", 6, 5), ("cell", 9, 5)], [1])


def test_images_of_one_file_are_of_one_file(tmp_path: Path) -> None:
    path = coco(tmp_path / "cells.json", "cell", [(1, 3), (1, 9)])
    assert several(read_coco(tmp_path, [path], IMAGES, "detect")) == []


def test_annotations_of_images_that_coco_lacks_are_told_and_numbers_may_be_texts(tmp_path: Path) -> None:
    found = read_coco(tmp_path, [coco(tmp_path / "cells.json", "cell", [("1", 3), (7, 9), (8, 9)])], IMAGES, "detect")
    assert boxes(found) == [("cell", 3, 5)]
    assert [(note.code, note.values["count"]) for note in found.notes] == [("annotations.files_absent", 2)]


def test_files_of_two_readers_each(tmp_path: Path) -> None:
    """r1/a and r2/a as Pascal VOC, YOLO and LabelMe have them: one object in both, one more in the second."""
    for reader, places in (("r1", [2]), ("r2", [2, 6])):
        (tmp_path / reader).mkdir()
        corners = [f"<xmin>{x}</xmin><ymin>2</ymin><xmax>{x + 4}</xmax><ymax>8</ymax>" for x in places]
        objects = "".join(f"<object><name>cell</name><bndbox>{each}</bndbox></object>" for each in corners)
        (tmp_path / reader / "a.xml").write_text(f"<annotation>{objects}</annotation>")
        (tmp_path / reader / "a.txt").write_text("\n".join(f"0 0.{x} 0.5 0.1 0.1" for x in places))
        shapes = [{"label": "cell", "shape_type": "rectangle", "points": [[x, 2], [x + 4, 8]]} for x in places]
        whole = {"shapes": shapes, "imagePath": "a.png", "imageHeight": 40, "imageWidth": 40}
        (tmp_path / reader / "a.json").write_text(json.dumps(whole))
    for found in (
        read_voc(tmp_path, ["r1/a.xml", "r2/a.xml"], IMAGES),
        read_yolo(tmp_path, ["r1/a.txt", "r2/a.txt"], IMAGES),
        read_shapes(LABELME, tmp_path, ["r1/a.json", "r2/a.json"], IMAGES, "detect"),
    ):
        assert (len(boxes(found)), several(found)) == (2, [1])
