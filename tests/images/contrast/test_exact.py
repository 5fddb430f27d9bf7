"""The order of pixels beside missing ones, against means in fractions and against the field cut out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenray.core.types import Image
from evenray.images.contrast import enhance

RNG = np.random.default_rng(0)
shapes = st.tuples(st.integers(3, 9), st.integers(3, 9))


def mean_around(pixels: np.ndarray, valid: np.ndarray, row: int, column: int, size: int) -> Fraction:
    """Of the valid pixels in the neighbourhood, mirrored beyond the border without doubling it."""
    reach = size // 2
    wide, there = (np.pad(plane, reach, mode="reflect") for plane in (pixels, valid))
    near = there[row : row + size, column : column + size]
    return Fraction(int(wide[row : row + size, column : column + size][near].sum()), int(near.sum()))


@settings(deadline=None)
@given(st.data())
def test_ties_go_by_the_means_of_what_is_there(data: st.DataObject) -> None:
    shape = data.draw(shapes)
    pixels = data.draw(arrays(np.uint8, shape, elements=st.integers(98, 102)))
    valid = data.draw(arrays(np.bool_, shape))
    places = list(zip(*np.nonzero(valid), strict=True))
    if len({pixels[place] for place in places}) < 2:
        return
    around = {p: tuple(mean_around(pixels.astype(int), valid, *p, size) for size in (3, 5)) for p in places}
    ordered = sorted(places, key=lambda place: (pixels[place], *around[place]))
    after = enhance(Image(pixels, (0, 255), valid=valid), "exact").pixels
    expected = [np.ceil(256 * (rank + 0.5) / len(places)) - 1 for rank in range(len(places))]
    assert [after[place] for place in ordered] == expected
    assert np.array_equal(after[~valid], pixels[~valid])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_beside_missing_pixels_a_field_stays_even(dtype: type) -> None:
    noise = RNG.normal(100, 2, (3000, 60)).round()
    pixels, valid = noise.astype(dtype), np.ones(noise.shape, bool)
    if dtype == np.float32:
        pixels[:, :20] = np.nan
    else:
        valid[:, :20] = False
    after = enhance(Image(pixels, (0, 255), valid=valid), "exact").pixels
    error = 4 * 256 / np.sqrt(12 * len(after))  # four standard errors of the mean of a column of even levels
    for column in (20, 21):
        assert abs(after[:, column].mean() - after[:, 22:].mean()) < error


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_a_mask_that_leaves_all_in_changes_nothing(dtype: type) -> None:
    pixels = RNG.integers(0, 30, (40, 50)).astype(dtype)
    plain = enhance(Image(pixels, (0, 255)), "exact").pixels
    assert np.array_equal(enhance(Image(pixels, (0, 255), valid=np.ones(pixels.shape, bool)), "exact").pixels, plain)
