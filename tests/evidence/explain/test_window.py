"""The part of an image that is explained: it holds what it is about, and finds its way back to the pixels of the file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evenray.data.letterbox import Placement
from evenray.evidence.explain.window import Window, about_box, densest

SIDES = st.integers(20, 90)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(SIDES, st.integers(8, 20), st.sampled_from([0.01, 0.5, 1.0]), st.integers(0, 2**20))
def test_a_dense_window_has_nearly_as_many_marked_pixels_as_any(side: int, size: int, share: float, seed: int) -> None:
    marked = rng(seed).random((side, side)) < share
    marked[side // 2, side // 3] = True
    found = densest(marked, size, rng(seed))
    starts = range(side - size + 1)
    counts = {(y, x): int(marked[y : y + size, x : x + size].sum()) for y in starts for x in starts}
    assert counts[found.top, found.left] >= 0.95 * max(counts.values())


@given(SIDES, st.integers(8, 20), st.data())
def test_a_box_lies_in_its_window(side: int, size: int, data: st.DataObject) -> None:
    width, height = (data.draw(st.floats(1, size // 2)) for _ in range(2))
    left, top = data.draw(st.floats(0, side - width)), data.draw(st.floats(0, side - height))
    found = about_box((left, top, left + width, top + height), side, size, rng(data.draw(st.integers(0, 99))))
    assert found.side == size
    for first, last, start in ((left, left + width, found.left), (top, top + height, found.top)):
        assert 0 <= start <= side - size
        assert start - 1e-9 <= first
        assert last <= start + size + 1e-9


@pytest.mark.parametrize("kind", ["box", "mask"])
def test_nothing_is_won_by_marking_the_middle(kind: str) -> None:
    """An object lies anywhere in its window: as often as by chance of all places where it is whole."""
    side, size, width, marked = 200, 40, 8, np.zeros((200, 200), bool)
    marked[100 : 100 + width, 90 : 90 + width] = True
    draws = rng()
    if kind == "box":
        found = [about_box((90, 100, 90 + width, 100 + width), side, size, draws) for _ in range(2000)]
    else:
        found = [densest(marked, size, draws) for _ in range(2000)]
    within = np.array([(100 - window.top, 90 - window.left) for window in found])
    hit = ((within <= size / 2) & (within + width > size / 2)).all(1).mean()
    assert hit == pytest.approx((width / (size - width + 1)) ** 2, abs=0.015)
    assert np.ptp(within, axis=0).tolist() == [size - width, size - width]


def test_a_box_that_no_window_sees_whole_is_explained_by_the_whole_image_made_small() -> None:
    window = about_box((10, 10, 40, 20), 80, 40, rng())
    assert window == Window(0, 0, 80)
    x = torch.rand(1, 1, 80, 80)
    assert window.of(x, 40).shape == (1, 1, 40, 40)
    torch.testing.assert_close(window.of(x, 40).mean(), x.mean(), atol=0.01, rtol=0)


@given(st.integers(10, 120), st.integers(10, 120), SIDES, st.data())
def test_a_map_comes_back_to_where_it_belongs_in_the_file(
    rows: int, columns: int, side: int, data: st.DataObject
) -> None:
    """What is marked in the square about a pixel of the file is marked about that pixel in the map of the window."""
    place, size = Placement.of((rows, columns), side), 16
    y, x = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    row, column = (float(v) for v in place.from_image(np.array([y + 0.5, x + 0.5])))
    window = about_box((column, row, column, row), side, size, rng())
    down, across = window.bounds(place)
    assert down.start <= y < down.stop
    assert across.start <= x < across.stop
    grid = np.stack(np.mgrid[window.top : window.top + size, window.left : window.left + size]) + 0.5
    far = np.hypot(grid[0] - row, grid[1] - column).astype(np.float32)
    found = window.in_image(np.exp(-(far**2) / 8).astype(np.float32), place)
    assert found.shape == (down.stop - down.start, across.stop - across.start)
    peak = np.unravel_index(int(found.argmax()), found.shape)
    away = np.add(peak, (down.start, across.start)) - (y, x)
    assert np.abs(away * np.array(place.scale)).max() <= 1.5  # a pixel of the square and its rounding


def test_the_whole_image_is_as_it_is_restored() -> None:
    place = Placement.of((50, 70), 64)
    map_SS = rng().random((64, 64)).astype(np.float32)
    whole = Window(0, 0, 64)
    assert whole.bounds(place) == (slice(0, 50), slice(0, 70))
    np.testing.assert_array_equal(whole.in_image(map_SS, place), place.restore(map_SS))
    x = torch.rand(1, 3, 64, 64)
    assert whole.of(x, 64) is x or torch.equal(whole.of(x, 64), x)
    np.testing.assert_array_equal(whole.of_map(map_SS, 64), map_SS)


def test_a_map_goes_back_to_the_pixels_of_its_file() -> None:
    """A wide image lies in the middle rows of the square; what is beside it is cut off."""
    square = np.zeros((32, 32), np.float32)
    square[8:24, 16:] = 1  # the right half of the image
    square[:8] = 9  # where no image is
    found = Window(0, 0, 32).in_image(square, Placement.of((100, 200), 32))
    assert found.shape == (100, 200)
    assert found[:, :90].max() == 0
    assert found[:, 110:].min() == 1


def test_a_map_is_as_strong_at_the_edge_of_its_window() -> None:
    """Also where the file is larger or smaller than the square."""
    for shape in ((800, 800), (50, 50), (100, 300)):
        place = Placement.of(shape, 200)
        window = Window(90, 80, 40)
        np.testing.assert_allclose(window.in_image(np.ones((40, 40), np.float32), place), 1)


def test_what_is_kept_of_large_images_is_no_more_than_the_window() -> None:
    whole, place = np.ones((500, 500), np.float32), Placement.of((2000, 2000), 500)
    for kept in (Window(10, 10, 50).of_map(whole, 50), Window(10, 10, 50).in_image(whole[:50, :50], place)):
        assert kept.base is None
