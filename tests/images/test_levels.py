"""Counting against numpy, and the way to table indices and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from evenray.core.types import Image
from evenray.images import levels
from evenray.images.contrast import enhance

RNG = np.random.default_rng(0)
RANGES: list[tuple[Any, tuple[float, float]]] = [
    (np.uint8, (0, 255)), (np.uint8, (16, 235)), (np.uint16, (0, 4095)), (np.uint16, (0, 999)),
    (np.uint16, (0, 65_535)), (np.int16, (-1024, 3071)), (np.int16, (-0.5, 99.5)),
]  # fmt: skip


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(request.param)
    yield request.param
    cv2.setNumThreads(before)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("bins", [1, 256, 1000, 4096, 65_536])
def test_counts_as_numpy(bins: int, threads: int, *, masked: bool) -> None:
    pixels = RNG.integers(0, bins, (1003, 701)).astype(np.uint16)
    valid = RNG.random(pixels.shape) < 0.5 if masked else None
    kept = pixels if valid is None else pixels[valid]
    assert np.array_equal(levels.count(pixels, valid, bins), np.bincount(kept.ravel(), minlength=bins))


def test_larger_values_are_left_out() -> None:
    pixels = RNG.integers(0, 9000, (50, 60)).astype(np.uint16)
    assert np.array_equal(levels.count(pixels, None, 4000), np.bincount(pixels.ravel())[:4000])


def test_more_pixels_than_a_float_counts_exactly() -> None:
    pixels = np.full((4097, 4097), 7, np.uint8)
    assert levels.count(pixels, None, 256)[7] == 4097**2  # 2^24 + 8193, no float32


@pytest.mark.parametrize(("dtype", "value_range"), RANGES)
def test_values_outside_the_range_count_at_its_ends(dtype: Any, value_range: tuple[float, float]) -> None:
    kind = np.iinfo(dtype)
    pixels = RNG.integers(max(kind.min, -3000), min(kind.max, 9000), (60, 70)).astype(dtype)
    low, high = value_range
    number = levels.whole_levels(value_range) or levels.DEEPEST
    expected = np.rint((pixels.clip(low, high) - low) / (high - low) * (number - 1)).astype(int)
    counts = levels.count_levels(pixels, None, value_range)
    assert np.array_equal(counts, np.bincount(expected.ravel(), minlength=number))


@pytest.mark.parametrize(("dtype", "value_range"), RANGES)
def test_indices_and_back(dtype: Any, value_range: tuple[float, float]) -> None:
    low, high = value_range
    pixels = RNG.integers(np.ceil(low), high + 1, (20, 30)).astype(dtype)
    indices, number = levels.to_indices(pixels, value_range)
    assert indices.max() < number
    assert np.array_equal(levels.from_indices(indices, value_range, np.dtype(dtype)), pixels)


def test_floats_and_back() -> None:
    pixels = RNG.random((20, 30)).astype(np.float32)
    indices, number = levels.to_indices(pixels, (0, 1))
    back = levels.from_indices(indices / np.float32(number - 1), (0, 1), np.dtype(np.float32))
    np.testing.assert_allclose(back, pixels, atol=1 / number)


@pytest.mark.parametrize("spec", ["equalize", "clahe(clip=2)", "local(gamma(0.7))"])
@pytest.mark.parametrize(("dtype", "value_range"), RANGES[:6])
def test_threads_change_nothing(dtype: Any, value_range: tuple[int, int], spec: str) -> None:
    image = Image(RNG.integers(value_range[0], value_range[1] + 1, (901, 803)).astype(dtype), value_range)
    before, found = cv2.getNumThreads(), []
    for number in (1, 3):
        cv2.setNumThreads(number)
        found.append(enhance(image, spec).pixels)
    cv2.setNumThreads(before)
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize("size", [1, 2**18 + 3])
def test_pairs_of_bytes_are_looked_up_as_single_ones(size: int) -> None:
    pixels = RNG.integers(0, 256, (1, size)).astype(np.uint8)
    table = (np.linspace(1, 0, 256) * 255).round().astype(np.uint8)
    assert np.array_equal(enhance(Image(pixels, (0, 255)), "invert").pixels, table[pixels])
