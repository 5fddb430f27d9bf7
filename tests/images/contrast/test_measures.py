from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.contrast import enhance
from evenray.images.contrast.measures import MEASURES, measure


def grey(seed: int = 0, shape: tuple[int, int] = (70, 90), dtype: type = np.uint8, high: int = 255) -> Image:
    rng = np.random.default_rng(seed)
    smooth = 100 + 60 * np.sin(np.mgrid[: shape[0], : shape[1]].sum(axis=0) / 11)
    eight = np.rint((smooth + rng.normal(0, 10, shape)).clip(0, 255))
    return Image(np.rint(eight * (high / 255)).astype(dtype), (0, high))


def test_psnr_and_ssim_are_scikit_images() -> None:
    before, after = grey(0).pixels, grey(1).pixels
    found = measure(Image(before, (0, 255)), Image(after, (0, 255)))
    assert found["psnr"] == pytest.approx(peak_signal_noise_ratio(before, after, data_range=255), abs=1e-4)
    reference = structural_similarity(
        before, after, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert found["ssim"] == pytest.approx(reference, abs=1e-4)


def test_measures_by_their_formulas() -> None:
    before, after = grey(), enhance(grey(), "sigmoid")
    found = measure(before, after)
    one, other = before.pixels.astype(float), after.pixels.astype(float)
    assert found["ambe"] == pytest.approx(abs(one.mean() - other.mean()), abs=1e-3)
    shares = np.bincount(after.pixels.ravel(), minlength=256) / after.pixels.size
    assert found["entropy"] == pytest.approx(-sum(p * math.log2(p) for p in shares if p), abs=1e-6)

    def local(x: np.ndarray) -> float:
        scores = []
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                part = x[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
                scores.append((part.max() - part.min()) / max(part.max() + part.min(), 1))
        return float(np.mean(scores))

    assert found["cii"] == pytest.approx(local(other) / local(one), rel=1e-4)
    blocks = [
        20 * math.log10((other[i : i + 8, j : j + 8].max() + 1) / (other[i : i + 8, j : j + 8].min() + 1))
        for i in range(0, 64, 8)
        for j in range(0, 88, 8)
    ]
    assert found["eme"] == pytest.approx(np.mean(blocks), rel=1e-4)


def test_clipped_counts_only_what_was_not_clipped_before() -> None:
    before = Image(np.array([[0, 10, 128, 250, 255]], np.uint8), (0, 255))
    found = measure(before, enhance(before, "linear(20, 200)"))
    assert found["clipped_low"] == pytest.approx(0.2)
    assert found["clipped_high"] == pytest.approx(0.2)


def test_the_same_at_every_depth() -> None:
    eight, twelve = grey(), grey(dtype=np.uint16, high=4095)
    one, other = measure(eight, enhance(eight, "gamma(0.8)")), measure(twelve, enhance(twelve, "gamma(0.8)"))
    for name in MEASURES:
        assert one[name] == pytest.approx(other[name], rel=0.02, abs=0.02), name


def test_missing_pixels_count_for_nothing() -> None:
    image = grey()
    valid = np.ones(image.shape, bool)
    valid[:, :20] = False
    found = []
    for fill in (0, 255):
        masked = Image(np.where(valid, image.pixels, fill).astype(np.uint8), (0, 255), valid=valid)
        found.append(measure(masked, enhance(masked, "gamma(0.5)")))
    for name in ("entropy", "ambe", "psnr", "clipped_low", "clipped_high", "eme", "ssim", "cii"):
        assert found[0][name] == found[1][name], name
    empty = Image(image.pixels, (0, 255), valid=np.zeros(image.shape, bool))
    assert all(math.isnan(value) for value in measure(empty, empty).values())


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (9, 9)])
def test_small_images(shape: tuple[int, int]) -> None:
    found = measure(grey(shape=shape), grey(1, shape=shape))
    assert all(math.isfinite(value) for value in found.values())


def test_shapes_have_to_agree() -> None:
    with pytest.raises(UsageError, match="shapes"):
        measure(grey(), grey(shape=(8, 8)))
