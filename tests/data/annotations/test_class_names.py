"""The names of classes that annotations call by numbers: where they are looked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import BOXES, MASKS


@pytest.mark.parametrize("images", [".", "images"])
@pytest.mark.parametrize("labels", ["labels", "labels/train"])
def test_names_lie_above_a_folder_of_boxes_that_is_named(tmp_path: Path, images: str, labels: str) -> None:
    """As YOLO has them, whether the images that are named lie beside the file of names or below."""
    BOXES["yolo"](tmp_path)
    if (images, labels) == ("images", "labels/train"):
        shutil.move(tmp_path / "data.yaml", tmp_path / "images")  # beside the images, and not above the labels
    dataset = scan(tmp_path / images, wanted=Wanted(boxes=str(tmp_path / labels)))
    assert dataset.classes == ("a", "b")


def test_names_of_a_folder_come_before_those_above_it(tmp_path: Path) -> None:
    BOXES["yolo"](tmp_path)
    (tmp_path / "labels" / "classes.txt").write_text("red\nwhite\n")
    assert scan(tmp_path, wanted=Wanted(boxes=str(tmp_path / "labels"))).classes == ("red", "white")


def test_names_lie_above_a_folder_of_outlines_that_is_named(tmp_path: Path) -> None:
    MASKS["yolo_outlines"](tmp_path)
    assert scan(tmp_path, wanted=Wanted(masks=str(tmp_path / "labels"))).classes == ("cell",)
