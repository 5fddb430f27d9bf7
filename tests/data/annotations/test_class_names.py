"""The names of classes that annotations call by numbers: where they are looked for, and which number has which."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from evenray.core.texts import Texts
from evenray.data.annotations.class_names import class_names
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import BOXES, MASKS, N, image, mask_of, write


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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\nb\n", ("a", "b")),  # as many as there are values
        ("background\na\nb\n", ("a", "b")),
        ("Un-labelled\na\nb\nc\n", ("a", "b")),  # the last occurs nowhere
        ("배경\na\nb\n", ("a", "b")),
        ("__ignore__\n_background_\na\nb\n", ("a", "b")),  # as LabelMe has it
        ("background\na\n", ("1", "2")),  # not all have a name
        ("a\n", ("1", "2")),
    ],
)
def test_a_list_names_the_values_of_masks(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    found, notes = named(tmp_path, text, 1)
    assert (found, notes) == (names, [])


@pytest.mark.parametrize(("text", "scale"), [("a\nb\nc\n", 1), ("a\nb\nc\nd\ne\n", 1), ("a\nb\n", 255)])
def test_a_list_of_more_names_than_values_may_begin_with_either(tmp_path: Path, text: str, scale: int) -> None:
    """Where the last class of five occurs nowhere at hand, or the first is the background by another name."""
    found, notes = named(tmp_path, text, scale)
    assert found == (("1", "2") if scale == 1 else ("foreground",))
    [note] = notes
    assert note.startswith(
        f"classes.txt names {text.count(chr(10))} classes, but the values of the masks go up to {2 if scale == 1 else 1}"
    )
    shutil.rmtree(tmp_path / "masks")
    assert named(tmp_path, f"background\n{text}", scale) == (("a", "b") if scale == 1 else ("foreground",), [])


def named(root: Path, text: str, scale: int) -> tuple[tuple[str, ...], list[str]]:
    """The classes of masks of 1 and 2, or of 1 alone as another number, beside a list of names, and what is said of the list."""
    for n in range(N):
        image(root / "images" / f"{n}.png", n)
        mask = mask_of(n)
        write(root / "masks" / f"{n}.png", mask if scale == 1 else (mask == 1).astype(np.uint8) * scale)
    (root / "classes.txt").write_text(text, encoding="utf-8")
    found = scan(root)
    return found.classes, [Texts("en").message(n) for n in found.facts.notes if n.code == "annotations.names_unsure"]


@pytest.mark.parametrize("name", ["obj.names", "coco.names", "_darknet.labels"])
def test_lists_of_darknet_beside_the_images_name_classes_and_are_no_images(name: str, tmp_path: Path) -> None:
    for n in range(6):
        image(tmp_path / f"x{n}.png", n)
        (tmp_path / f"x{n}.txt").write_text(f"{n % 2} 0.5 0.5 0.2 0.3\n")
    (tmp_path / name).write_text("RBC\nWBC\n")
    (tmp_path / "obj.data").write_text(f"classes = 2\nnames = {name}\n")
    dataset = scan(tmp_path)
    assert (dataset.classes, len(dataset), dataset.facts.unlabelled) == (("RBC", "WBC"), 6, 0)
