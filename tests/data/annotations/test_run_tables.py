"""Tables with several columns of runs: each is a class, called as the column; where a column of classes stands beside, it is asked."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evenray.core.errors import DataError
from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.annotations.finding import Wanted
from evenray.data.scan import scan
from evenray.data.scan.listing import listing
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices

from .drawn import SHAPE, N, image

ORGANS = ("Left Lung", "Right Lung", "Heart")


def truth(number: int) -> np.ndarray:
    """Index 1, 2 and 3 in rectangles that do not meet; no heart in the first image."""
    found = np.zeros(SHAPE, np.uint8)
    found[2 : 9 + number, 2:8], found[3:15, 20 : 24 + number] = 1, 2
    found[12:18, 11 : 13 + number] = 3 if number else 0
    return found


def runs(mask: np.ndarray) -> str:
    """Counted pixel by pixel, down the columns."""
    flat, found = mask.flatten(order="F").tolist(), list[list[int]]()
    for at, inside in enumerate(flat):
        if inside and found and sum(found[-1]) == at + 1:
            found[-1][1] += 1
        elif inside:
            found.append([at + 1, 1])
    return " ".join(f"{start} {length}" for start, length in found)


def table(root: Path, kind: str | None = None) -> None:
    rows = [",".join(("Image Index", *ORGANS, "Height", "Width", *([kind] if kind else [])))]
    for n in range(N):
        image(root / f"{n}.png", n)
        drawn = [runs(truth(n) == k + 1) for k in range(len(ORGANS))]
        rows.append(",".join((f"{n}.png", *drawn, str(SHAPE[0]), str(SHAPE[1]), *(["ab"[n % 2]] if kind else []))))
    (root / "masks.csv").write_text("\n".join(rows))


def scanned(root: Path, *options: str) -> Dataset:
    return scan(root, wanted=Wanted("segment"), choices=Choices(columns_asked(options)), names=True)


def test_each_column_of_runs_is_a_class(tmp_path: Path) -> None:
    table(tmp_path)
    found = scanned(tmp_path)
    assert found.classes == ORGANS
    for row, file in enumerate(found.cases["file"]):
        np.testing.assert_array_equal(read_mask(found, row), truth(int(file[0])))
    assert found.facts.understood is not None
    assert not set(ORGANS) & set(found.facts.understood.unused)
    notes = listing(tmp_path, wanted=Wanted("segment")).notes
    assert [note.values for note in notes if note.code == "annotations.columns_of_runs"] == [{"columns": list(ORGANS)}]


def test_a_column_of_runs_may_be_left_out(tmp_path: Path) -> None:
    table(tmp_path)
    found = scanned(tmp_path, "ignore=Left Lung")
    assert found.classes == ORGANS[1:]
    for row, file in enumerate(found.cases["file"]):
        np.testing.assert_array_equal(read_mask(found, row), np.array([0, 0, 1, 2])[truth(int(file[0]))])


def test_a_column_of_classes_beside_several_of_runs_is_asked_about(tmp_path: Path) -> None:
    table(tmp_path, "class")
    with pytest.raises(DataError, match=r"--column ignore=class .*--column ignore=Right Lung\+Heart"):
        scanned(tmp_path)
    assert scanned(tmp_path, "ignore=class").classes == ORGANS
    assert scanned(tmp_path, "ignore=Right Lung+Heart").classes == ("a", "b")


def test_of_square_images_it_is_said_that_rows_and_columns_cannot_be_told(tmp_path: Path) -> None:
    for n in range(N):
        picture = np.random.default_rng(n).integers(0, 256, (24, 24), np.uint8)
        cv2.imwrite(str(tmp_path / f"{n}.png"), picture)
    mask = np.zeros((24, 24), np.uint8)
    mask[4:9, 6:20] = 1
    rows = [f"{n}.png,{runs(mask)}" for n in range(N)]
    (tmp_path / "masks.csv").write_text("\n".join(["image,EncodedPixels", *rows]))
    assert "annotations.square" in {note.code for note in listing(tmp_path, wanted=Wanted("segment")).notes}
    table(tmp_path / "wide")
    assert "annotations.square" not in {
        note.code for note in listing(tmp_path / "wide", wanted=Wanted("segment")).notes
    }
