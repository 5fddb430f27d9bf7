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

__all__ = ["COLOURED", "colours_of", "mask_pixels", "uncoloured"]

Ints = NDArray[np.integer[Any]]
COLOURED = 2**24  # beside red, green and blue, so that blue alone is no grey level
OPAQUE = 255


def mask_pixels(
    path: Path, fragment: str = "", runs: str = "", shape: tuple[int, int] = (0, 0), *, coloured: bool = False
) -> Ints:
    """The values of a mask's pixels, integers (H, W) of the file's own type: grey levels, numbers of a palette (`coloured`: what the
    palette has for them), or of a file that has others than grey, colours as COLOURED + red * 65536 + green * 256 + blue, black as 0.

    `runs` takes the place of the file, in an image of `shape`. Raises ReadError for what is no mask.
    """
    if runs:
        return from_runs(runs, shape).astype(np.uint8)
    if sniff(path) in (None, "raster") and (found := _picture(path, coloured)) is not None:
        return found
    if fragment.startswith("frame=") and is_seg(path):
        return seg_frame(path, fragment)
    pixels: NDArray[Any] = read(path, fragment=fragment, window="none").pixels
    if pixels.ndim == 3:
        return _packed(pixels)
    if np.issubdtype(pixels.dtype, np.floating) and not np.array_equal(pixels, np.round(pixels)):
        raise ReadError(path, "is no mask: its values are no whole numbers")
    return pixels if np.issubdtype(pixels.dtype, np.integer) else pixels.astype(np.int32)


def colours_of(path: Path) -> list[tuple[int, int, int]]:
    """The numbers of a palette that a picture has, the colour of each (red * 65536 + green * 256 + blue) and how many pixels have it;
    nothing of a file without a palette."""
    try:
        with Pictures.open(path) as opened:
            if opened.mode != "P" or opened.width * opened.height > LIMITS.pixels:
                return []
            numbers, counts = np.unique(np.asarray(opened), return_counts=True)
            red, green, blue = np.resize([*(opened.getpalette() or []), *[0] * 768], (256, 3)).T
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError):
        return []
    packed = (red << 16 | green << 8 | blue)[numbers]
    return list(zip(numbers.tolist(), packed.tolist(), counts.tolist(), strict=True))


def uncoloured(pixels: Ints) -> Ints:
    """The same with colours as red * 65536 + green * 256 + blue alone, for what goes by how far values lie apart."""
    return pixels if pixels.itemsize < 4 else np.where(pixels > COLOURED, pixels - COLOURED, pixels)


def _picture(path: Path, coloured: bool) -> Ints | None:
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
            return _numbers(np.asarray(turned.convert("RGB") if coloured and turned.mode == "P" else turned))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError):
        return None


def _numbers(pixels: NDArray[Any]) -> Ints:
    if pixels.ndim == 2:
        return pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    if pixels.shape[2] in (2, 4):
        pixels, alpha = pixels[..., :-1], pixels[..., -1]
        if (alpha < OPAQUE).any() and (pixels == pixels[:1, :1]).all():
            return alpha  # the mask is what is opaque
    return pixels[..., 0] if pixels.shape[2] == 1 else _packed(pixels)


def _packed(colours: NDArray[Any]) -> Ints:
    red, green, blue = (colours[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    packed = red.astype(np.int32) << 16 | green.astype(np.int32) << 8 | blue
    return np.asarray(packed + COLOURED * (packed > 0).astype(np.int32))
