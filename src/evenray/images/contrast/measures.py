"""What enhancing did to an image, in the measures that papers report. None of them says whether a classifier gains."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.images.histogram import Histogram
from evenray.images.levels import lightness

from ._engine import present

__all__ = ["MEASURES", "measure"]

MEASURES = (
    "entropy_before", "entropy", "cii", "eme_before", "eme", "ambe", "psnr", "ssim", "clipped_low", "clipped_high",
)  # fmt: skip
_STEP = 1 / 255  # one 8-bit grey level of the unit range, at any depth
_STRIP, _HALO = 64, 5  # rows


def measure(before: Image, after: Image) -> dict[str, float]:
    """The measures of `MEASURES`, over the pixels that are present, in the unit range, so the same at every depth.

    - entropy: Shannon, of 256 grey levels.
    - cii: mean local contrast after / before, (max - min) / (max + min) in 3 x 3 pixels. Yang, Su and Chen (2010).
    - eme: mean over blocks of 8 x 8 of 20 log10(max / min), grey levels counted from 1. Agaian, Silver and Panetta,
      IEEE TIP 16 (2007), equation 1.
    - ambe: absolute difference of the mean brightness, in 8-bit grey levels. Chen and Ramli (2003).
    - psnr: of `after` against `before`, infinite where nothing changed. ssim: Wang et al., IEEE TIP 13 (2004), Gaussian
      window of 11 x 11.
    - clipped_low, clipped_high: the share of pixels that became black or white and were not.

    NaN where no pixel is present. UsageError for images of different shapes.

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), value_range=(0, 255))
    >>> found = measure(image, image)
    >>> found["cii"], found["ambe"], found["psnr"], round(found["ssim"], 6)
    (1.0, 0.0, inf, 1.0)
    """
    if before.shape != after.shape:
        raise UsageError(f"the images have shapes {before.shape} and {after.shape}; measures need the same.")
    there = present(before)
    if there is not None and not there.any():
        return dict.fromkeys(MEASURES, math.nan)
    ones = [Histogram.of(image.with_pixels(image.pixels, valid=there)) for image in (before, after)]
    means = [float(histogram.counts @ histogram.unit_levels) / histogram.total for histogram in ones]
    found = _strip_by_strip(before, after, there)
    return {
        "entropy_before": ones[0].rebin(256).entropy,
        "entropy": ones[1].rebin(256).entropy,
        "cii": found["contrast"] / found["contrast_before"] if found["contrast_before"] else 1.0,
        "eme_before": found["eme_before"],
        "eme": found["eme"],
        "ambe": abs(means[0] - means[1]) / _STEP,
        "psnr": -10 * math.log10(found["error"]) if found["error"] else math.inf,
        "ssim": found["ssim"],
        "clipped_low": found["clipped_low"],
        "clipped_high": found["clipped_high"],
    }


def _strip_by_strip(before: Image, after: Image, there: NDArray[np.bool_] | None) -> dict[str, float]:
    """The means over all pixels, gathered from strips that fit the cache, each with the rows around that windows need."""
    rows, block = before.shape[0], (min(8, before.shape[0]), min(8, before.shape[1]))
    grey = [lightness(image) for image in (before, after)]
    whole = np.ones(before.shape, bool) if there is None else there
    near, wide = _clear(whole, 3), _inner(_clear(whole, 11))
    sums: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for top in range(0, rows, _STRIP):
        first, last = max(top - _HALO, 0), min(top + _STRIP + _HALO, rows)
        own = np.s_[top - first : min(top + _STRIP, rows) - first]
        units = [_unit(g[first:last], before.value_range, whole[first:last]) for g in grey]
        images = _pixelwise(*units)
        for name, scores in images.items():
            mask = {"ssim": wide, "contrast": near, "contrast_before": near}.get(name, whole)[first:last][own]
            sums[name] = sums.get(name, 0.0) + float(cv2.mean(scores[own], mask.view(np.uint8))[0]) * int(mask.sum())
            sizes[name] = sizes.get(name, 0) + int(mask.sum())
        for name, unit in zip(("eme_before", "eme"), units, strict=True):
            blocks = _eme(unit[own], whole[first:last][own], block)
            sums[name] = sums.get(name, 0.0) + float(blocks.sum(dtype=np.float64))
            sizes[name] = sizes.get(name, 0) + blocks.size
    return {name: sums[name] / max(sizes[name], 1) for name in sums}


def _pixelwise(old: NDArray[np.float32], new: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """For every pixel of a strip: squared error, SSIM, local contrasts and what was clipped."""
    difference = new - old
    return {
        "error": difference * difference,
        "ssim": _ssim(old, new),
        "contrast_before": _local_contrast(old),
        "contrast": _local_contrast(new),
        "clipped_low": ((new <= 0) & (old > 0)).astype(np.float32),
        "clipped_high": ((new >= 1) & (old < 1)).astype(np.float32),
    }


def _unit(grey: NDArray[Any], value_range: tuple[float, float], there: NDArray[np.bool_]) -> NDArray[np.float32]:
    low, high = value_range
    unit = grey.astype(np.float32)
    unit -= np.float32(low)
    unit *= np.float32(1 / (high - low))
    np.clip(unit, 0, 1, out=unit)
    unit[~there] = 0
    return unit


def _local_contrast(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    box = np.ones((3, 3), np.uint8)
    top, bottom = cv2.dilate(unit, box), cv2.erode(unit, box)
    return np.asarray((top - bottom) / np.maximum(top + bottom, np.float32(_STEP)), np.float32)


def _eme(unit: NDArray[np.float32], there: NDArray[np.bool_], block: tuple[int, int]) -> NDArray[np.float32]:
    """The scores of the whole blocks of a strip."""
    height, width = block
    box = np.ones(block, np.uint8)
    places = np.s_[: max(unit.shape[0] - height + 1, 0) : height, : unit.shape[1] - width + 1 : width]
    top, bottom = (move(unit, box, anchor=(0, 0))[places] for move in (cv2.dilate, cv2.erode))
    complete = cv2.erode(there.view(np.uint8), box, anchor=(0, 0))[places] > 0
    return np.asarray(20 * np.log10((top + _STEP) / (bottom + _STEP))[complete], np.float32)


def _ssim(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.float32]:
    mean_old, mean_new = _window(old), _window(new)
    var_old = _window(old * old) - mean_old**2
    var_new = _window(new * new) - mean_new**2
    shared = _window(old * new) - mean_old * mean_new
    c1, c2 = 0.01**2, 0.03**2
    score = (2 * mean_old * mean_new + c1) * (2 * shared + c2)
    return np.asarray(score / ((mean_old**2 + mean_new**2 + c1) * (var_old + var_new + c2)), np.float32)


def _window(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(array, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT), np.float32)


def _clear(there: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Pixels with no missing one within a square of `size`; all that are present where there is none."""
    clear = cv2.erode(there.view(np.uint8), np.ones((size, size), np.uint8)).view(np.bool_)
    return clear if clear.any() else there


def _inner(clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the 5 pixels at the sides, where a window of 11 reaches past the image; as scikit-image does it."""
    inner = np.zeros_like(clear)
    inner[_HALO:-_HALO, _HALO:-_HALO] = clear[_HALO:-_HALO, _HALO:-_HALO]
    return inner if inner.any() else clear
