"""Pictures: JPEG, PNG, TIFF, BMP, PGM and PPM, with as many channels and bits as the file had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Image

__all__ = ["write"]

JPEG_QUALITY = 95


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """One picture, or all pages of a TIFF. JPEG in quality 95; what these formats say beside pixels is not copied."""
    first = next(iter(images.values()))
    kind = str(first.header["format"])
    if kind in ("pgm", "ppm"):
        target.write_bytes(_portable(first))
        return
    pages = [_channels(image, source, page) for page, image in enumerate(images.values())]
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if kind == "jpeg" else []
    if len(pages) > 1:
        done, data = cv2.imencodemulti(".tiff", pages, options)
    else:
        done, data = cv2.imencode(f".{kind}", pages[0], options)
    if not done:
        raise DataError(f"{source}: {pages[0].dtype} pixels cannot be written as {kind}.")
    target.write_bytes(data.tobytes())


def _channels(image: Image, source: Path, page: int) -> NDArray[Any]:
    """Pixels with the channels of the file, in OpenCV's order."""
    pixels, wanted = image.pixels, int(image.header.get("channels_in_file", image.channels))
    if wanted < 3:
        grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.ascontiguousarray(grey if grey.dtype != np.float32 else _as_stored(grey, image, source, page))
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., ::-1]
    before = _stored(source, page) if "alpha" in image.header else None
    if before is not None and before.ndim == 3 and before.shape[2] == 4:
        colour = np.dstack([colour, before[..., 3]])
    return np.ascontiguousarray(colour)


def _stored(source: Path, page: int) -> NDArray[Any] | None:
    """A page as the file has it; None where OpenCV cannot say."""
    found, pages = cv2.imreadmulti(str(source), flags=cv2.IMREAD_UNCHANGED)
    return np.asarray(pages[page]) if found and page < len(pages) else None


def _as_stored(grey: NDArray[Any], image: Image, source: Path, page: int) -> NDArray[Any]:
    """Numbers in the type that the file has, where that is no float32, and what is missing (NaN) as it was."""
    before = _stored(source, page)
    if before is None or before.shape != grey.shape:
        return grey
    if before.dtype.kind == "i":
        info = np.iinfo(before.dtype)
        grey = np.rint(grey.astype(np.float64)).clip(info.min, info.max)
    grey = grey.astype(before.dtype)
    return grey if image.valid is None else np.where(image.valid, grey, before)


def _portable(image: Image) -> bytes:
    """Binary PGM or PPM with the white of the file, which need not be that of the dtype."""
    kind = "P5" if image.pixels.ndim == 2 else "P6"
    rows, columns = image.shape
    head = f"{kind}\n{columns} {rows}\n{round(image.levels[1])}\n".encode()
    return head + image.pixels.astype(">u2" if image.pixels.itemsize == 2 else np.uint8).tobytes()
