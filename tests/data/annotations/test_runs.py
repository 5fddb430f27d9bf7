"""Masks as text, against pycocotools, which wrote the format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from evenray.data.annotations.runs import from_counts, from_runs, to_runs, uncompressed

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
