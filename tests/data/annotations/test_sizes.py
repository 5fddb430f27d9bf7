"""Masks of another size than their image: they are stretched to it, and counted in its pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.data.annotations import read_mask
from evenray.data.annotations.reading import joined

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import MASKS
from .test_layouts import scanned


def enlarge(root: Path, *, times: int) -> None:
    """The images below a folder, so many times as high and wide as they were annotated."""
    for path in root.rglob("*.png"):
        cv2.imwrite(str(path), np.kron(cv2.imread(str(path)), np.ones((times, times, 1), np.uint8)))


@pytest.mark.parametrize("name", ["coco_runs", "coco_outlines", "cvat", "supervisely"])
def test_runs_and_outlines_are_of_the_size_that_their_file_says(name: str, tmp_path: Path) -> None:
    truth = MASKS[name](tmp_path)
    enlarge(tmp_path, times=3)
    dataset = scanned(tmp_path, truth)
    for row, file in enumerate(dataset.cases["file"]):
        found = read_mask(dataset, row)
        np.testing.assert_array_equal(found, np.kron(truth.masks[file], np.ones((3, 3), np.uint8)))
        sizes = [int((found == k + 1).sum()) for k in range(len(truth.classes))]
        assert dataset.cases["mask_pixels"][row].to_list() == sizes


def test_masks_of_a_run_folder_of_0_1_are_read(tmp_path: Path) -> None:
    """Their structs have no size."""
    truth = MASKS["coco_runs"](tmp_path)
    dataset = scanned(tmp_path, truth)
    plain = pl.element().struct.field("file", "fragment", "runs", "values", "indices")
    old = dataset.cases.select(pl.col("masks").list.eval(pl.struct(plain)))["masks"][0].to_list()
    assert "rows" not in old[0]
    shape = truth.masks[dataset.cases["file"][0]].shape
    np.testing.assert_array_equal(joined(tmp_path, old, shape), truth.masks[dataset.cases["file"][0]])
