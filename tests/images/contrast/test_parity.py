"""The same grey levels as OpenCV and scikit-image, where those are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import exposure

from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.contrast.match import matched
from evenray.images.histogram import Histogram

# An 8-bit X-ray in, the reference's outcome in grey levels (not rounded) out.
SKIMAGE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: exposure.rescale_intensity(x.astype(float), "image", (0, 255)),
    "linear(40, 180)": lambda x: exposure.rescale_intensity(x.astype(float), (40, 180), (0, 255)),
    "percentile(2, 98)": lambda x: exposure.rescale_intensity(
        x.astype(float), tuple(np.percentile(x, (2, 98))), (0, 255)
    ),
    "gamma(0.5)": lambda x: exposure.adjust_gamma(x / 255, 0.5) * 255,
    "gamma(2.2, gain=1.3)": lambda x: exposure.adjust_gamma(x / 255, 2.2, 1.3).clip(0, 1) * 255,
    "log": lambda x: exposure.adjust_log(x / 255) * 255,
    "exp": lambda x: exposure.adjust_log(x / 255, inv=True) * 255,
    "sigmoid": lambda x: exposure.adjust_sigmoid(x / 255) * 255,
    "sigmoid(0.3, 5)": lambda x: exposure.adjust_sigmoid(x / 255, 0.3, 5) * 255,
    "equalize(stretch=False)": lambda x: exposure.equalize_hist(x) * 255,
}


@pytest.fixture(scope="module")
def xrays(evenray_data: Path) -> list[np.ndarray]:
    files = sorted((evenray_data / "chest-xray-full").glob("*/*.jpeg"))[::13]
    return [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]


def outcome(pixels: np.ndarray, spec: str, high: int = 255) -> np.ndarray:
    return enhance(Image(pixels, (0, high)), spec).pixels


@pytest.mark.parametrize("spec", SKIMAGE)
def test_scikit_image_to_rounding(xrays: list[np.ndarray], spec: str) -> None:
    for xray in xrays:
        assert np.abs(outcome(xray, spec) - SKIMAGE[spec](xray)).max() <= 0.5 + 1e-4


def test_scikit_image_match_histograms_to_rounding(xrays: list[np.ndarray]) -> None:
    reference = xrays[-1]
    histogram = Histogram.of(Image(reference, (0, 255)))
    for xray in xrays[:-1]:
        image = Image(xray, (0, 255))
        values = matched(Histogram.of(image), histogram).values[xray] * 255
        assert np.abs(values - exposure.match_histograms(xray, reference)).max() <= 0.5 + 1e-4


def test_opencv_equalize_hist_bit_for_bit(xrays: list[np.ndarray]) -> None:
    for xray in xrays:
        assert np.array_equal(outcome(xray, "equalize"), cv2.equalizeHist(xray))


@pytest.mark.parametrize("seed", range(40))
def test_opencv_equalize_hist_bit_for_bit_on_ties(seed: int) -> None:
    """Small images, in which a share often falls just between two levels."""
    rng = np.random.default_rng(seed)
    for _ in range(25):
        pixels = rng.integers(0, rng.integers(2, 256), rng.integers(1, 20, 2)).astype(np.uint8)
        assert np.array_equal(outcome(pixels, "equalize"), cv2.equalizeHist(pixels))


@pytest.mark.parametrize("clip", [0.5, 2.0, 40.0])
@pytest.mark.parametrize("tiles", [8, 3])
def test_opencv_clahe_within_one_level(xrays: list[np.ndarray], clip: float, tiles: int) -> None:
    for xray in xrays[:3]:
        reference = cv2.createCLAHE(clip, (tiles, tiles)).apply(xray)
        difference = np.abs(outcome(xray, f"clahe(clip={clip}, tiles={tiles})").astype(int) - reference)
        assert difference.max() <= 1


@pytest.mark.parametrize("shape", [(64, 64), (61, 83), (17, 200), (9, 9)])
def test_opencv_clahe_within_one_level_where_tiles_do_not_fit(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    for columns, rows in ((8, 8), (5, 3)):
        reference = cv2.createCLAHE(3.0, (columns, rows)).apply(pixels)
        ours = outcome(pixels, f"clahe(clip=3, tiles=({rows}, {columns}))")
        assert np.abs(ours.astype(int) - reference).max() <= 1


@pytest.mark.parametrize("spec", ["equalize", "clahe", "clahe(clip=40)", "gamma(0.5)", "weighted", "rmshe", "match"])
def test_x_rays_are_the_same_at_8_12_and_16_bits(xrays: list[np.ndarray], spec: str) -> None:
    for xray in xrays[:3]:
        eight = outcome(xray, spec).astype(float)
        for high in (4095, 65535):
            deep = outcome(np.rint(xray * (high / 255)).astype(np.uint16), spec, high)
            assert np.abs(deep * (255 / high) - eight).max() <= 0.75  # half for 8 bits, the rest for 12


@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_scikit_image_unsharp_mask_to_rounding(xrays: list[np.ndarray], radius: float) -> None:
    from skimage.filters import unsharp_mask

    xray = xrays[0][::4, ::4].copy()
    reference = unsharp_mask(xray / 255, radius=radius, amount=1.5) * 255
    ours = outcome(xray, f"unsharp(radius={radius}, amount=1.5)")
    assert np.abs(ours - reference).max() <= 0.5 + 0.02
