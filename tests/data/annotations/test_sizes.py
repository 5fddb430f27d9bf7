"""Masks of another size than their image: they are stretched to it, and counted in its pixels."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.core.types import Dataset
from evenray.data.annotations import read_mask
from evenray.data.annotations.reading import joined, stretched
from evenray.data.audit.annotation_classes import annotation_classes
from evenray.data.audit.mask_extent import mask_extent
from evenray.data.scan import scan
from evenray.learning.tasks.segment import MILLION, Segment

from . import drawn_collections  # noqa: F401, which adds to what is drawn
from .drawn import MASKS, SHAPE, N, image, mask_of, write
from .test_layouts import scanned


def enlarge(root: Path, *, times: int) -> None:
    """The pictures below a folder, so many times as high and wide as they were drawn."""
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


def shares(dataset: Dataset) -> np.ndarray:
    """What the masks of all cases mark of their images, (cases, K + 1)."""
    masks = [read_mask(dataset, row) for row in range(len(dataset))]
    return np.array([[(mask == k).mean() for k in range(len(dataset.classes) + 1)] for mask in masks])


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("times", [0.5, 2])
def test_pixels_are_counted_in_those_of_the_image(by_name: bool, times: float, tmp_path: Path) -> None:
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
        own = cv2.resize(mask_of(n), None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
        if not by_name:
            write(tmp_path / "masks" / f"{n}.png", own)
            continue
        for k, name in enumerate(("liver", "spleen")):
            write(tmp_path / "masks" / name / f"{n}.png", (own == k + 1).astype(np.uint8) * 255)
    dataset = scan(tmp_path)
    true = shares(dataset)
    np.testing.assert_allclose(Segment().targets(dataset) / MILLION, true, atol=2e-6)
    [*_, found] = annotation_classes(dataset)
    assert list(found.evidence["pixel_shares"].values()) == pytest.approx(true.mean(axis=0)[1:], abs=1e-4)


@pytest.mark.parametrize("background", [0, 2])
def test_all_of_a_thousand_objects_are_counted(background: int, tmp_path: Path) -> None:
    """Of cells side by side, with a few pixels of background or none."""
    for n in range(N):
        image(tmp_path / "images" / f"{n}.png", n)
        own = 1 + np.arange(SHAPE[0] * SHAPE[1], dtype=np.uint16).reshape(SHAPE) // (1 + n % 2)
        own.flat[:background] = 0
        own.flat[background:] -= own.flat[background] - 1
        write(tmp_path / "masks" / f"{n}.png", own)
    dataset = scan(tmp_path)
    assert dataset.classes == ("foreground",)
    assert dataset.cases["mask_pixels"].to_list() == [[SHAPE[0] * SHAPE[1] - background]] * N
    np.testing.assert_allclose(Segment().targets(dataset) / MILLION, shares(dataset), atol=2e-6)
    # Most are full, which one class that fills all of them is not warned of as the mistake of some.
    assert [found.variant for found in mask_extent(dataset)] == ["full_all"]


@pytest.mark.parametrize("shape", [(20, 60), (80, 10)])
@pytest.mark.parametrize("kind", ["u1", "i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "u8", "i8"])
def test_every_integer_is_stretched_as_it_is(kind: str, shape: tuple[int, int]) -> None:
    span = np.iinfo(kind)
    ends = max(span.min, -(2**40)), min(span.max, 2**40)
    pixels = np.random.default_rng(0).integers(*ends, (40, 30), endpoint=True).astype(kind)
    rows, columns = (np.floor((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, (40, 30), strict=True))
    found = stretched(pixels, shape)
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(found, pixels[np.ix_(rows, columns)])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32])
def test_to_stretch_a_mask_takes_no_copy_of_it(kind: type[np.integer]) -> None:
    pixels = np.ones((2000, 1000), kind)
    tracemalloc.start()
    try:
        stretched(pixels, (200, 100))
        assert tracemalloc.get_traced_memory()[1] < pixels.nbytes / 2
    finally:
        tracemalloc.stop()
