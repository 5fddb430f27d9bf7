"""Masks and boxes in the store lie where the pixels do, and find their way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.core.errors import UsageError
from evenray.core.marks import OUTSIDE_PIXEL, UNKNOWN_PIXEL
from evenray.data.annotations import read_boxes, read_mask
from evenray.data.letterbox import Placement
from evenray.data.scan import scan
from evenray.data.store import prepare

from .drawn import BOXES, MASKS, write


def discs(root: Path) -> None:
    """Images that are bright where their mask is, of several shapes."""
    for n, shape in enumerate(((60, 90), (90, 60), (200, 300), (31, 64))):
        mask = np.zeros(shape, np.uint8)
        cv2.circle(mask, (shape[1] // 3, shape[0] // 2), 3 * min(shape) // 10, 255, -1)
        write(root / "images" / f"{n}.png", mask)
        noise = np.random.default_rng(n).integers(0, 30, shape, np.uint8)  # so that the images are none by their pixels
        cv2.imwrite(str(root / "images" / f"{n}.png"), np.maximum(mask // 2, noise) + mask // 3)
        write(root / "masks" / f"{n}.png", mask)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_masks_lie_where_the_pixels_do(size: int, tmp_path: Path) -> None:
    discs(tmp_path / "d")
    dataset = scan(tmp_path / "d")
    store = prepare(dataset, ["none"], size=size, channels=1, folder=tmp_path / "s")["none"]
    rows = np.arange(len(dataset))
    masks, pixels = store.masks(rows), store[rows]
    assert (masks.shape, masks.dtype) == ((4, size, size), np.uint8)
    for mask, picture in zip(masks, pixels, strict=True):
        bright = picture > 110
        both, either = ((mask == 1) & bright).sum(), ((mask == 1) | bright).sum()
        assert both / either > 0.9
    for row in rows.tolist():
        own = read_mask(dataset, row)
        back = Placement.of(own.shape, size).restore(masks[row])
        assert back.shape == own.shape
        assert (2 * ((back == 1) & (own == 1)).sum()) / ((back == 1).sum() + (own == 1).sum()) > 0.85


def test_masks_are_made_once_for_all_contrasts_and_again_where_they_are_lost(tmp_path: Path) -> None:
    discs(tmp_path / "d")
    dataset = scan(tmp_path / "d")
    made: list[tuple[int, bool]] = []

    def counting(function: Any, work: Any) -> Any:
        made.extend((len(item.targets), bool(item.masks)) for item in work)
        return map(function, work)

    options = {"size": 32, "channels": 1, "folder": tmp_path / "s", "map": counting}
    first = prepare(dataset, ["none"], **options)["none"].masks(np.arange(4))  # type: ignore[arg-type]
    prepare(dataset, ["none", "equalize"], **options)  # type: ignore[arg-type]
    assert made == [(1, True), (1, False)]
    [lost] = [
        path
        for path in (tmp_path / "s").glob("*/000000.npy")
        if path.stat().st_size == 128 + 4 * 32 * 32 and not (path.parent / "index.parquet").exists()
    ]
    lost.unlink()
    again = prepare(dataset, ["none"], **options)["none"]  # type: ignore[arg-type]
    assert made[2:] == [(0, True)]
    np.testing.assert_array_equal(again.masks(np.arange(4)), first)


def test_boxes_lie_where_the_pixels_do(tmp_path: Path) -> None:
    BOXES["voc_from_0"](tmp_path / "d")
    dataset = scan(tmp_path / "d")
    store = prepare(dataset, ["none"], size=64, channels=1, folder=tmp_path / "s")["none"]
    for row, found in enumerate(store.boxes(np.arange(len(dataset)))):
        raw = read_boxes(dataset, row)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[:, 0], raw[:, 0])
        back = Placement.of((20, 30), 64).boxes_to_image(found[:, 1:])
        np.testing.assert_allclose(back, raw[:, 1:], atol=1e-4)
    with pytest.raises(UsageError, match="has no masks"):
        store.masks(np.array([0]))


def test_other_masks_make_another_store(tmp_path: Path) -> None:
    MASKS["twin_folders"](tmp_path / "d")
    dataset = scan(tmp_path / "d")
    first = prepare(dataset, ["none"], size=28, channels=1, folder=tmp_path / "s")["none"]
    assert 1 in first.masks(np.arange(6))
    indices = pl.element().struct.with_fields(indices=pl.lit([0, 255], pl.List(pl.UInt8)))
    unknown = dataset.with_cases(dataset.cases.with_columns(masks=pl.col("masks").list.eval(indices)))
    store = prepare(unknown, ["none"], size=28, channels=1, folder=tmp_path / "s")["none"]
    assert set(np.unique(store.masks(np.arange(6)))) == {0, OUTSIDE_PIXEL, UNKNOWN_PIXEL}


SIDES = st.integers(1, 300)


@given(SIDES, SIDES, st.integers(8, 200), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_boxes_return_to_the_image_and_to_millimetres(rows: int, columns: int, size: int, shares: list[float]) -> None:
    placement = Placement.of((rows, columns), size)
    box = np.array([shares[0] * columns, shares[1] * rows, shares[2] * columns, shares[3] * rows])
    there = placement.boxes_from_image(box)
    np.testing.assert_allclose(placement.boxes_to_image(there), box, atol=1e-6)
    assert (there >= -1e-9).all()
    assert (there <= size + 1e-9).all()
    # A length in the square, in the square's mm, is the length in the image, in the image's mm.
    along, across = placement.spacing((0.5, 0.25))
    assert abs(there[2] - there[0]) * across == pytest.approx(abs(box[2] - box[0]) * 0.25)
    assert abs(there[3] - there[1]) * along == pytest.approx(abs(box[3] - box[1]) * 0.5)


@given(SIDES, SIDES)
def test_a_mask_that_is_enlarged_returns_as_it_was(rows: int, columns: int) -> None:
    mask = np.random.default_rng(rows * 301 + columns).integers(0, 3, (rows, columns)).astype(np.uint8)
    placement = Placement.of((rows, columns), 2 * max(rows, columns))
    placed = placement.place(mask)
    np.testing.assert_array_equal(placement.restore(placed), mask)
    inside = placed != OUTSIDE_PIXEL
    assert placed[inside].sum() == 4 * mask.sum(dtype=np.int64)
    assert inside.sum() == 4 * mask.size


@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_what_is_kept_of_a_store_is_not_taken_for_that_of_other_marks(tmp_path: Path, kind: str) -> None:
    """Boxes that were moved and masks that were turned leave pixels, counts and shares as they were."""
    (MASKS["twin_folders"] if kind == "masks" else BOXES["voc_from_0"])(tmp_path / "d")
    dataset = scan(tmp_path / "d")
    names = {prepare(dataset, ["none"], size=28, channels=1, folder=tmp_path / "s")["none"].name for _ in range(2)}
    if kind == "boxes":
        moved = pl.element().struct.with_fields(x0=pl.element().struct.field("x0") - 0.5)
        changed = pl.col("boxes").list.eval(moved)
    else:
        changed = pl.col("mask_hash").str.reverse().alias("mask_hash")
    other = dataset.with_cases(dataset.cases.with_columns(changed))
    names.add(prepare(other, ["none"], size=28, channels=1, folder=tmp_path / "s")["none"].name)
    assert len(names) == 2
