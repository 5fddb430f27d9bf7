"""Words that tell the masks of an image apart: each is a class, a reader or a side, and none is joined in silence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan

from .drawn import SHAPE, image, mask_of, write

N = 10


def part(number: int, index: int) -> np.ndarray:
    return (mask_of(number) == index).astype(np.uint8) * 255


def said(dataset: Dataset) -> dict[str, dict[str, object]]:
    codes = re.compile(r"annotations\.(?!values)")
    return {note.code: note.values for note in dataset.facts.notes if codes.match(note.code)}


@pytest.mark.parametrize("way", ["masks/{}/x{}.png", "x{1}_{0}_mask.png"])
@pytest.mark.parametrize("rare", ["tumor", "cyst"])
def test_a_word_of_a_single_mask_is_a_class_beside_others_and_is_named(way: str, rare: str, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / ("images" if "/" in way else ".") / f"x{n}.png", n)
        write(tmp_path / way.format("liver", n), part(n, 1))
        if rare == "tumor" or n == 3:
            write(tmp_path / way.format("tumour" if rare == "tumor" and n else rare, n), part(n, 2))
    dataset = scan(tmp_path)
    assert dataset.classes == (("liver", "tumor", "tumour") if rare == "tumor" else ("cyst", "liver"))
    assert said(dataset) == {"annotations.words_rare": {"words": [rare]}}
    assert read_mask(dataset, 3)[8, 8] == dataset.classes.index("liver") + 1


@pytest.mark.parametrize("tagged", [1, 4])
def test_words_that_some_masks_have_beside_others_without_are_joined_and_named(tagged: int, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"x{n}.png", n)
        write(tmp_path / f"x{n}_mask.png", part(n, 1))
        if n < tagged:
            write(tmp_path / f"x{n}_tumour_mask.png", part(n, 2))
    dataset = scan(tmp_path)
    assert (dataset.classes, said(dataset)) == (("foreground",), {"annotations.words_joined": {"words": ["tumour"]}})


def test_names_of_single_objects_are_not_told(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"x{n}/images/x{n}.png", n)
        for index, word in ((1, "quartz"), (2, "jasper")):
            write(tmp_path / f"x{n}/masks/{word}{'abcdefghij'[n]}.png", part(n, index))
    dataset = scan(tmp_path)
    assert (dataset.classes, said(dataset)) == (("foreground",), {})


@pytest.mark.parametrize("lacking", [(), (4,), (0, 1, 2, 3, 4, 5)])
def test_images_that_lack_a_side_are_named(lacking: tuple[int, ...], tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "CXR" / f"{n}.png", n)
        write(tmp_path / "leftMask" / f"{n}.png", part(n, 1))
        if n not in lacking:
            write(tmp_path / "rightMask" / f"{n}.png", part(n, 2))
    found = said(scan(tmp_path))
    lost = found.pop("annotations.sides_lacking", None)
    assert found == {"annotations.sides": {"ways": ["left", "right"]}}
    files = [f"CXR/{n}.png" for n in lacking]
    assert lost == ({"count": len(lacking), "files": files[:3]} if lacking else None)


def test_sides_of_which_no_image_has_two_are_not_lacking(tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"x{n}.png", n)
        write(tmp_path / f"x{n}_{'left' if n % 2 else 'right'}_mask.png", part(n, 1))
    assert said(scan(tmp_path)) == {"annotations.sides": {"ways": ["left", "right"]}}


@pytest.mark.parametrize("folder", ["", "images/"])
def test_masks_beside_those_of_a_reader_are_no_field_of_view_where_a_word_says_otherwise(
    folder: str, tmp_path: Path
) -> None:
    for n in range(N):
        image(tmp_path / f"{folder}{n:02}.png", n)
        write(tmp_path / f"{folder}{n:02}_manual1.png", part(n, 1))
        write(tmp_path / f"{folder}{n:02}_disc_mask.png", part(n, 2))
    with pytest.raises(DataError, match="masks of several kinds") as refused:
        scan(tmp_path)
    patterns = re.findall(r"--masks '([^']+)'", str(refused.value))
    assert len(patterns) == 2
    for pattern, index in zip(patterns, (1, 2), strict=True):
        dataset = scan(tmp_path, wanted=Wanted(masks=pattern))
        assert dataset.classes == ("foreground",)
        row = dataset.cases["file"].to_list().index(f"{folder}00.png")
        np.testing.assert_array_equal(read_mask(dataset, row), part(0, index) // 255)


@pytest.mark.parametrize("word", ["fov_mask", "mask", "FOV"])
@pytest.mark.parametrize("folder", ["", "images/"])
def test_the_field_of_view_beside_a_readers_masks_is_not_used(folder: str, word: str, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / f"{folder}{n:02}.png", n)
        write(tmp_path / f"{folder}{n:02}_manual1.png", part(n, 1))
        write(tmp_path / f"{folder}{n:02}_{word}.png", np.full(SHAPE, 255, np.uint8))
    dataset = scan(tmp_path)
    assert said(dataset) == {"annotations.fields": {"count": N}}
    assert read_mask(dataset, 0).sum() == (part(0, 1) > 0).sum()


def test_second_observers_are_told_as_such(tmp_path: Path) -> None:
    """As CHASE_DB1 calls them, whose two observers have a mask of each image."""
    for n in range(N):
        image(tmp_path / f"Image_{n:02}L.jpg", n)
        write(tmp_path / f"Image_{n:02}L_1stHO.png", part(n, 1))
        write(tmp_path / f"Image_{n:02}L_2ndHO.png", part(n, 2))
    dataset = scan(tmp_path)
    assert said(dataset) == {"annotations.readers": {"count": 2, "name": "1stho"}}
    assert {masks[0]["file"][-9:-4] for masks in dataset.cases["masks"].to_list()} == {"1stHO"}
