"""Counting against numpy, moments against scipy, merging and rebinning as properties."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from evenray.core.errors import DataError, UsageError
from evenray.core.types import Image
from evenray.images.binning import frequencies, is_quantity
from evenray.images.histogram import Histogram
from evenray.images.levels import lightness

RNG = np.random.default_rng(0)
grey = arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)))


# -- grey levels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (600, 701), (1, 2**18 + 3)])
def test_counts_every_8_bit_level(shape: tuple[int, int]) -> None:
    pixels = RNG.integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(Histogram.of(Image(pixels, (0, 255))).counts, np.bincount(pixels.ravel(), minlength=256))


@pytest.mark.parametrize(
    ("dtype", "value_range"),
    [
        (np.uint16, (0, 4095)),
        (np.uint16, (0, 65535)),
        (np.uint16, (100, 355)),
        (np.int16, (-1024, 3071)),
        (np.int16, (0, 100)),
        (np.uint8, (0, 4095)),
        (np.uint8, (16, 235)),
    ],
)
def test_one_bin_a_level_and_values_outside_saturate(dtype: type, value_range: tuple[int, int]) -> None:
    info = np.iinfo(dtype)
    pixels = RNG.integers(max(info.min, -3000), min(info.max, 9000), (600, 500)).astype(dtype)
    histogram = Histogram.of(Image(pixels, value_range))
    clipped = pixels.astype(int).clip(*value_range) - value_range[0]
    assert np.array_equal(histogram.counts, np.bincount(clipped.ravel(), minlength=value_range[1] - value_range[0] + 1))
    assert histogram.range == pytest.approx(value_range)
    assert histogram.mean == pytest.approx(pixels.astype(int).clip(*value_range).mean())


def test_levels_that_are_no_integers_take_65536_bins() -> None:
    pixels = RNG.integers(0, 256, (50, 60)).astype(np.uint8)
    histogram = Histogram.of(Image(pixels, (-0.5, 254.5)))
    assert histogram.bins == 65_536
    assert histogram.total == pixels.size
    assert histogram.mean == pytest.approx(pixels.clip(0, 254.5).mean(), abs=0.01)


def test_floats_are_binned_and_nan_is_missing() -> None:
    pixels = RNG.normal(0, 1, (80, 90)).astype(np.float32)
    pixels[:3] = np.nan
    histogram = Histogram.of(Image(pixels, (-3.0, 3.0)))
    assert (histogram.bins, histogram.missing) == (65_536, 270)
    assert histogram.mean == pytest.approx(np.nanmean(pixels.clip(-3, 3)), abs=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_missing_pixels_are_not_counted(dtype: type) -> None:
    pixels = RNG.integers(0, 200, (700, 500)).astype(dtype)
    valid = RNG.random(pixels.shape) < 0.4
    histogram = Histogram.of(Image(pixels, (0, 255), valid=valid))
    assert histogram.total == valid.sum()
    assert histogram.missing == (~valid).sum()
    assert histogram.mean == pytest.approx(pixels[valid].mean(), abs=0.01)


def test_colour_counts_by_its_luma() -> None:
    pixels = RNG.integers(0, 256, (30, 40, 3)).astype(np.uint8)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(lightness(Image(pixels, (0, 255))) - luma).max() <= 0.51
    assert Histogram.of(Image(pixels, (0, 255))).mean == pytest.approx(luma.mean(), abs=0.1)


def test_more_pixels_than_float32_counts() -> None:
    pixels = np.zeros((4100, 4100), np.uint8)
    assert Histogram.of(Image(pixels, (0, 255))).counts[0] == 4100 * 4100


# -- moments --------------------------------------------------------------------------------------------------------


@given(grey)
def test_moments_are_scipys(pixels: np.ndarray) -> None:
    histogram, values = Histogram.of(Image(pixels, (0, 255))), pixels.ravel().astype(float)
    assert histogram.mean == pytest.approx(values.mean())
    assert histogram.variance == pytest.approx(values.var(), abs=1e-9)
    if values.var() > 1e-9:
        assert histogram.skewness == pytest.approx(stats.skew(values), abs=1e-6)
        assert histogram.kurtosis == pytest.approx(stats.kurtosis(values), abs=1e-6)
    shares = np.bincount(pixels.ravel()) / pixels.size
    assert histogram.entropy == pytest.approx(stats.entropy(shares, base=2), abs=1e-9)


@given(grey, st.floats(0, 100))
def test_percentiles_are_numpys(pixels: np.ndarray, q: float) -> None:
    assert Histogram.of(Image(pixels, (0, 255))).percentile(q) == pytest.approx(np.percentile(pixels, q), abs=1e-6)


def test_saturation_and_the_cumulative_curve() -> None:
    histogram = Histogram.of(Image(np.array([[0, 0, 5, 255]], np.uint8), (0, 255)))
    assert histogram.saturation == (0.5, 0.25)
    assert histogram.cumulative[[0, 4, 5, 255]].tolist() == [0.5, 0.5, 0.75, 1.0]


@given(st.integers(1, 3000), st.integers(0, 255), st.integers(1, 10**6), st.floats(-3, 3), st.floats(0.1, 4))
def test_a_constant_has_no_spread_and_no_shape(bins: int, place: int, number: int, low: float, width: float) -> None:
    counts = np.zeros(bins, np.int64)
    counts[place % bins] = number
    histogram = Histogram(counts, np.linspace(low, low + width, bins + 1))
    for one in (histogram, histogram.unit()):
        assert (one.variance, one.skewness, one.kurtosis) == (0, 0, 0)


def test_a_constant_image_has_no_spread_and_no_shape() -> None:
    for level in range(256):
        eight = Image(np.full((17, 19), level, np.uint8), (0, 255))
        floats = Image(np.full((64, 64), level / 255, np.float32), (0, 1))
        for one in (Histogram.of(eight), Histogram.of(eight).unit(), Histogram.of(floats)):
            assert (one.variance, one.skewness, one.kurtosis) == (0, 0, 0)


def test_nothing_counted_has_no_mean() -> None:
    empty = Histogram(np.zeros(4, np.int64), np.arange(5.0))
    assert math.isnan(empty.mean)
    assert math.isnan(empty.variance)
    assert math.isnan(empty.percentile(50))
    assert empty.cumulative.tolist() == [0, 0, 0, 0]
    assert empty.entropy == 0


# -- merging and rebinning ------------------------------------------------------------------------------------------


@given(grey, grey)
def test_merging_is_counting_together(one: np.ndarray, other: np.ndarray) -> None:
    merged = Histogram.of(Image(one, (0, 255))) + Histogram.of(Image(other, (0, 255)))
    together = np.concatenate([one.ravel(), other.ravel()])[None]
    assert np.array_equal(merged.counts, Histogram.of(Image(together, (0, 255))).counts)


def test_different_bins_do_not_merge_but_unit_ranges_do() -> None:
    one = Histogram.of(Image(np.zeros((2, 2), np.uint8), (0, 255)))
    other = Histogram.of(Image(np.full((2, 2), 4095, np.uint16), (0, 4095)))
    with pytest.raises(UsageError, match=r"unit\(256\)"):
        one + other
    assert (one.unit() + other.unit()).counts[[0, 255]].tolist() == [4, 4]


@pytest.mark.parametrize("high", [1023, 4095, 65535])
def test_eight_bits_stored_deeper_rebin_to_the_same(high: int) -> None:
    pixels = RNG.integers(0, 256, (40, 50)).astype(np.uint8)
    deep = np.rint(pixels * (high / 255)).astype(np.uint16)
    assert np.array_equal(
        Histogram.of(Image(deep, (0, high))).rebin(256).counts, Histogram.of(Image(pixels, (0, 255))).counts
    )


@given(grey, st.integers(1, 300))
def test_grouping_keeps_all_counts_in_even_intervals(pixels: np.ndarray, bins: int) -> None:
    histogram = Histogram.of(Image(pixels, (0, 255))).grouped(bins)
    widths = np.diff(histogram.edges)
    assert histogram.total == pixels.size
    assert widths.max() - widths.min() <= 1
    for (text, count), low, high in zip(histogram.table(), histogram.edges, histogram.edges[1:], strict=False):
        assert count == np.count_nonzero((pixels > low) & (pixels < high)), text


def test_saved_and_loaded(tmp_path: Path) -> None:
    histogram = Histogram.of(Image(RNG.integers(0, 4096, (9, 9)).astype(np.uint16), (0, 4095)))
    histogram.save(tmp_path / "a.json")
    back = Histogram.load(tmp_path / "a.json")
    assert np.array_equal(back.counts, histogram.counts)
    assert np.array_equal(back.edges, histogram.edges)
    (tmp_path / "b.json").write_text("[1]")
    with pytest.raises(UsageError, match="not a saved histogram"):
        Histogram.load(tmp_path / "b.json")


# -- any numbers ----------------------------------------------------------------------------------------------------


def test_the_table_of_the_slide() -> None:
    """500 values, seven intervals of width 1 from -3.5."""
    counts = [9, 32, 109, 180, 132, 34, 4]
    values = np.concatenate([RNG.integers(100 * i - 350, 100 * i - 250, n) / 100 for i, n in enumerate(counts)])
    table = Histogram.of_values(values, width=1, start=-3.5).table()
    assert table == [
        ("-3.5 to -2.51", 9),
        ("-2.5 to -1.51", 32),
        ("-1.5 to -0.51", 109),
        ("-0.5 to 0.49", 180),
        ("0.5 to 1.49", 132),
        ("1.5 to 2.49", 34),
        ("2.5 to 3.49", 4),
    ]


def test_the_slides_distribution_has_about_these_counts() -> None:
    """Standard normal values to two decimals fall into the seven intervals as on the slide, to sampling error."""
    values = np.round(np.random.default_rng(1).normal(0, 1, 50_000).clip(-3.5, 3.49), 2)
    found = Histogram.of_values(values, width=1, start=-3.5).counts / 100
    slide = np.array([9, 32, 109, 180, 132, 34, 4])
    assert found.sum() == 500
    assert (np.abs(found - slide) < 4 * np.sqrt(slide) + 4).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200))
def test_freedman_diaconis_is_numpys_width(values: list[float]) -> None:
    array = np.array(values)
    quartiles = np.percentile(array, [25, 75])
    width = 2 * (quartiles[1] - quartiles[0]) / len(array) ** (1 / 3)
    if width <= 1e-9 or np.ptp(array) / width > 1e5:
        return
    histogram = Histogram.of_values(array)
    assert np.diff(histogram.edges) == pytest.approx(width, rel=1e-6)
    assert histogram.total == len(array)


@settings(max_examples=40)
@given(st.integers(2, 12), st.integers(50, 400))
def test_equal_frequency_bins_hold_about_the_same(bins: int, size: int) -> None:
    values = np.random.default_rng(size).normal(size=size)
    histogram = Histogram.of_values(values, bins=bins, rule="equal-frequency")
    assert histogram.bins == bins
    assert histogram.total == size
    assert histogram.counts.max() - histogram.counts.min() <= 2


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=100), st.integers(1, 50))
def test_a_number_of_bins_counts_as_numpy(values: list[float], bins: int) -> None:
    histogram = Histogram.of_values(values, bins=bins)
    assert histogram.bins == bins
    assert histogram.total == len(values)
    short = histogram.edges[1:-1] - np.array(values)[:, None]
    if ((short > 0) & (short < 1e-11)).any():  # within rounding of the edge above, and not numpy's to decide
        return
    assert np.array_equal(histogram.counts, np.histogram(values, histogram.edges)[0])


@given(st.integers(0, 2**32), st.integers(1, 60), st.floats(0.01, 3))
def test_random_values_count_as_numpy(seed: int, bins: int, width: float) -> None:
    values = np.random.default_rng(seed).normal(0, 5, 500)
    for asked in ({"bins": bins}, {"width": width}, {"width": width, "start": -4.0, "bins": bins}):
        histogram = Histogram.of_values(values, **asked)
        inside = values[values < histogram.edges[-1]]
        assert np.array_equal(histogram.counts, np.histogram(inside, histogram.edges)[0])
        assert histogram.missing == len(values) - histogram.total


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(st.integers(1, 3), st.integers(-2000, 2000), st.lists(st.integers(0, 120), min_size=1), st.integers(1, 9))
def test_decimals_count_as_the_whole_numbers_that_they_are_parts_of(
    dtype: type, decimals: int, low: int, steps: list[int], width: int
) -> None:
    numbers, scale = np.array([low, *(low + step for step in steps)]), 10**decimals
    counts = np.bincount((numbers - low) // width)
    values = (numbers / scale).astype(dtype)
    for start in (None, low / scale):
        histogram = Histogram.of_values(values, width=width / scale, start=start)
        assert histogram.counts.tolist() == counts.tolist()
        assert (histogram + histogram).counts.tolist() == (2 * counts).tolist()


@pytest.mark.parametrize("asked", [{"width": 0.1}, {"width": 0.1, "start": 0.0}, {"bins": 11}])
def test_each_tenth_counts_once(asked: dict) -> None:
    tenths = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    table = Histogram.of_values(tenths, **asked).table()
    assert table == [(f"{tenth:g}", 1) for tenth in tenths]


def test_what_stands_at_the_end_of_the_bins_asked_for_is_beyond_them() -> None:
    histogram = Histogram.of_values([0.1, 0.2, 0.3], width=0.1, start=0, bins=3)
    assert histogram.edges[-1] > 0.3
    assert (histogram.counts.tolist(), histogram.missing) == ([0, 1, 1], 1)


@given(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=3, max_size=80).filter(any), st.integers(1, 9))
def test_levels_in_decimals_are_binned_as_whole_numbers(decimals: int, counts: list[int], width: int) -> None:
    scale, of_level = 10**decimals, np.array(counts)
    fine = Histogram(of_level, (np.arange(len(counts) + 1) - 0.5) / scale, resolution=1 / scale)
    found = np.flatnonzero(of_level)
    expected = np.bincount(found // width, weights=of_level[found])
    assert fine.binned(width=width / scale, start=0.0).counts.tolist() == expected.tolist()


def test_nan_and_what_lies_before_the_start_is_missing() -> None:
    histogram = Histogram.of_values([math.nan, -5, 1, 2], width=1, start=0)
    assert (histogram.total, histogram.missing) == (2, 2)


def test_constant_values_make_one_bin() -> None:
    for rule in ("freedman-diaconis", "equal-frequency"):
        histogram = Histogram.of_values([3, 3, 3], rule=rule)
        assert histogram.counts.tolist() == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": ["a"]}, "needs numbers"),
        ({"values": [1], "bins": 0}, "1 or more"),
        ({"values": [1], "width": 0}, "more than 0"),
        ({"values": [1], "width": 1, "bins": 3}, "need start"),
        ({"values": [0, 1e9], "width": 1}, "larger width"),
    ],
)
def test_mistakes_are_explained(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Histogram.of_values(**arguments)


def test_no_number_at_all() -> None:
    with pytest.raises(DataError, match="none is a number"):
        Histogram.of_values([math.nan])


def test_kinds_of_data() -> None:
    assert is_quantity(np.array([1.5]))
    assert not is_quantity(np.array(["a"]))
    assert frequencies(["b", "a", "b", None, float("nan")]) == [("b", 2), ("a", 1)]
    assert frequencies([]) == []


def test_what_never_ends_is_no_saved_histogram() -> None:
    with pytest.raises(UsageError, match="'/dev/zero' is not a saved histogram"):
        Histogram.load("/dev/zero")
