"""Objects that count neither way, as each format says it: they are kept, and are neither of a class nor background."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenray.data.annotations.coco import read_coco
from evenray.data.annotations.voc import read_voc

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
