"""Each method against its formula, worked by hand or by brute force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.contrast import contrasts, curve, enhance
from evenray.images.contrast._kinds import needs_pixels
from evenray.images.ct_windows import CT_WINDOWS
from evenray.images.histogram import Histogram

histograms = arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 50)).filter(lambda c: c.sum() > 0)


def levels(counts: np.ndarray | list[int]) -> Histogram:
    """Grey levels 0, 1, 2 ... with these counts."""
    counts = np.asarray(counts, np.int64)
    return Histogram(counts, np.arange(len(counts) + 1) - 0.5, resolution=1.0)


def bihistogram(histogram: Histogram, cut: int) -> np.ndarray:
    """ValueRange up to `cut` and those above it, each equalized within its own part of the range, level by level."""
    top = histogram.bins - 1
    values = np.arange(top + 1) / top
    for part, low, high in ((range(cut + 1), 0, cut), (range(cut + 1, top + 1), cut, top)):
        total = sum(int(histogram.counts[k]) for k in part)
        for k in part:
            if total:
                share = sum(int(histogram.counts[j]) for j in part if j <= k) / total
                values[k] = (low + (high - low) * share) / top
    return values


@given(histograms)
def test_bbhe_cuts_at_the_mean(counts: np.ndarray) -> None:
    histogram = levels(counts)
    mean = sum(k * int(c) for k, c in enumerate(counts)) / counts.sum()
    cut = math.floor(mean + 1e-9)
    values = contrasts["bbhe"](histogram).values
    top = histogram.bins - 1
    lower = np.cumsum(counts[: cut + 1]) / max(counts[: cut + 1].sum(), 1) * mean / top
    if counts[: cut + 1].sum():
        np.testing.assert_allclose(values[: cut + 1], lower, atol=1e-9)
    if counts[cut + 1 :].sum():
        upper = np.cumsum(counts[cut + 1 :]) / counts[cut + 1 :].sum()
        np.testing.assert_allclose(values[cut + 1 :], (mean + (top - mean) * upper) / top, atol=1e-9)


@given(histograms)
def test_dsihe_cuts_at_the_median(counts: np.ndarray) -> None:
    histogram = levels(counts)
    median = next(k for k in range(len(counts)) if 2 * counts[: k + 1].sum() >= counts.sum())
    np.testing.assert_allclose(contrasts["dsihe"](histogram).values, bihistogram(histogram, median), atol=1e-9)


@given(histograms)
def test_mmbebhe_is_the_best_of_all_cuts(counts: np.ndarray) -> None:
    histogram = levels(counts)
    if np.count_nonzero(counts) < 2:
        return
    top, total = histogram.bins - 1, counts.sum()
    before = counts @ np.arange(top + 1) / top / total
    errors = [abs(counts @ bihistogram(histogram, k) / total - before) for k in np.flatnonzero(counts)[:-1]]
    values = contrasts["mmbebhe"](histogram).values
    assert abs(counts @ values / total - before) == pytest.approx(min(errors), abs=1e-9)


@given(histograms)
def test_rmshe_starts_at_equalization_and_then_bbhe(counts: np.ndarray) -> None:
    histogram = levels(counts)
    plain, halves = contrasts["rmshe"](histogram, depth=0).values, contrasts["rmshe"](histogram, depth=1).values
    np.testing.assert_allclose(
        plain, contrasts["equalize"](histogram, stretch=False).values if counts.astype(bool).sum() > 1 else plain
    )
    np.testing.assert_allclose(halves, contrasts["bbhe"](histogram).values)


def test_rmshe_comes_nearer_to_the_mean_with_depth() -> None:
    rng = np.random.default_rng(0)
    histogram = levels(np.bincount(rng.gamma(2, 20, 50_000).astype(int).clip(0, 255), minlength=256))
    before = histogram.mean / 255
    errors = [
        abs(histogram.counts @ contrasts["rmshe"](histogram, depth=d).values / histogram.total - before)
        for d in range(6)
    ]
    assert errors == sorted(errors, reverse=True)


@given(histograms, st.floats(0.1, 1), st.floats(0.1, 1))
def test_weighted_follows_the_formula(counts: np.ndarray, power: float, upper: float) -> None:
    shares = counts / counts.sum()
    top, low = upper * shares.max(), 0.0001
    if np.count_nonzero(counts) < 2:
        return
    weights = [top if p > top else 0 if p < low else ((p - low) / (top - low)) ** power * top for p in shares]
    values = contrasts["weighted"](levels(counts), power, upper).values
    np.testing.assert_allclose(values, np.cumsum(weights) / sum(weights), atol=1e-9)


def test_agcwd_follows_the_formula() -> None:
    counts = np.array([0, 10, 40, 30, 20, 5, 0, 0])
    shares = counts / counts.sum()
    weights = shares.max() * (shares / shares.max()) ** 0.5
    level = np.arange(8) / 7
    expected = [0 if r == 0 else r ** (1 - weights[: k + 1].sum() / weights.sum()) for k, r in enumerate(level)]
    np.testing.assert_allclose(contrasts["agcwd"](levels(counts)).values, expected, atol=1e-9)


@pytest.mark.parametrize("target", [0.3, 0.5, 0.8])
def test_auto_gamma_moves_the_mean_level_to_the_target(target: float) -> None:
    histogram = levels([0, 0, 3, 9, 3, 0, 0, 0, 0, 0, 0])
    assert contrasts["auto_gamma"](histogram, target).values[3] == pytest.approx(target)


@pytest.mark.parametrize("preset", CT_WINDOWS)
def test_presets_are_hounsfield_windows(preset: str) -> None:
    center, width = CT_WINDOWS[preset]
    image = Image(np.arange(-1024, 3072, dtype=np.int16).reshape(64, 64), value_range=(-1024, 3071))
    after = enhance(image, f"window(preset={preset})").pixels.astype(float)
    shown = ((image.pixels - (center - width / 2)) / width).clip(0, 1)
    assert np.abs(after - (-1024 + shown * 4095)).max() <= 0.5


def test_window_functions_are_those_of_dicom() -> None:
    """PS3.3 C.11.2.1.2.1 and C.11.2.1.3.1, with output from 0 to 1."""
    histogram, c, w = levels(np.ones(4096, int)), 2048.0, 1000.0
    x = np.arange(4096.0)
    linear = np.where(
        x <= c - 0.5 - (w - 1) / 2, 0, np.where(x > c - 0.5 + (w - 1) / 2, 1, (x - (c - 0.5)) / (w - 1) + 0.5)
    )
    np.testing.assert_allclose(contrasts["window"](histogram, c, w, shape="linear").values, linear, atol=1e-12)
    sigmoid = 1 / (1 + np.exp(-4 * (x - c) / w))
    np.testing.assert_allclose(contrasts["window"](histogram, c, w, shape="sigmoid").values, sigmoid, atol=1e-12)


@pytest.mark.parametrize("reference", ["uniform", "normal", "exponential", "rayleigh"])
def test_match_gives_the_named_distribution(reference: str) -> None:
    """A million even levels spread as the distribution: moments as scipy has them."""
    from scipy import stats

    mean, sd = 0.4, 0.15
    bounded = {
        "uniform": stats.uniform(0, 1),
        "normal": stats.truncnorm(-mean / sd, (1 - mean) / sd, mean, sd),
        "exponential": stats.truncexpon(1 / mean, 0, mean),
        "rayleigh": stats.rayleigh(scale=mean / np.sqrt(np.pi / 2)),
    }[reference]
    values = contrasts["match"](levels(np.ones(65_536, int)), reference, mean, sd).values
    quantiles = (np.arange(65_536) + 1) / 65_536
    if reference == "rayleigh":  # cut off at 1
        quantiles = quantiles * bounded.cdf(1)
    np.testing.assert_allclose(values[:-1], bounded.ppf(quantiles[:-1]), atol=2e-3)


def test_match_to_a_saved_histogram(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bright = Image(rng.integers(128, 256, (50, 50)).astype(np.uint8), (0, 255))
    dark = Image(rng.integers(0, 128, (50, 50)).astype(np.uint8), (0, 255))
    file = tmp_path / "bright.json"
    Histogram.of(bright).save(file)
    after = Histogram.of(enhance(dark, f"match('{file}')"))
    assert after.mean == pytest.approx(Histogram.of(bright).mean, abs=1)
    with pytest.raises(UsageError, match="evenray histogram"):
        enhance(dark, "match('absent.json')")
    with pytest.raises(UsageError, match="did you mean normal"):
        enhance(dark, "match(norml)")


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 255), (np.uint16, 4095)])
def test_exact_gives_the_histogram_asked_for(dtype: type, high: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 30, (128, 96)).astype(dtype)
    counts = Histogram.of(enhance(Image(pixels, (0, high)), "exact")).counts
    assert counts.max() - counts.min() <= 1


def test_exact_keeps_the_order_of_levels() -> None:
    pixels = np.random.default_rng(0).integers(0, 30, (60, 60)).astype(np.uint8)
    after = enhance(Image(pixels, (0, 255)), "exact(normal)").pixels
    for level in range(29):
        assert after[pixels == level].max() <= after[pixels == level + 1].min()


@pytest.mark.parametrize("clip", [None, 1.5, 3.0])
def test_clahe_is_local_equalization(clip: float | None) -> None:
    rng = np.random.default_rng(0)
    image = Image(rng.normal(2000, 500, (90, 70)).clip(0, 4095).astype(np.uint16), (0, 4095))
    general = enhance(image, f"local(equalize(stretch=False), tiles=5, clip={clip})").pixels
    own = enhance(image, f"clahe(clip={clip or 1e9}, tiles=5)").pixels
    assert np.abs(general.astype(int) - own).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_local_with_one_tile_is_global(dtype: type) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 50))
    image = Image(grey.astype(dtype), (0, 255))
    for spec in ("gamma(0.5)", "linear | sigmoid", "invert"):
        apart = np.abs(enhance(image, f"local({spec}, tiles=1)").pixels - enhance(image, spec).pixels.astype(float))
        assert apart.max() <= (1e-2 if dtype == np.float32 else 1)


def test_local_refuses_methods_that_look_at_pixels() -> None:
    with pytest.raises(UsageError, match="no single curve"):
        enhance(Image(np.zeros((9, 9), np.uint8), (0, 255)), "local(clahe)")


def test_border_leaves_the_margin_as_it_is() -> None:
    inside = np.random.default_rng(0).integers(60, 200, (40, 50)).astype(np.uint8)
    pixels = np.pad(inside, ((6, 3), (5, 9)), constant_values=4)
    pixels[2, 2] = 255  # a letter in the margin
    after = enhance(Image(pixels, (0, 255)), "border | equalize")
    assert after.valid is None
    assert np.array_equal(after.pixels[6:-3, 5:-9], enhance(Image(inside, (0, 255)), "equalize").pixels)
    margin = np.ones(pixels.shape, bool)
    margin[6:-3, 5:-9] = False
    assert np.array_equal(after.pixels[margin], pixels[margin])


@settings(max_examples=30)
@given(
    st.lists(
        st.sampled_from(["gamma(0.7)", "linear", "sigmoid", "invert", "log", "percentile(5, 95)"]),
        min_size=2,
        max_size=4,
    )
)
def test_chains_compose_to_what_the_steps_give_one_by_one(steps: list[str]) -> None:
    """At 16 bits rounding in between is small, so one look-up must give what several give."""
    rng = np.random.default_rng(4)
    image = Image((rng.beta(2, 3, (40, 40)) * 65535).astype(np.uint16), (0, 65535))
    one_by_one = image
    for step in steps:
        one_by_one = enhance(one_by_one, step)
    together = enhance(image, " | ".join(steps)).pixels.astype(float)
    assert np.abs(together - one_by_one.pixels).max() <= 65535 * 0.002


@pytest.mark.parametrize("name", [name for name in contrasts if not needs_pixels(contrasts[name])])
def test_every_global_method_follows_another(name: str) -> None:
    """After one curve the levels stand unevenly; the second must give what it gives on the image in between."""
    rng = np.random.default_rng(6)
    deep = Image((rng.beta(2, 5, (60, 60)) * 65535).astype(np.uint16), (0, 65535))
    two = Image(np.array([[20_000] * 9 + [20_300]], np.uint16), (0, 65535))
    for image in (deep, two, Image(np.full((3, 3), 99, np.uint16), (0, 65535))):
        stepwise = enhance(enhance(image, "gamma(0.6)"), name).pixels.astype(float)
        assert np.abs(enhance(image, f"gamma(0.6) | {name}").pixels - stepwise).max() <= 0.01 * 65535


def test_none_returns_the_pixels_as_they_are() -> None:
    image = Image(np.array([[-5000, 12, 9000]], np.int16), (-1024, 3071))
    assert np.array_equal(enhance(image, "none").pixels, image.pixels)
    assert curve("none", Histogram.of(image)).values[[0, 4095]].tolist() == [0, 1]
    with pytest.raises(UsageError, match="takes no parameters"):
        enhance(image, "none(3)")


def test_curve_of_a_chain_needs_no_pixel() -> None:
    image = Image(np.random.default_rng(0).integers(0, 200, (30, 30)).astype(np.uint8), (0, 255))
    values = curve("percentile(1, 99) | gamma(0.8)", Histogram.of(image)).values
    assert np.array_equal(np.rint(values * 255)[image.pixels], enhance(image, "percentile(1, 99) | gamma(0.8)").pixels)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("claeh", "did you mean clahe"),
        ("gamma(-1)", "greater than 0"),
        ("gamma(0.5", "cannot be read"),
        ("percentile(99, 1)", "low < high"),
        ("linear(9, 3)", "low < high"),
        ("window(center=3)", "both"),
        ("window(preset=foot)", "Known: brain"),
        ("piecewise([(0.7, 0.1), (0.3, 0.9)])", "left to right"),
        ("clahe(tiles=0)", "greater than or equal to 1"),
        ("match(normal, mean=90, sd=0.1)", "nothing between 0 and 1"),
    ],
)
def test_mistakes_are_explained(spec: str, message: str) -> None:
    image = Image(np.arange(100, dtype=np.uint8).reshape(10, 10), (0, 255))
    with pytest.raises(UsageError, match=message):
        enhance(image, spec)
