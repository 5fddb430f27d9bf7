"""Objects that count neither way, as each format says it: they are kept, and are neither of a class nor background."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evenray.data.annotations import read_boxes, read_mask
from evenray.data.annotations.coco import read_coco
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.voc import read_voc
from evenray.data.regions import regions_of
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.metrics.matching import matches

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import BOXES, image

BOX = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
FLAGS = [
    ("0", False),
    ("", False),
    ("False", False),
    ("no", False),
    ("Unspecified", False),
    ("1", True),
    ("true", True),
]


@pytest.mark.parametrize(("flag", "ignored"), FLAGS)
@pytest.mark.parametrize("name", ["difficult", "ignore"])
def test_flags_of_voc_may_be_words(tmp_path: Path, name: str, flag: str, ignored: bool) -> None:
    objects = f"<object><name>a</name>{BOX}</object><object><name>a</name><{name}>{flag}</{name}>{BOX}</object>"
    (tmp_path / "a.xml").write_text(f"<annotation>{objects}</annotation>")
    found = read_voc(tmp_path, ["a.xml"], ["a.png"])
    assert [box.ignored for box in found.images["a.png"].boxes] == [False, ignored]


@pytest.mark.parametrize(
    ("flags", "ignored"),
    [({}, False), ({"iscrowd": 0, "ignore": 0}, False), ({"iscrowd": 1}, True), ({"iscrowd": 0, "ignore": 1}, True),
     ({"ignore": True}, True), ({"ignore": False}, False), ({"iscrowd": "0", "ignore": None}, False)],
)  # fmt: skip
def test_coco_has_crowds_and_what_is_to_be_ignored(tmp_path: Path, flags: dict[str, object], ignored: bool) -> None:
    (tmp_path / "a.json").write_text(json.dumps({
        "images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], **flags}],
    }))  # fmt: skip
    [box] = read_coco(tmp_path, [tmp_path / "a.json"], ["a.png"], "detect").images["a.png"].boxes
    assert box.ignored is ignored


def test_pixels_of_what_counts_neither_way_are_unknown_where_no_object_is(tmp_path: Path) -> None:
    """In an image of 20 x 30 an object covers the columns 2 to 10, what is to be ignored 6 to 16, and a crowd 20 to 24."""

    def outlined(label: str, left: int, right: int, **more: object) -> dict[str, object]:
        return {"label": label, "points": [[left, 5], [right, 5], [right, 9], [right, 15], [left, 15]], **more}

    shapes = [outlined("a", 2, 10), outlined("b", 6, 16, difficult=True), outlined("a", 20, 24, flags={"crowd": True})]
    whole: dict[str, list[object]] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}
    for n in range(4):
        for tool in ("labelme", "coco"):
            image(tmp_path / tool / f"{n}.png", n)
        drawn = {"imagePath": f"{n}.png", "imageHeight": 20, "imageWidth": 30, "shapes": shapes}
        (tmp_path / "labelme" / f"{n}.json").write_text(json.dumps(drawn))
        whole["images"].append({"id": n, "file_name": f"{n}.png", "height": 20, "width": 30})
        for shape, flags in zip(shapes, ({}, {"ignore": 1}, {"iscrowd": 1}), strict=True):
            ring = [np.ravel(shape["points"]).tolist()]  # type: ignore[arg-type]
            whole["annotations"].append({"image_id": n, "category_id": 1, "segmentation": ring, **flags})
    (tmp_path / "coco" / "all.json").write_text(json.dumps(whole))
    expected = np.zeros((20, 30), int)
    expected[5:15, 6:16], expected[5:15, 2:10], expected[5:15, 20:24] = 255, 1, 1
    for tool in ("labelme", "coco"):
        wanted = Wanted(task="segment")
        dataset = scan(tmp_path / tool, wanted=wanted)
        assert dataset.classes == ("a",)
        assert dataset.cases["mask_unknown"].to_list() == [60] * 4
        np.testing.assert_array_equal(read_mask(dataset, 0), expected)
        assert listing(tmp_path / tool, wanted=wanted).understood.counts == {"a": 8}


def test_what_kitti_does_not_care_about_counts_neither_way(tmp_path: Path) -> None:
    """Where it lies no class is marked, and a detection of any class on it is neither right nor wrong."""
    BOXES["kitti"](tmp_path)
    dataset = scan(tmp_path)
    assert dataset.classes == ("a", "b")
    assert listing(tmp_path).understood.counts == {"a": 6, "b": 3}
    assert dataset.targets.sum(axis=0).tolist() == [6, 3]
    said = np.array([[0, 1, 1, 5, 5, 0.9], [1, 1, 1, 5, 5, 0.8]])
    for kind in matches([read_boxes(dataset, 0)], [said], 2, (0.5,)):
        assert (kind.hit.any(), kind.ignored.all()) == (False, True)


def test_where_nothing_but_what_does_not_count_is_known_is_no_region(tmp_path: Path) -> None:
    for n, label in enumerate(("sick", "well")):
        image(tmp_path / "films" / label / f"{n}.png", n)
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "0.txt").write_text("DontCare 2 2 9 9\n")
    (tmp_path / "boxes" / "1.txt").write_text("DontCare 2 2 9 9\ntumour 12 2 20 9\n")
    regions = regions_of(scan(tmp_path / "films"), str(tmp_path / "boxes"))
    found = regions.of(1, 0)
    assert regions.of(0, 0) is None
    assert found is not None
    assert (found.sum(), found[2:9, 12:20].all()) == (56, True)
