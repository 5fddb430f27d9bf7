"""The names of classes that annotations call by numbers: where they are looked for, and which number has which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evenray.data.annotations.class_names import class_names
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


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("config.yaml", "names: [ann, bob]\n", ("0", "1")),  # of nothing that YOLO's file says besides
        ("data.yaml", "nc: 1\nnames: [red]\n", ("0", "1")),
        ("classes.txt", "red\n", ("0", "1")),
        ("classes.txt", "red\nwhite\nblue\n", ("red", "white", "blue")),
        ("data.yml", "path: .\nnames: [red, white]\n", ("red", "white")),
    ],
)
def test_a_list_above_that_may_be_of_something_else_names_nothing(
    tmp_path: Path, file: str, text: str, names: tuple[str, ...]
) -> None:
    BOXES["yolo"](tmp_path)
    (tmp_path / "data.yaml").unlink()
    (tmp_path / file).write_text(text)
    assert scan(tmp_path / "images", wanted=Wanted(boxes=str(tmp_path / "labels"))).classes == names


def test_files_that_cannot_be_read_name_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BOXES["yolo"](tmp_path)
    (tmp_path / "a.yaml").write_text("train: images\nnames: [c, d]\n")
    read_text = Path.read_text

    def refuse(path: Path, *args: str, **kwargs: str) -> str:
        if path.name == "a.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refuse)
    assert scan(tmp_path / "images", wanted=Wanted(boxes=str(tmp_path / "labels"))).classes == ("a", "b")
    assert class_names([tmp_path / "a.yaml"]) == ((), None)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: {1: a, 0: b}\n", ("b", "a")),
        ("names: {0: 'a', 2: \"b c\"}", ("a", "1", "b c")),
        ("names:\n  1: a\n  0: b\nnc: 2\n", ("b", "a")),
        ("names:\n  0: a\n  # none\n  3: b # last\n", ("a", "1", "2", "b")),
        ("names: [a, '', c]\n", ("a", "1", "c")),
        ("names:\n- a\n\n- b\n", ("a", "b")),
        ("names:\n- a\n- b # last\n", ("a", "b")),
        ("names: [\n  'a',  # first\n  'b',\n]\n", ("a", "b")),
        ("names:\n", ()),
    ],
)
def test_names_of_yaml_go_by_their_numbers(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert class_names([tmp_path / "data.yaml"]) == (names, tmp_path / "data.yaml" if names else None)
