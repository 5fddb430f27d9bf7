"""Pictures as data URIs, small enough that a page of dozens stays light."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.contrast._engine import present

from .figures.svg import png_uri

__all__ = ["LONGEST", "fitted", "heat", "photograph", "shown"]

LONGEST = 384  # pixels of the longer side: crisp at the 320 CSS pixels of a card


def photograph(path: Path) -> str | None:
    """An image file, at most 384 pixels on its longer side, as a JPEG data URI; None where the file is absent."""
    pixels = _read(path, cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    if (pixels == pixels[..., :1]).all():
        pixels = np.ascontiguousarray(pixels[..., 0])
    encoded = cv2.imencode(".jpg", fitted(pixels, LONGEST), [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"


def heat(path: Path) -> str | None:
    """A grey heat map as a coloured PNG data URI, transparent where it is cold; None where the file is absent.

    The colours are Inferno's, which stay in order for colour-blind readers and in print.
    """
    grey = _read(path, cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    grey = fitted(grey, 160)
    colours = cv2.applyColorMap((64 + 0.7 * grey).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return png_uri(np.dstack([colours, grey]))


def shown(image: Image, longest: int) -> str:
    """An image in its value range as a PNG data URI, missing pixels transparent; small ones in whole multiples."""
    low, high = image.value_range
    unit = np.clip((image.pixels.astype(np.float32) - low) / (high - low), 0, 1)
    pixels = np.rint(np.nan_to_num(unit) * 255).astype(np.uint8)
    pixels = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    there = present(image)
    if there is not None:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGRA if pixels.ndim == 2 else cv2.COLOR_BGR2BGRA)
        pixels[..., 3] = np.where(there, 255, 0)
    times = max(1, longest // max(pixels.shape[:2]))  # so that the pixels of small ones can be seen
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    return png_uri(np.ascontiguousarray(fitted(pixels, longest)))


def fitted(pixels: NDArray[Any], longest: int) -> NDArray[Any]:
    """Shrunk so that the longer side has at most so many pixels."""
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _read(path: Path, mode: int) -> NDArray[Any] | None:
    """Through numpy, because cv2.imread cannot open every path that Python can."""
    if not path.exists():
        return None
    found: NDArray[Any] | None = cv2.imdecode(np.fromfile(path, np.uint8), mode)
    return found
