"""Corruptions: graded, repeatable, and true to the type and range of the image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.corruptions import CORRUPTIONS, GRADES, corrupt


def scene(side: int = 96, dtype: type = np.uint16, high: float = 4095, channels: int = 1, seed: int = 0) -> Image:
    """Smooth shapes over the middle of the range, with fine texture."""
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((side, side)), (0, 0), side / 12)
    unit = 0.15 + 0.6 * (smooth - smooth.min()) / np.ptp(smooth) + 0.05 * rng.random((side, side))
    pixels = (unit if channels == 1 else np.stack([unit, 0.9 * unit, 0.7 * unit], axis=2)) * high
    return Image(pixels.astype(dtype), (0.0, high), sha256=f"{seed}")


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize(
    "image",
    [scene(), scene(28, np.uint8, 255), scene(64, np.uint8, 255, 3), scene(60, np.float32, 1.0), scene(60, np.int16, 2000)],
    ids=["16 bits", "28 pixels", "colour", "float", "signed"],
)  # fmt: skip
def test_each_grade_is_further_from_the_image_and_keeps_its_kind(name: str, image: Image) -> None:
    apart = []
    for grade in range(1, GRADES + 1):
        found = corrupt(image, name, grade, seed=1)
        assert (found.pixels.shape, found.pixels.dtype) == (image.pixels.shape, image.pixels.dtype)
        assert image.value_range[0] <= found.pixels.min() <= found.pixels.max() <= image.value_range[1]
        np.testing.assert_array_equal(found.pixels, corrupt(image, name, grade, seed=1).pixels)
        apart.append(float(np.abs(found.pixels.astype(float) - image.pixels).mean()))
    assert apart[0] > 0
    assert apart == sorted(apart)
    assert len(set(apart)) >= (GRADES if name != "markers" else 3)  # letters have whole pixels


@pytest.mark.parametrize("name", ["noise", "gamma", "exposure", "markers", "rotation"])
def test_another_seed_or_image_has_other_chances(name: str) -> None:
    image, changed = scene(), set()
    for seed in range(8):
        changed.add(corrupt(image, name, 3, seed).pixels.tobytes())
    assert len(changed) > 1
    others = {(corrupt(scene(seed=s), name, 3).pixels.astype(float) - scene(seed=s).pixels).tobytes() for s in range(3)}
    assert len(others) > 1


def test_missing_pixels_stay_as_they_are() -> None:
    image = scene()
    valid = np.ones(image.shape, bool)
    valid[:10] = False
    for name in CORRUPTIONS:
        found = corrupt(Image(image.pixels, image.value_range, valid=valid), name, 5)
        np.testing.assert_array_equal(found.pixels[:10], image.pixels[:10])


def test_what_corruptions_are_called_after() -> None:
    image = scene(128)
    unit = image.pixels / 4095
    noisy = corrupt(image, "noise", 3).pixels / 4095
    assert (noisy - unit).std() == pytest.approx(0.07, rel=0.1)
    assert (
        np.diff(corrupt(image, "blur", 5).pixels.astype(float)).std() < 0.3 * np.diff(image.pixels.astype(float)).std()
    )
    assert corrupt(image, "contrast", 4).pixels.std() == pytest.approx(0.3 * image.pixels.std(), rel=0.02)
    gammas = {
        round(float(np.median(np.log(corrupt(image, "gamma", 2, s).pixels / 4095) / np.log(unit))), 1) for s in range(8)
    }
    assert gammas == {1.5, 0.7}
    assert (corrupt(image, "markers", 5).pixels == 4095).sum() > 50


def test_large_and_small_copies_are_blurred_alike() -> None:
    small = scene(100, np.float32, 1.0)
    large = Image(cv2.resize(small.pixels, (800, 800), interpolation=cv2.INTER_CUBIC), (0.0, 1.0))
    shrunk = cv2.resize(corrupt(large, "blur", 5).pixels, (100, 100), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - corrupt(small, "blur", 5).pixels)[8:-8, 8:-8].max() < 0.02


def test_mistakes_are_told() -> None:
    with pytest.raises(UsageError, match=r"There is no corruption named 'blurr'; did you mean blur\?"):
        corrupt(scene(), "blurr", 1)
    with pytest.raises(UsageError, match="grade is 6; give a whole number from 1 to 5"):
        corrupt(scene(), "blur", 6)
