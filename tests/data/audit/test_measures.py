"""The numbers of one image, against known faults, independent references and hand-worked values."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from skimage.morphology import white_tophat

from evenray.core.types import Image
from evenray.data.audit import measure
from evenray.data.audit._reduced_image import Reduced
from evenray.images.histogram import Histogram

RNG = np.random.default_rng


def measured(image: Image) -> dict[str, Any]:
    return measure(image, Histogram.of(image))


def grey(pixels: NDArray[Any], top: float = 255) -> Image:
    return Image(np.ascontiguousarray(pixels), value_range=(0, top))


def smooth(size: int = 256, seed: int = 0) -> NDArray[np.float64]:
    """A smooth scene in 0.2 to 0.8."""
    coarse = RNG(seed).uniform(0.2, 0.8, (6, 6))
    return np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR), 0, 1)


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(2, 40), st.integers(2, 40))))
def test_levels_are_those_of_the_pixels(pixels: NDArray[np.uint8]) -> None:
    found = measured(grey(pixels))
    assert found["mean"] == pytest.approx(pixels.mean() / 255)
    assert found["std"] == pytest.approx(pixels.std() / 255, abs=1e-9)
    expected = np.percentile(pixels, [1, 50, 99], method="inverted_cdf") / 255
    assert [found["p1"], found["p50"], found["p99"]] == pytest.approx(expected)
    assert found["saturated_low"] == pytest.approx((pixels == 0).mean())
    assert found["saturated_high"] == pytest.approx((pixels == 255).mean())
    assert found["levels_used"] == len(np.unique(pixels))
    assert (found["level_min"], found["level_max"]) == (pixels.min(), pixels.max())


def test_the_step_between_levels_tells_eight_bits_in_twelve() -> None:
    pixels = RNG(0).integers(0, 256, (64, 64)).astype(np.uint16)
    assert measured(grey(pixels * 16, 4095))["level_step"] == 16
    assert measured(grey(pixels * 16 + 3, 4095))["level_step"] == 16
    assert measured(grey(pixels * 16 + (pixels % 2), 4095))["level_step"] == 1


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.1])
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 65535), (np.float32, 1.0)])
def test_noise_is_calibrated(sigma: float, dtype: type, top: float) -> None:
    scene = smooth() * 0.6 + 0.2 + RNG(1).normal(0, sigma, (256, 256))
    pixels = scene * top if dtype == np.float32 else np.round(np.clip(scene, 0, 1) * top)
    assert measured(grey(pixels.astype(dtype), top))["noise"] == pytest.approx(sigma, rel=0.1)


def test_noise_does_not_mistake_edges_or_flat_borders() -> None:
    checks = np.kron(RNG(2).integers(0, 2, (16, 16)), np.ones((16, 16))) * 200
    assert measured(grey(checks.astype(np.uint8)))["noise"] < 0.01
    noisy = np.clip(120 + RNG(3).normal(0, 8, (256, 256)), 0, 255).astype(np.uint8)
    framed = np.zeros((256, 256), np.uint8)
    framed[64:-64, 64:-64] = noisy[64:-64, 64:-64]
    assert measured(grey(framed))["noise"] == pytest.approx(8 / 255, rel=0.15)


def test_sharpness_is_one_for_noise_and_none_for_a_ramp() -> None:
    noise = RNG(4).integers(0, 4096, (256, 256)).astype(np.uint16)
    assert measured(grey(noise, 4095))["sharpness"] == pytest.approx(1, abs=0.03)
    y, x = np.mgrid[0:256, 0:256]
    assert measured(grey((4 * x + 3 * y).astype(np.uint16), 4095))["sharpness"] == pytest.approx(0, abs=1e-9)


def test_sharpness_falls_with_blur_and_not_with_contrast() -> None:
    scene = smooth(seed=5) + RNG(5).normal(0, 0.02, (256, 256))
    steps = [cv2.GaussianBlur(scene, (0, 0), sigma) if sigma else scene for sigma in (0, 0.7, 1.5, 3, 6)]
    found = [measured(grey((step * 60000).astype(np.uint16), 65535))["sharpness"] for step in steps]
    assert found == sorted(found, reverse=True)
    faint = measured(grey((scene * 6000 + 20000).astype(np.uint16), 65535))["sharpness"]
    assert faint == pytest.approx(found[0], rel=0.02)
    moved = cv2.blur(scene, (15, 1))
    assert measured(grey((moved * 60000).astype(np.uint16), 65535))["sharpness"] < found[0] / 4


def test_stray_pixels_are_counted_and_lines_are_not() -> None:
    pixels = np.full((100, 100), 100, np.uint8)
    pixels[5:95:10, 5:95:10] = 255
    pixels[50, 50:52] = 0
    assert measured(grey(pixels))["outlier_pixels"] == pytest.approx((81 + 2) / 10_000)
    lined = np.full((100, 100), 100, np.uint8)
    lined[:, 40] = 255
    lined[20, :] = 0
    assert measured(grey(lined))["outlier_pixels"] <= 4 / 10_000  # at most the four ends


def test_missing_and_frame_are_shares_of_the_area() -> None:
    pixels = RNG(6).integers(0, 256, (100, 80)).astype(np.uint8)
    valid = np.ones((100, 80), np.bool_)
    valid[:25] = False
    assert measured(Image(pixels, (0, 255), valid=valid))["missing"] == pytest.approx(0.25)
    pixels[:10] = 7
    pixels[:, 60:] = 7
    assert measured(grey(pixels))["frame"] == pytest.approx(1 - 90 * 60 / 8000)
    assert measured(grey(np.full((50, 50), 9, np.uint8)))["frame"] == 1


def test_strokes_are_those_of_a_top_hat() -> None:
    pixels = (smooth(200, seed=7) * 120).astype(np.uint8)
    cv2.putText(pixels, "LEFT 12", (20, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 1)
    reference = white_tophat(pixels, np.ones((7, 7)), mode="ignore") > 115
    assert measured(grey(pixels))["strokes"] == pytest.approx(reference.mean())
    assert reference.mean() > 0


def test_blockiness_grows_as_quality_falls() -> None:
    scene = np.clip((smooth(256, seed=8) + RNG(8).normal(0, 0.03, (256, 256))) * 255, 0, 255).astype(np.uint8)
    stored = [cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, q])[1] for q in (90, 40, 15, 5)]
    found = [measured(grey(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)))["blockiness"] for jpeg in stored]
    assert found == sorted(found)
    assert measured(grey(scene))["blockiness"] == pytest.approx(1, abs=0.08)
    assert found[-1] > 2


def test_depth_and_colour_change_no_measure_by_more_than_rounding() -> None:
    scene = np.clip(smooth(seed=9) + RNG(9).normal(0, 0.03, (256, 256)), 0, 1)
    eight = np.round(scene * 255)
    images = [
        grey(eight.astype(np.uint8)),
        grey((eight * 257).astype(np.uint16), 65535),
        Image((eight * 16 - 2040).astype(np.int16), value_range=(-2040, 2040)),
        grey((eight / 255).astype(np.float32), 1.0),
        grey(np.repeat(eight.astype(np.uint8)[:, :, None], 3, axis=2)),
    ]
    first, *others = map(measured, images)
    same = ("mean", "std", "p50", "sharpness", "outlier_pixels", "frame", "strokes", "blockiness")
    for other in others:
        assert [other[name] for name in same] == pytest.approx([first[name] for name in same], abs=0.003)
        assert other["noise"] == pytest.approx(first["noise"], rel=0.1)
        difference = other["thumbnail"].astype(int) - first["thumbnail"]
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    "image",
    [
        grey(np.zeros((1, 1), np.uint8)),
        grey(np.zeros((3, 700), np.uint16), 4095),
        grey(np.full((64, 64), np.nan, np.float32), 1.0),
        grey(np.full((64, 64, 3), 255, np.uint8)),
        Image(np.full((40, 30), -2000, np.int16), value_range=(-1024, 3071)),
        Image(np.ones((40, 30), np.uint8), value_range=(0, 255), valid=np.zeros((40, 30), np.bool_)),
        grey(np.array([[np.inf, -np.inf], [np.nan, 0.5]], np.float32), 1.0),
    ],
    ids=["1x1", "strip", "nan", "white colour", "below the range", "all missing", "infinite"],
)
def test_any_image_can_be_measured(image: Image) -> None:
    before = image.pixels.copy()
    found = measured(image)
    assert all(np.isfinite(value).all() for value in found.values())
    assert (found["thumbnail"].shape, found["fingerprint"].shape) == ((32, 32), (64,))
    assert np.array_equal(before, image.pixels, equal_nan=image.pixels.dtype == np.float32)


def test_every_image_has_the_same_columns_and_kinds() -> None:
    images = [grey(RNG(i).integers(0, 256, (30, 200 * i + 30)).astype(np.uint8)) for i in range(3)]
    kinds = [{name: type(value) for name, value in measured(image).items()} for image in images]
    assert kinds[0] == kinds[1] == kinds[2]


def test_the_thumbnail_is_the_mean_of_each_place() -> None:
    pixels = RNG(10).integers(0, 4096, (1024, 512)).astype(np.uint16)
    expected = pixels.reshape(32, 32, 32, 16).mean(axis=(1, 3)) / 4095 * 255
    found = Reduced.of(grey(pixels, 4095)).thumbnail
    assert np.abs(found - expected).max() < 1.5
