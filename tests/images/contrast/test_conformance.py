"""What every contrast method must do, whoever wrote it: run over the whole registry with its default parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evenray.core.types import Curve, Image
from evenray.images.contrast import contrasts, enhance
from evenray.images.contrast._kinds import is_monotone, monotone, needs_counts, needs_pixels, pointwise
from evenray.images.histogram import Histogram

Apply = Callable[[Image], Image]

# Beside the defaults, parameters that do more than the default does.
SPECS = {
    **{name: name for name in contrasts},
    "gamma darkens": "gamma(2.2)",
    "equalize plain": "equalize(stretch=False)",
    "clahe steep": "clahe(clip=40)",
    "local chain": "local('linear | gamma(0.7)', tiles=4)",
    "chain": "linear | equalize | gamma(0.8)",
    "local in a chain": "clahe(clip=2) | mmbebhe",
    "border in a chain": "border | equalize",
}
DTYPES = [
    (np.uint8, (0, 255)),
    (np.uint16, (0, 4095)),
    (np.uint16, (0, 65535)),
    (np.int16, (-1024, 3071)),
    (np.float32, (-1.0, 1.0)),
    (np.float32, (0.0, 5000.0)),
]


def picture(rows: int = 61, columns: int = 83, seed: int = 5) -> np.ndarray:
    """An uneven grey picture, uint8: a slope, a few shapes, noise, and both ends of the range."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    grey = 60 + 90 * x / columns + 30 * np.sin(y / 7) + rng.normal(0, 6, (rows, columns))
    grey[10:25, 20:50] += 50
    grey[40:55, 5:30] *= 0.3
    grey[0, 0], grey[-1, -1] = 0, 255
    return np.rint(grey.clip(0, 255)).astype(np.uint8)


def stored(grey: np.ndarray, dtype: type, value_range: tuple[float, float]) -> Image:
    """The same picture in another dtype and range."""
    values = value_range[0] + grey / 255 * (value_range[1] - value_range[0])
    return Image((np.rint(values) if np.dtype(dtype).kind in "ui" else values).astype(dtype), value_range)


def unit(image: Image) -> np.ndarray:
    return (image.pixels.astype(np.float64) - image.value_range[0]) / (image.value_range[1] - image.value_range[0])


def keeps_shape_dtype_range(apply: Apply) -> None:
    for dtype, value_range in DTYPES:
        image = stored(picture(), dtype, value_range)
        after = apply(image)
        assert after.pixels.shape == image.pixels.shape
        assert after.pixels.dtype == image.pixels.dtype
        assert after.value_range == image.value_range
        assert np.isfinite(after.pixels).all()
        assert unit(after).min() >= -1e-6
        assert unit(after).max() <= 1 + 1e-6


def leaves_input_alone(apply: Apply) -> None:
    for dtype, value_range in DTYPES:
        image = stored(picture(), dtype, value_range)
        before = image.pixels.copy()
        apply(image)
        assert np.array_equal(image.pixels, before)


def takes_read_only_and_strided_pixels(apply: Apply) -> None:
    wide = np.repeat(picture(), 2, axis=1)
    wide.setflags(write=False)
    assert np.array_equal(apply(Image(wide[:, ::2], (0, 255))).pixels, apply(Image(picture(), (0, 255))).pixels)


def takes_constant_images(apply: Apply) -> None:
    for value in (0, 77, 255):
        for dtype, value_range in DTYPES:
            after = apply(stored(np.full((20, 30), value, np.uint8), dtype, value_range))
            assert np.isfinite(after.pixels).all()
            assert unit(after).min() >= -1e-6
            assert unit(after).max() <= 1 + 1e-6


def takes_tiny_images(apply: Apply) -> None:
    for shape in ((1, 1), (1, 9), (3, 2)):
        for dtype, value_range in DTYPES:
            after = apply(stored(picture(*shape), dtype, value_range))
            assert after.pixels.shape == shape
            assert np.isfinite(after.pixels).all()


def leaves_an_all_missing_image(apply: Apply) -> None:
    for dtype, value_range in DTYPES:
        image = stored(picture(), dtype, value_range)
        empty = Image(image.pixels, value_range, valid=np.zeros(image.shape, bool))
        after = apply(empty)
        assert np.array_equal(after.pixels, image.pixels)
        assert after.valid is not None
        assert not after.valid.any()


def leaves_missing_pixels_uncounted(apply: Apply) -> None:
    """What is stored under the mask must neither change nor change anything else."""
    valid = np.ones((61, 83), bool)
    valid[:, :17] = valid[50:, 60:] = False
    for dtype, value_range in DTYPES:
        black, white = (stored(np.where(valid, picture(), v).astype(np.uint8), dtype, value_range) for v in (0, 255))
        one, other = (apply(Image(image.pixels, value_range, valid=valid)) for image in (black, white))
        assert np.array_equal(one.pixels[~valid], black.pixels[~valid])
        assert np.array_equal(one.pixels[valid], other.pixels[valid])


def leaves_nan_where_it_was(apply: Apply) -> None:
    for value_range in ((-1.0, 1.0), (0.0, 5000.0)):
        image = stored(picture(), np.float32, value_range)
        image.pixels[5:9, 30:40] = np.nan
        after = apply(image)
        assert np.array_equal(np.isnan(after.pixels), np.isnan(image.pixels))


def is_deterministic(apply: Apply) -> None:
    image = stored(picture(), np.uint16, (0, 4095))
    assert np.array_equal(apply(image).pixels, apply(image).pixels)


def gives_the_same_at_every_depth(apply: Apply) -> None:
    """8, 12 and 16 bits, signed and float: apart by the rounding of the two outputs, and of the input."""
    eight = unit(apply(stored(picture(), np.uint8, (0, 255)))) * 255
    for dtype, value_range in DTYPES[1:]:
        other = unit(apply(stored(picture(), dtype, value_range))) * 255
        assert np.abs(other - eight).max() <= 1.0


def keeps_hue(apply: Apply) -> None:
    """The differences between the channels keep their proportions, to rounding."""
    rng = np.random.default_rng(2)
    rgb = np.stack([picture(), np.rint(picture() * 0.6), 255 - picture(seed=8)], axis=2).astype(np.float32)
    rgb += rng.random(rgb.shape, np.float32)
    image = Image(rgb.clip(0, 255), value_range=(0.0, 255.0))
    after = apply(image).pixels.astype(np.float64)
    first, second = (
        rgb.clip(0, 255) - rgb.clip(0, 255).mean(axis=2, keepdims=True),
        after - after.mean(axis=2, keepdims=True),
    )
    cross = np.linalg.norm(np.cross(first, second), axis=2)
    assert cross.max() <= 1e-3 * (1 + np.linalg.norm(first, axis=2) * np.linalg.norm(second, axis=2)).max()


CHECKS = [
    keeps_shape_dtype_range,
    leaves_input_alone,
    takes_read_only_and_strided_pixels,
    takes_constant_images,
    takes_tiny_images,
    leaves_an_all_missing_image,
    leaves_missing_pixels_uncounted,
    leaves_nan_where_it_was,
    is_deterministic,
    gives_the_same_at_every_depth,
    keeps_hue,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SPECS)
def test_conforms(name: str, check: Callable[[Apply], None]) -> None:
    check(lambda image: enhance(image, SPECS[name]))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_quantised_picture_in_floats_is_looked_up_where_it_was_counted(dtype: type) -> None:
    """12 bits fall between the 65,536 bins of floats; beside a bin no part of its jump may be taken."""
    value_range = np.repeat(np.arange(0, 4096, 37), 50).reshape(30, -1).astype(np.uint16)
    whole = enhance(Image(value_range, (0, 4095)), "equalize").pixels
    found = enhance(Image(value_range.astype(np.float32), (0.0, 4095.0)), "equalize").pixels
    assert np.abs(found - whole).max() <= 0.51


def is_a_curve(function: Callable[[Histogram], Curve]) -> None:
    for dtype, value_range in DTYPES:
        histogram = Histogram.of(stored(picture(), dtype, value_range))
        values = function(histogram).values
        assert values.shape == histogram.counts.shape
        assert values.min() >= 0
        assert values.max() <= 1
        if is_monotone(function):
            assert (np.diff(values) >= -1e-12).all()
        if not needs_counts(function):
            blank = Histogram.blank(stored(picture(), dtype, value_range))
            assert np.array_equal(function(blank).values, values)


@pytest.mark.parametrize("name", [n for n in contrasts if not needs_pixels(contrasts[n])])
def test_curve_lies_in_the_range_and_rises_where_declared(name: str) -> None:
    is_a_curve(contrasts[name])


def _as_float(image: Image) -> Image:
    return Image(unit(image).astype(np.float32), (0.0, 1.0))


def _in_place(image: Image) -> Image:
    image.pixels[...] = 0
    return image


def _ignores_strides(image: Image) -> Image:
    size = image.pixels.itemsize
    return image.with_pixels(np.lib.stride_tricks.as_strided(image.pixels, image.shape, (image.shape[1] * size, size)))


def _own_extremes(image: Image) -> Image:
    low, high = image.value_range
    with np.errstate(all="ignore"):
        share = (image.pixels - image.pixels.min()) / np.ptp(image.pixels.astype(float))
        return image.with_pixels((low + share * (high - low)).astype(np.float32))


def _deeper_is_darker(image: Image) -> Image:
    low, high = image.value_range
    return image.with_pixels((low + unit(image) ** (image.bits / 8) * (high - low)).astype(image.pixels.dtype))


def _shuffled(image: Image) -> Image:
    return image.with_pixels(np.random.default_rng().permutation(image.pixels))


def _channelwise(image: Image) -> Image:
    return image.with_pixels((255 * (image.pixels / 255) ** np.array([1.0, 0.5, 2.0])).astype(np.float32))


@monotone
def _falls(histogram: Histogram) -> Curve:
    return Curve(1 - histogram.unit_levels)


@pointwise
def _counts_after_all(histogram: Histogram) -> Curve:
    return Curve(histogram.cumulative)


@pytest.mark.parametrize(
    ("check", "faulty"),
    [
        (keeps_shape_dtype_range, _as_float),
        (leaves_input_alone, _in_place),
        (takes_read_only_and_strided_pixels, _ignores_strides),
        (takes_constant_images, _own_extremes),
        (takes_tiny_images, _own_extremes),
        (leaves_an_all_missing_image, _own_extremes),
        (leaves_missing_pixels_uncounted, _own_extremes),
        (leaves_nan_where_it_was, _own_extremes),
        (is_deterministic, _shuffled),
        (gives_the_same_at_every_depth, _deeper_is_darker),
        (keeps_hue, _channelwise),
        (is_a_curve, _falls),
        (is_a_curve, _counts_after_all),
    ],
    ids=lambda item: item.__name__.strip("_"),
)
def test_the_suite_bites(check: Callable[[Callable], None], faulty: Callable) -> None:
    with pytest.raises(AssertionError):
        check(faulty)
