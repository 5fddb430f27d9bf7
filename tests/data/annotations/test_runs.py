"""Masks as text, against pycocotools, which wrote the format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from evenray.data.annotations.runs import from_counts, from_runs, inside, outlines, to_runs, uncompressed

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(MASKS)
def test_runs_are_what_they_were_made_of(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(from_runs(to_runs(mask), mask.shape), mask)


@given(MASKS)
def test_compressed_counts_of_coco_are_decoded(mask: np.ndarray) -> None:
    text = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    np.testing.assert_array_equal(from_runs(from_counts(uncompressed(text)), mask.shape), mask)


@given(st.integers(1, 30), st.integers(1, 30))
def test_runs_beyond_the_image_are_refused(rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match="outside the"):
        from_runs(f"{rows * columns} 2", (rows, columns))


@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=3, max_size=9))
def test_what_lies_in_an_outline_are_the_centres_of_pixels(points: list[tuple[float, float]]) -> None:
    """By the crossings of a ray to each point, counted one by one."""
    found = inside([np.array(points)], (20, 22))
    pairs = list(zip(points, points[1:] + points[:1], strict=True))
    for y, x in ((0, 0), (3, 7), (10, 11), (12, 4), (19, 21)):
        crossings = 0
        for (x0, y0), (x1, y1) in pairs:
            if (y0 < y + 0.5) != (y1 < y + 0.5):
                at = x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                if abs(at - (x + 0.5)) < 1e-9 or min(abs(y0 - y - 0.5), abs(y1 - y - 0.5)) < 1e-9:
                    return
                crossings += at < x + 0.5
        assert found[y, x] == (crossings % 2 == 1)


def test_a_ring_within_a_ring_is_a_hole_and_shares_are_of_the_sides() -> None:
    outer, inner = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]
    mask = from_runs(outlines([outer, inner], shares=True), (10, 20))
    assert (mask.sum(), mask[5, 10], mask[2, 3]) == (8 * 16 - 2 * 4, False, True)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10)), min_size=3, max_size=5), min_size=1, max_size=4
    )
)
def test_what_is_cut_out_is_cut_out_however_the_rings_lie(rings: list[list[tuple[int, int]]]) -> None:
    """Also where rings that are cut out overlap, or reach beyond what they are cut out of."""
    drawn, *cut = (inside([np.array(points, float)], (10, 20)) for points in rings)
    mask = from_runs(outlines(rings[:1], rings[1:]), (10, 20))
    np.testing.assert_array_equal(mask, drawn & ~np.any([np.zeros_like(drawn), *cut], axis=0))
