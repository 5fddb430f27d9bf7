"""Pictures: PNG, JPEG, TIFF, BMP, PGM and PPM, 8 and 16 bits and float TIFF, decoded by OpenCV after a check."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.types import Image

from . import raster_bmp, raster_pnm, raster_tiff
from ._colour import collapse
from ._identity import Identity
from ._limits import check
from ._orientation import orientation, turned
from ._source import Source, part_of
from ._window import ValueRange, Window, asked_range, extremes
from .codestreams import check_jpeg, jpeg_stream
from .jpeg import decode_jpeg
from .raster_png import check_png, picture_only, png_orientation

__all__ = ["fragments", "identity", "read", "sniff"]

Array = NDArray[Any]
JPEG_LS = 0xF7  # the marker of its frame

if "OPENCV_LOG_LEVEL" not in os.environ:  # its warnings of damaged files say less than our errors, and on stderr
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_STARTS = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"BM": "bmp",
    b"P2": "pgm",
    b"P5": "pgm",
    b"P3": "ppm",
    b"P6": "ppm",
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """Decoded pixels, channels in the order R, G, B, A, and what the file says of their range."""

    pixels: Array
    high: float | None = None  # the declared white where it is not that of the dtype
    header: dict[str, Any] = dataclasses.field(default_factory=dict)


def sniff(head: bytes) -> bool:
    """Whether a file starts as one of the picture formats; a DICOM file may hide its own start behind one."""
    kind = _kind(head) if head[128:132] != b"DICM" else None
    return kind is not None and (kind not in ("pgm", "ppm") or head[2:3] in b" \t\r\n#")


def _kind(head: bytes) -> str | None:
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)


def read(source: Source, fragment: str = "", value_range: ValueRange | None = None, window: Window = "header") -> Image:
    """One picture, or one page of a TIFF; three equal channels become grey, transparent pixels missing ones.

    The grey range is that of the file's dtype, or what PGM declares; float pixels take their extremes.
    """
    kind = _kind(source.head) or "jpeg"
    decode = {"jpeg": _jpeg, "png": _png, "bmp": _bmp, "pgm": _pnm, "ppm": _pnm}.get(kind)
    if decode is None:
        picture = _tiff(source, fragment)
    else:
        part_of(source.path, fragment, "page", 1)
        picture = decode(source)
    return _image(picture, kind, source, asked_range(value_range, window))


def _image(picture: Picture, kind: str, source: Source, asked: ValueRange | None) -> Image:
    pixels, valid = picture.pixels, None
    header = {"format": kind, "channels_in_file": 1 if pixels.ndim == 2 else pixels.shape[2], **picture.header}
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels, valid, header["alpha"] = _without_alpha(pixels)
    if pixels.ndim == 3:
        pixels = collapse(pixels) if pixels.shape[2] == 3 else pixels[..., 0]
    header["bits_allocated"] = 8 * pixels.dtype.itemsize
    if pixels.dtype in (np.uint8, np.uint16, np.int8, np.int16):
        info = np.iinfo(pixels.dtype)
        pixels = pixels.astype(np.int16) if pixels.dtype == np.int8 else pixels
        found, origin = (float(info.min), picture.high or float(info.max)), "dtype"
        if pixels.dtype != np.uint8:
            header["largest_value"] = int(pixels.max())
    else:
        pixels, valid, found, origin = _floats(pixels, valid)
        header["largest_value"] = found[1]
    header["range_from"] = "asked for" if asked else "file" if picture.high else origin
    photometric = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    return Image(np.ascontiguousarray(pixels), asked or found, valid, photometric, sha256=source.sha256, header=header)


def _without_alpha(pixels: Array) -> tuple[Array, NDArray[np.bool_] | None, str]:
    alpha = pixels[..., -1]
    top = alpha.max() if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    if (alpha == top).all():
        return pixels[..., :-1], None, "dropped: opaque everywhere"
    partly = "" if ((alpha == 0) | (alpha == top)).all() else "; the partly transparent pixels are kept as they are"
    return pixels[..., :-1], alpha > 0, f"transparent pixels are missing{partly}"


def _floats(pixels: Array, valid: NDArray[np.bool_] | None) -> tuple[Array, NDArray[np.bool_] | None, ValueRange, str]:
    """float32 pixels with NaN and infinities missing; nothing declares their range, so it is what they span."""
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    finite = np.asarray(np.isfinite(pixels.reshape(*pixels.shape[:2], -1)).all(axis=2))
    if not finite.all():
        valid = finite if valid is None else finite & valid
        pixels = np.where(finite if pixels.ndim == 2 else finite[..., None], pixels, np.float32(0))
    return pixels, valid, extremes(pixels[finite]), "extremes of the page"


def _decoded(path: str, data: bytes, flags: int) -> Array:
    """What OpenCV makes of a picture; ReadError where it gives up."""
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.STS_NO_MEM:
            raise MemoryError from None
        found = None
    if found is None:
        raise ReadError(path, "cannot be decoded; it is truncated or damaged")
    return np.asarray(found)


def _jpeg(source: Source) -> Picture:
    stream = jpeg_stream(source.data)
    if stream is None:
        raise ReadError(source.path, "is a JPEG without a picture in it; it is truncated or damaged")
    check(source.path, "pixels", stream.rows * stream.columns, "pixels")
    check_jpeg(source.path, source.data, stream)
    if stream.lossless or stream.process == JPEG_LS or stream.precision != 8:
        raise ReadError(source.path, "is a lossless or 12-bit JPEG or JPEG-LS, which are read inside DICOM files only")
    if stream.components == 4:  # CMYK, whose colours OpenCV makes
        decode_jpeg(source.path, source.data, "CMYK")
        return Picture(_decoded(source.path, source.data, cv2.IMREAD_COLOR_RGB))
    pixels = decode_jpeg(source.path, source.data, "GRAY" if stream.components == 1 else "RGB")
    return Picture(turned(pixels, orientation(stream.exif)))


def _png(source: Source) -> Picture:
    has_alpha = check_png(source.path, source.data)
    flags = cv2.IMREAD_UNCHANGED if has_alpha else cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    pixels = _to_rgb(_decoded(source.path, picture_only(source.data), flags))
    return Picture(turned(pixels, png_orientation(source.data)))


def _bmp(source: Source) -> Picture:
    pixels, grey = raster_bmp.decode(source.path, source.data)
    return Picture(pixels, header={"channels_in_file": 1 if grey else 3})


def _pnm(source: Source) -> Picture:
    pixels, high = raster_pnm.decode(source.path, source.data)
    return Picture(pixels, high)


def _tiff(source: Source, fragment: str) -> Picture:
    pages = raster_tiff.pages(source)
    page = pages[part_of(source.path, fragment, "page", len(pages))]
    raster_tiff.check_page(source.path, page, len(source.data))
    pixels = raster_tiff.decode(source.path, source.data, page)
    header = {"photometric_in_file": "MONOCHROME1"} if page.white_is_zero else {}
    return Picture(pixels, header=header | ({"frames": len(pages)} if len(pages) > 1 else {}))


def _to_rgb(pixels: Array) -> Array:
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        order = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        return np.asarray(cv2.cvtColor(pixels, order))
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def fragments(source: Source) -> list[str]:
    """[""] for a plain picture, else "page=0", "page=1", ... of a TIFF; previews are not pages."""
    if _kind(source.head) != "tiff":
        return [""]
    count = len(raster_tiff.pages(source))
    return [""] if count == 1 else [f"page={index}" for index in range(count)]


def identity(source: Source) -> Identity:
    """A picture names nobody."""
    return Identity()
