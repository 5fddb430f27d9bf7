"""The pixels of one mask as its file has them: palette and label pictures, slices of volumes, runs of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageOps, UnidentifiedImageError

from evenray.core.errors import ReadError
from evenray.images.readers import LIMITS, read, sniff

from .dicom_seg import is_seg, seg_frame
from .runs import from_runs

__all__ = ["mask_pixels"]

Ints = NDArray[np.integer[Any]]


def mask_pixels(path: Path, fragment: str = "", runs: str = "", shape: tuple[int, int] = (0, 0)) -> Ints:
    """The values of a mask's pixels, integers (H, W) of the file's own type: numbers of a palette, grey levels, or colours as
    red * 65536 + green * 256 + blue.

    `runs` takes the place of the file, in an image of `shape`. Raises ReadError for what is no mask.
    """
    if runs:
        return from_runs(runs, shape).astype(np.uint8)
    if sniff(path) in (None, "raster") and (found := _picture(path)) is not None:
        return found
    if fragment.startswith("frame=") and is_seg(path):
        return seg_frame(path, fragment)
    pixels: NDArray[Any] = read(path, fragment=fragment, window="none").pixels
    if pixels.ndim == 3:
        return _packed(pixels)
    if np.issubdtype(pixels.dtype, np.floating) and not np.array_equal(pixels, np.round(pixels)):
        raise ReadError(path, "is no mask: its values are no whole numbers")
    return pixels if np.issubdtype(pixels.dtype, np.integer) else pixels.astype(np.int32)


def _picture(path: Path) -> Ints | None:
    """A PNG, BMP, TIFF, GIF or JPEG with its own numbers, which a reader of images would turn into colours; None for others."""
    try:
        with Pictures.open(path) as opened:
            if opened.width * opened.height > LIMITS.pixels:
                raise ReadError(
                    path, f"has {opened.width * opened.height:,} pixels; {LIMITS.pixels:,} are read at most"
                )
            if getattr(opened, "n_frames", 1) > 1 and opened.format == "TIFF":
                return None
            turned = ImageOps.exif_transpose(opened)
            return _numbers(np.asarray(turned), turned.mode)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError):
        return None


def _numbers(pixels: NDArray[Any], mode: str) -> Ints:
    if pixels.ndim == 2:
        return pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    if mode in ("LA", "PA"):
        return pixels[..., 0]
    colours = pixels[..., :3]
    if pixels.shape[2] == 4 and (colours == colours[:1, :1]).all():
        return pixels[..., 3]  # the mask is what is opaque
    return _packed(colours)


def _packed(colours: NDArray[Any]) -> Ints:
    red, green, blue = (colours[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    return np.asarray(red.astype(np.int32) << 16 | green.astype(np.int32) << 8 | blue)
