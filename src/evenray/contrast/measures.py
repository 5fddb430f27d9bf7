"""What enhancing did to an image, in the measures that papers report. None of them says whether a classifier gains."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.core.types import Image
from evenray.histogram import lightness

from ._engine import present

__all__ = ["MEASURES", "measure"]

MEASURES = {
    "entropy_before": "entropy before, bits",
    "entropy": "entropy after, bits",
    "cii": "contrast improvement index",
    "eme_before": "EME before, dB",
    "eme": "EME after, dB",
    "ambe": "AMBE, 8-bit grey levels",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "clipped_low": "newly black",
    "clipped_high": "newly white",
}
_STEP = 1 / 255  # one 8-bit grey level of the unit range, at any depth


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

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), levels=(0, 255))
    >>> found = measure(image, image)
    >>> found["cii"], found["ambe"], found["psnr"], round(found["ssim"], 6)
    (1.0, 0.0, inf, 1.0)
    """
    if before.shape != after.shape:
        raise UsageError(f"the images have shapes {before.shape} and {after.shape}; measures need the same.")
    there = present(before)
    if there is not None and not there.any():
        return dict.fromkeys(MEASURES, math.nan)
    old, new = _unit(before, there), _unit(after, there)
    one, other = (x if there is None else x[there] for x in (old, new))
    error = float(np.mean((one - other) ** 2, dtype=np.float64))
    contrast = _local_contrast(old, there)
    return {
        "entropy_before": _entropy(one),
        "entropy": _entropy(other),
        "cii": _local_contrast(new, there) / contrast if contrast else 1.0,
        "eme_before": _eme(old, there),
        "eme": _eme(new, there),
        "ambe": abs(float(one.mean(dtype=np.float64)) - float(other.mean(dtype=np.float64))) / _STEP,
        "psnr": -10 * math.log10(error) if error else math.inf,
        "ssim": _ssim(old, new, there),
        "clipped_low": float(np.mean((other <= 0) & (one > 0))),
        "clipped_high": float(np.mean((other >= 1) & (one < 1))),
    }


def _unit(image: Image, there: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    low, high = image.levels
    unit = np.clip((lightness(image).astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return unit if there is None else np.where(there, unit, np.float32(0))


def _entropy(unit: NDArray[np.float32]) -> float:
    counts = np.bincount(np.rint(unit * 255).astype(np.uint8).ravel(), minlength=256)
    shares = counts[counts > 0] / unit.size
    return float(abs((shares * np.log2(shares)).sum()))


def _local_contrast(unit: NDArray[np.float32], there: NDArray[np.bool_] | None) -> float:
    box = np.ones((3, 3), np.uint8)
    top, bottom = cv2.dilate(unit, box), cv2.erode(unit, box)
    share = (top - bottom) / np.maximum(top + bottom, np.float32(_STEP))
    return float(share[_clear(there, 3)].mean(dtype=np.float64))


def _eme(unit: NDArray[np.float32], there: NDArray[np.bool_] | None, size: int = 8) -> float:
    rows, columns = unit.shape[0] // size * size or unit.shape[0], unit.shape[1] // size * size or unit.shape[1]
    blocks = _blocks(unit[:rows, :columns], size)
    scores = 20 * np.log10((blocks.max(axis=(1, 3)) + _STEP) / (blocks.min(axis=(1, 3)) + _STEP))
    if there is not None:
        whole = _blocks(there[:rows, :columns], size).all(axis=(1, 3))
        scores = scores[whole]
    return float(scores.mean(dtype=np.float64)) if scores.size else 0.0


def _blocks(array: NDArray[Any], size: int) -> NDArray[Any]:
    height, width = min(size, array.shape[0]), min(size, array.shape[1])
    return array.reshape(array.shape[0] // height, height, array.shape[1] // width, width)


def _ssim(old: NDArray[np.float32], new: NDArray[np.float32], there: NDArray[np.bool_] | None) -> float:
    mean_old, mean_new = _window(old), _window(new)
    var_old = _window(old * old) - mean_old**2
    var_new = _window(new * new) - mean_new**2
    shared = _window(old * new) - mean_old * mean_new
    c1, c2 = 0.01**2, 0.03**2
    score = (2 * mean_old * mean_new + c1) * (2 * shared + c2)
    score /= (mean_old**2 + mean_new**2 + c1) * (var_old + var_new + c2)
    if min(old.shape) > 10:  # where the whole window lies in the image, as in scikit-image
        score, there = score[5:-5, 5:-5], None if there is None else _clear(there, 11)[5:-5, 5:-5]
        there = there if there is None or there.any() else None
    return float(score[_clear(there, 1)].mean(dtype=np.float64))


def _clear(there: NDArray[np.bool_] | None, size: int) -> Any:
    """An index of the pixels with no missing one within a square of `size`; of all that are present if there is none."""
    if there is None:
        return np.s_[:, :]
    clear = cv2.erode(there.view(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
    return clear if clear.any() else there


def _window(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(array, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT), np.float32)
