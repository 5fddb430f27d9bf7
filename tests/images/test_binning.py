"""Places of decimals against arithmetic in whole numbers, and of other values against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.images.binning import Sample, edges, places

whole = st.integers(-20_000, 20_000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(
    st.integers(0, 4), whole, st.integers(1, 300), st.integers(1, 90), st.lists(whole, min_size=1), st.integers(0, 90)
)
def test_decimals_fall_where_whole_numbers_do(
    dtype: type, decimals: int, start: int, width: int, bins: int, values: list[int], edge: int
) -> None:
    numbers = np.array([*values, start + edge * width])
    stored, scale = (numbers / 10**decimals).astype(dtype), 10**decimals
    made = edges(Sample.of(stored.astype(np.float64), None), width=width / scale, start=start / scale, bins=bins)
    found = places(stored.astype(np.float64), made, covering=False, precision=float(np.finfo(dtype).eps))
    assert found.tolist() == ((numbers - start) // width).clip(-1, bins).tolist()


@given(st.integers(0, 4), whole, st.integers(2, 200), st.integers(1, 20))
def test_equal_parts_of_a_range_of_decimals_begin_at_decimals(decimals: int, low: int, parts: int, width: int) -> None:
    numbers = low + np.arange(parts * width)
    values, step = numbers / 10**decimals, 10.0**-decimals
    found = places(values, edges(Sample.of(values, step), bins=parts), covering=True)
    assert found.tolist() == ((numbers - low) // width).tolist()


@given(st.integers(0, 4), whole, st.integers(1, 40), st.integers(1, 100))
def test_bins_of_a_width_are_no_more_and_no_fewer_than_in_whole_numbers(
    decimals: int, low: int, width: int, size: int
) -> None:
    values = (low + np.arange(size)) / 10**decimals
    assert len(edges(Sample.of(values, None), width=width / 10**decimals)) - 1 == (size - 1) // width + 1


def test_a_width_of_a_few_roundings_far_from_zero() -> None:
    """Neighbouring numbers are 2.4e-7 apart at 1.7e9: rounding is a 50,000th of this width."""
    values = np.array([float(f"1700000000.{tenth:02d}") for tenth in range(100)])
    made = edges(Sample.of(values, None), width=0.01)
    assert places(values, made, covering=True).tolist() == list(range(100))


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=60), st.integers(0, 2**32))
def test_other_values_fall_where_numpy_puts_them(values: list[float], seed: int) -> None:
    array, made = np.array(values), np.sort(np.random.default_rng(seed).normal(0, 3000, 20))
    assert places(array, made, covering=False).tolist() == (np.digitize(array, made) - 1).tolist()


def test_bins_as_narrow_as_rounding_keep_their_values() -> None:
    made = 1 + np.arange(9) * np.finfo(np.float64).eps
    assert places(made, made, covering=False).tolist() == list(range(9))


@pytest.mark.parametrize(("values", "bins"), [([0.1, 0.2, np.pi], 4), ([np.pi], 1)])
def test_covering_bins_keep_the_largest_value(values: list[float], bins: int) -> None:
    made = edges(Sample.of(np.array(values), None), bins=bins)
    assert places(np.array(values), made, covering=True)[-1] == bins - 1
