"""Pascal VOC: from which number pixels count, corners that are no numbers, and classes that are spelled alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenray.data.annotations.found import Annotations
from evenray.data.annotations.voc import read_voc
from evenray.data.scan import scan

from .drawn import image


def read(root: Path, *corners: tuple[float | str, float | str, float | str, float | str]) -> Annotations:
    objects = "".join(
        f"<object><name>a</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for x0, y0, x1, y1 in corners
    )
    (root / "a.xml").write_text(f"<annotation>{objects}</annotation>")
    return read_voc(root, ["a.xml"], ["a.png"])


@pytest.mark.parametrize(
    ("corners", "left"), [((3, 4, 9, 9), 2), ((3.0, 4, 9.0, 9), 2), ((3.5, 4, 9, 9), 3.5), ((0, 4, 9, 9), 0)]
)
def test_fractions_of_pixels_and_zeros_count_from_0(
    tmp_path: Path, corners: tuple[float, float, float, float], left: float
) -> None:
    assert read(tmp_path, corners, (5, 5, 7, 7)).images["a.png"].boxes[0].x0 == left


def test_nan_is_no_box_and_a_part_of_one_sets_the_file_aside(tmp_path: Path) -> None:
    found = read(tmp_path, ("nan", "NaN", "nan", "nan"), (3, 4, 9, 9))
    assert [box.x1 for box in found.images["a.png"].boxes] == [9]
    for broken in ("nan", "inf"):
        [(file, why)] = read(tmp_path, (3, broken, 9, 9)).rejected
        assert (file, "not all finite numbers" in why) == ("a.xml", True)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("RBC", "rbc", "WBC"), ["RBC", "rbc"]),
        (("pleural effusion", "Pleural_Effusion", "cell", "cells"), ["Pleural_Effusion", "pleural effusion"]),
        (("RBC", "WBC"), None),
    ],
)
def test_classes_that_are_spelled_alike_are_told(
    names: tuple[str, ...], told: list[str] | None, tmp_path: Path
) -> None:
    for n in range(8):
        image(tmp_path / f"{n}.png", n)
        box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        xml = f"<annotation><object><name>{names[n % len(names)]}</name>{box}</object></annotation>"
        (tmp_path / f"{n}.xml").write_text(xml)
    dataset = scan(tmp_path)
    assert dataset.classes == tuple(sorted(names))
    said = {note.code: note.values for note in dataset.facts.notes}
    assert said.get("annotations.spelled_apart") == (None if told is None else {"names": told})
