"""Corruptions that scans have, each in five grades: what a network trained on clean images may meet.

After the idea of MedMNIST-C (Di Salvo, Doerrich & Ledig 2024, arXiv:2406.17536) and ImageNet-C (Hendrycks & Dietterich, ICLR 2019);
the code and the grades are our own. Lengths are shares of the image's shorter side, so that a grade means the same at any
size, and brightness is in units of the grey range that the header declares. What is random about an image (a direction, a
pattern, a place) is the same in all grades.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError, unknown_name
from evenray.core.types import Image

__all__ = ["CORRUPTIONS", "GRADES", "corrupt"]

Pixels = NDArray[np.float32]  # (H, W) or (H, W, 3), 0 black to 1 white
GRADES = 5
FEW = 4.0  # pixels of deviation, above which blurring a smaller copy makes no difference that shows


def _noise(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Normal noise, the same in all channels."""
    noise = rng.standard_normal(x.shape[:2], np.float32) * np.float32((0.02, 0.04, 0.07, 0.11, 0.16)[grade])
    return x + (noise if x.ndim == 2 else noise[..., None])


def _blur(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """A Gaussian, as of motion or of a wrong focus; of small images at least so wide that neighbouring pixels mix."""
    height, width = x.shape[:2]
    sigma = max((0.005, 0.01, 0.017, 0.025, 0.035)[grade] * min(height, width), (0.5, 0.6, 0.75, 0.9, 1.1)[grade])
    if sigma <= FEW:
        return np.asarray(cv2.GaussianBlur(x, (0, 0), sigma))
    small = max(1, round(width * FEW / sigma)), max(1, round(height * FEW / sigma))
    blurred = cv2.GaussianBlur(cv2.resize(x, small, interpolation=cv2.INTER_AREA), (0, 0), FEW)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR))


def _contrast(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Grey levels drawn together about their mean."""
    mean = x.mean(dtype=np.float64)
    return np.asarray(mean + (x - mean) * (0.75, 0.6, 0.45, 0.3, 0.2)[grade], np.float32)


def _gamma(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Middle greys darker, or lighter."""
    gamma = (1.25, 1.5, 1.85, 2.3, 3.0)[grade]
    return x ** np.float32(gamma if rng.random() < 0.5 else 1 / gamma)


def _exposure(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Everything brighter, the brightest lost in white; or darker."""
    factor = 1 + (0.15, 0.3, 0.5, 0.75, 1.1)[grade]
    return x * np.float32(factor if rng.random() < 0.5 else 1 / factor)


def _jpeg(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Stored as JPEG, of 8 bits."""
    eight = np.rint(x * 255).astype(np.uint8)
    blue_first = eight if x.ndim == 2 else eight[..., ::-1]
    done, coded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, (50, 30, 18, 11, 7)[grade]])
    assert done
    back = np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.float32) / 255
    return np.asarray(back if x.ndim == 2 else back[..., ::-1], np.float32)


def _markers(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """White letters and a bar in one corner after another, as of lead markers and burned-in text."""
    height, width = x.shape[:2]
    drawn, side = np.zeros((height, width), np.uint8), min(height, width)
    letters, corners = ("L", "R", "AP", "SUP", "12")[int(rng.integers(5))], rng.permutation(4)
    size = (0.07, 0.09, 0.11, 0.13, 0.15)[grade] * side
    thick = max(1, round(size / 7))
    (wide, high), _ = cv2.getTextSize(letters, cv2.FONT_HERSHEY_SIMPLEX, size / 22, thick)
    for corner in corners[: 1 + grade // 2]:
        left = round(0.04 * side) if corner % 2 == 0 else width - wide - round(0.04 * side)
        foot = round(0.04 * side) + high if corner < 2 else height - round(0.06 * side)
        cv2.putText(drawn, letters, (left, foot), cv2.FONT_HERSHEY_SIMPLEX, size / 22, 255, thick)
        cv2.line(drawn, (left, foot + thick), (left + wide, foot + thick), 255, thick)
    white = drawn.astype(np.float32) / 255
    return np.maximum(x, white if x.ndim == 2 else white[..., None])


def _rotation(x: Pixels, grade: int, rng: np.random.Generator) -> Pixels:
    """Turned about the middle; beyond the edge the edge goes on."""
    angle = (3, 6, 10, 15, 22)[grade] * (1 if rng.random() < 0.5 else -1)
    height, width = x.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return np.asarray(cv2.warpAffine(x, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


CORRUPTIONS: dict[str, Callable[[Pixels, int, np.random.Generator], Pixels]] = {
    "noise": _noise, "blur": _blur, "contrast": _contrast, "gamma": _gamma, "exposure": _exposure, "jpeg": _jpeg,
    "markers": _markers, "rotation": _rotation,
}  # fmt: skip


def corrupt(image: Image, name: str, grade: int, seed: int = 0) -> Image:
    """The image under a corruption of CORRUPTIONS, at a grade of 1 to 5; missing pixels stay as they are.

    The same image, name and seed give the same pixels. UsageError for an unknown name or grade.

    >>> image = Image(np.full((8, 8), 100, np.uint8), (0, 255))
    >>> int(corrupt(image, "exposure", 1).pixels[0, 0])
    87
    """
    if name not in CORRUPTIONS:
        raise unknown_name("corruption", name, CORRUPTIONS)
    if grade not in range(1, GRADES + 1):
        raise UsageError(f"grade is {grade}; give a whole number from 1 to {GRADES}.")
    low, high = image.value_range
    unit = np.clip((image.pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    rng = np.random.default_rng([seed, crc32(name.encode()), crc32(image.sha256.encode() or image.pixels.tobytes())])
    changed = np.clip(CORRUPTIONS[name](unit, grade - 1, rng), 0, 1) * np.float32(high - low) + np.float32(low)
    whole = changed if image.pixels.dtype == np.float32 else np.rint(changed)
    pixels = whole.astype(image.pixels.dtype)
    if image.valid is not None:
        pixels = np.where(image.valid if image.channels == 1 else image.valid[..., None], pixels, image.pixels)
    return image.with_pixels(pixels)
