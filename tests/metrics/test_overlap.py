"""Overlap of masks against brute force: distances pixel by pixel, regions by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from evenray.metrics.overlap import FOUND, hd95, lesions, overlap


def blobs(seed: int, shape: tuple[int, int] = (24, 31)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(ndimage.gaussian_filter(rng.normal(size=shape), 2.0) > 0.12)


def border(mask: np.ndarray) -> list[tuple[int, int]]:
    """Pixels of a mask with a neighbour by an edge that is not in it."""
    found = []
    for row, column in zip(*np.nonzero(mask), strict=True):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [0 <= r < mask.shape[0] and 0 <= c < mask.shape[1] and mask[r, c] for r, c in around]
        if not all(inside):
            found.append((int(row), int(column)))
    return found


def brute_hd95(one: np.ndarray, other: np.ndarray, spacing: tuple[float, float]) -> float:
    a, b = (np.array(border(mask)) * spacing for mask in (one, other))
    distances = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))
    return max(np.percentile(distances.min(1), 95), np.percentile(distances.min(0), 95))


@pytest.mark.parametrize("seed", range(6))
def test_distances_are_those_of_every_pair_of_border_pixels(seed: int) -> None:
    one, other, spacing = blobs(seed), blobs(seed + 100), (0.7, 1.9)
    assert hd95(one, other, spacing) == pytest.approx(brute_hd95(one, other, spacing))
    assert hd95(one, other, spacing) == hd95(other, one, spacing)
    assert hd95(one, one, spacing) == 0


@pytest.mark.parametrize("seed", range(6))
def test_regions_are_those_of_scipy(seed: int) -> None:
    true, called = blobs(seed), blobs(seed + 50)
    numbers, count = ndimage.label(true, np.ones((3, 3)))
    found = sum((called & (numbers == n)).sum() >= FOUND * (numbers == n).sum() for n in range(1, count + 1))
    said, wanted = ndimage.label(called, np.ones((3, 3)))
    false = sum((true & (said == n)).sum() < FOUND * (said == n).sum() for n in range(1, wanted + 1))
    assert lesions(true, called) == (count, found, false)


def test_pixels_areas_and_unknown_ones() -> None:
    true, called = blobs(1), blobs(2)
    known = np.ones_like(true)
    known[:, :10] = False
    found = overlap(true, called, (0.5, 2.0), known)
    assert found.true == (true & known).sum()
    assert found.hit == (true & called & known).sum()
    assert found.area_called == found.called * 1.0


def test_an_empty_mask_has_the_diagonal_for_its_distance_and_two_have_none() -> None:
    true, nothing = np.zeros((2, 30, 40), bool)
    true[3:5, 3:5] = True
    missed = overlap(true, nothing, (1.0, 1.0))
    assert (missed.hd95, missed.lesions, missed.found, missed.false_lesions) == (50.0, 1, 0, 0)
    assert overlap(nothing, true).false_lesions == 1
    clean = overlap(nothing, nothing)
    assert np.isnan(clean.hd95)
    assert (clean.lesions, clean.false_lesions) == (0, 0)
