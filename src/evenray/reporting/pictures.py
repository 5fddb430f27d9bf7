"""Pictures as data URIs, small enough that a page of dozens stays light."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["heat", "photograph", "thumbnail"]

LONGEST = 384  # pixels of the longer side: crisp at the 320 CSS pixels of a card


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """A grey uint8 (H, W) array as a PNG data URI.

    >>> thumbnail(np.zeros((32, 32), np.uint8))[:22]
    'data:image/png;base64,'
    """
    return _uri(pixels, ".png", "image/png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def photograph(path: Path) -> str | None:
    """An image file, at most 384 pixels on its longer side, as a JPEG data URI; None where the file is absent."""
    pixels = _read(path, cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    if (pixels == pixels[..., :1]).all():
        pixels = np.ascontiguousarray(pixels[..., 0])
    return _uri(_shrunk(pixels, LONGEST), ".jpg", "image/jpeg", [cv2.IMWRITE_JPEG_QUALITY, 88])


def heat(path: Path) -> str | None:
    """A grey heat map as a coloured PNG data URI, transparent where it is cold; None where the file is absent.

    The colours are Inferno's, which stay in order for colour-blind readers and in print.
    """
    grey = _read(path, cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    grey = _shrunk(grey, 160)
    colours = cv2.applyColorMap((64 + 0.7 * grey).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return _uri(np.dstack([colours, grey]), ".png", "image/png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _read(path: Path, mode: int) -> NDArray[Any] | None:
    """Through numpy, because cv2.imread cannot open every path that Python can."""
    if not path.exists():
        return None
    found: NDArray[Any] | None = cv2.imdecode(np.fromfile(path, np.uint8), mode)
    return found


def _shrunk(pixels: NDArray[Any], longest: int) -> NDArray[Any]:
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _uri(pixels: NDArray[Any], extension: str, mime: str, options: list[int]) -> str:
    _, encoded = cv2.imencode(extension, pixels, options)
    return f"data:{mime};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
