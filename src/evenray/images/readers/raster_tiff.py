"""The pages of a TIFF or BigTIFF: known and checked before decoding, then decoded by tifffile and imagecodecs.

libtiff, by which OpenCV reads, decodes what it can of a damaged strip and leaves the rest of a page as memory was before;
what it has to say of that goes to the terminal (docs/decisions/0014-tifffile-reads-what-opencv-reads-wrong.md).
"""

from __future__ import annotations

import logging
import struct
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError

from ._limits import check
from ._orientation import turned
from ._source import Source
from .codestreams import check_jpeg, jpeg_stream
from .directories import Directories
from .jpeg import decode_jpeg
from .tiff_page import Page
from .tiff_segments import check_segments

__all__ = ["check_page", "decode", "pages"]

Array = NDArray[Any]

logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False  # what it says of damaged files is said by errors

_BLACK_IS_ZERO, _PALETTE, _CMYK, _YCBCR, _LAB = 1, 3, 5, 6, 8
_OLD_JPEG = 6
_JPEG = (_OLD_JPEG, 7, 34892)
_PLACES = ((273, 324), (279, 325))  # the tags of the offsets of strips or tiles, and of their sizes
_TAGS = (254, 256, 257, 258, 259, 262, 274, 277, 278, 284, 322, 323, 339)


def pages(source: Source) -> list[Page]:
    """The pages of full resolution (TIFF 6.0, section 2); ReadError for directories that are broken or a loop."""
    if "pages" not in source.memo:
        source.memo["pages"] = _pages(source.path, source.data)
    found: list[Page] = source.memo["pages"]
    return found


def _pages(path: str, data: bytes) -> list[Page]:
    found: list[Page] = []
    tags = segments = 0
    try:
        file = Directories(data)
        for at, entries in file.chain():
            check(path, "frames", len(found) + 1, "pages")
            tags += len(entries)
            check(path, "tags", tags, "tags")
            first = {tag: file.number(entries.get(tag)) for tag in _TAGS if tag in entries}
            offsets, counts = ([n for tag in pair for n in file.numbers(entries.get(tag))] for pair in _PLACES)
            segments += len(offsets)
            check(path, "tags", segments, "strips or tiles")
            found.append(_page(len(found), at, first, tuple(zip(offsets, counts, strict=False))))
    except (ValueError, struct.error):
        raise ReadError(
            path, "a page directory lies outside the file, or twice in it; it is truncated or damaged"
        ) from None
    if not found:
        raise ReadError(path, "is a TIFF without a page")
    return [page for page in found if not page.reduced] or found


def _page(index: int, at: int, first: dict[int, int], segments: tuple[tuple[int, int], ...]) -> Page:
    tiled = 322 in first
    size = (first.get(323, 0), first[322]) if tiled else (first.get(278) or 2**32 - 1, first.get(256, 0))
    return Page(
        index=index, at=at, rows=first.get(257, 0), columns=first.get(256, 0), samples=first.get(277, 1),
        bits=first.get(258, 1), format=first.get(339, 1), photometric=first.get(262, _BLACK_IS_ZERO),
        compression=first.get(259, 1), orientation=first.get(274, 1),
        in_planes=first.get(284) == 2 and first.get(277, 1) > 1, reduced=bool(first.get(254, 0) & 0b101),
        tiled=tiled, segment_size=size if tiled else (min(size[0], max(first.get(257, 1), 1)), size[1]), segments=segments,
    )  # fmt: skip


def check_page(path: str, page: Page, size: int) -> None:
    """Raise ReadError where a page is empty, too large, of a kind that is not read, or its data is not all in the file."""
    if page.rows < 1 or page.columns < 1:
        raise ReadError(path, f"page {page.index} has {page.rows} rows x {page.columns} columns; the file is damaged")
    if not 1 <= page.samples <= 4:
        raise ReadError(path, f"page {page.index} has {page.samples} samples a pixel; 1 to 4 are read")
    if not 1 <= page.bits <= 64:
        raise ReadError(path, f"page {page.index} has samples of {page.bits} bits; 1 to 64 are read")
    if page.photometric in (_CMYK, _YCBCR, _LAB) and page.bits > 8:
        raise ReadError(path, f"page {page.index} has CMYK, YCbCr or Lab colours of {page.bits} bits; save it as RGB")
    check(path, "pixels", page.rows * page.columns, "pixels")
    if page.tiled:
        height, width = page.segment_size
        if not (height and width):
            raise ReadError(path, f"page {page.index} has tiles of {height} x {width} pixels; the file is damaged")
        check(path, "pixels", height * width, "pixels in a tile")
    end = max((offset + count for offset, count in page.segments), default=0)
    if end > size:
        raise ReadError(path, f"the pixels of page {page.index} end at byte {end:,} of {size:,}; it is truncated")


def decode(path: str, data: bytes, page: Page) -> Array:
    """A page as (H, W) or (H, W, samples) in R, G, B, A, turned as its orientation says, black as the lowest value.

    Samples of fewer than 8 bits fill 8, those of 9 to 15 bits 16, as libtiff has it.
    """
    import tifffile  # late: few files need it

    check_segments(path, data, page)
    try:
        with tifffile.TiffFile(BytesIO(data)) as file:
            file.filehandle.seek(page.at)
            found = tifffile.TiffPage(file, page.index)
            if page.compression in _JPEG:
                _check_jpegs(path, data, page, found.jpegtables or b"")
            pixels = found.asarray()
            colours = found.colormap
    except (ValueError, NotImplementedError, KeyError, RuntimeError, tifffile.TiffFileError) as error:
        if isinstance(error, RuntimeError) and page.compression != _OLD_JPEG:  # of a codec
            raise ReadError(path, f"the packed pixels of page {page.index} are damaged") from None
        kind = {one.value: one.name for one in tifffile.COMPRESSION}.get(page.compression, "unknown")
        packed = f"compression {page.compression} ({kind}) and {page.samples} samples of {page.bits} bits"
        raise ReadError(path, f"page {page.index} has {packed}, which are not read; save it anew") from None
    pixels = np.moveaxis(pixels, 0, -1) if page.in_planes else pixels
    if pixels.shape != (page.rows, page.columns, page.samples)[: 2 if page.samples == 1 else 3]:
        raise ReadError(path, f"page {page.index} decodes to {pixels.shape}; the file is damaged")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return np.ascontiguousarray(turned(_shown(path, pixels, page, colours), page.orientation))


def _shown(path: str, pixels: Array, page: Page, colours: Array | None) -> Array:
    """Samples as grey or RGB, black as the lowest value, filling their bytes."""
    if page.photometric == _PALETTE:
        if colours is None or pixels.ndim != 2 or colours.shape[1] < 2 ** min(page.bits, 16):
            raise ReadError(path, f"page {page.index} is a palette picture without its palette")
        eight = (colours >> 8 if colours.max() > 255 else colours).astype(np.uint8)
        return np.ascontiguousarray(eight.T)[pixels.astype(np.intp)]
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    if page.white_is_zero:
        pixels = pixels.copy()
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        grey[...] = inverted(grey, page.bits)
    if pixels.dtype.kind == "u":
        if page.bits < 8:
            return np.asarray(
                (pixels.astype(np.uint16) * 255 + (2**page.bits - 1) // 2) // (2**page.bits - 1), np.uint8
            )
        if 8 < page.bits < 16:
            return np.asarray(pixels << (16 - page.bits))
    if page.photometric == _CMYK and pixels.ndim == 3 and pixels.shape[2] == 4:
        light = 255 - pixels.astype(np.uint16)
        return np.asarray(light[..., :3] * light[..., 3:] // 255, np.uint8)
    if page.photometric in (_YCBCR, _LAB) and page.compression not in _JPEG:
        import cv2

        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ReadError(path, f"page {page.index} has YCbCr or Lab colours that are not read; save it as RGB")
        if page.photometric == _YCBCR:
            return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels[..., [0, 2, 1]]), cv2.COLOR_YCrCb2RGB))
        lab = pixels.astype(np.float32)
        lab[..., 0] *= 100 / 255
        lab[..., 1:] = pixels[..., 1:].astype(np.int8)
        return np.asarray(np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255).clip(0, 255), np.uint8)
    return pixels


def inverted(grey: Array, bits: int) -> Array:
    """Grey whose zero is white with black as its lowest value: integers within their range, signed ones about -0.5, floats
    within the extremes of the picture, as nothing says where their white is.

    >>> inverted(np.array([0, 255], np.uint8), 8), inverted(np.array([-1, -1021], np.int16), 16)
    (array([255,   0], dtype=uint8), array([   0, 1020], dtype=int16))
    >>> inverted(np.array([0.25, 1.0], np.float32), 32)
    array([1.  , 0.25], dtype=float32)
    """
    if grey.dtype.kind == "f":
        finite = grey[np.isfinite(grey)]
        return np.asarray(finite.min() + finite.max() - grey if finite.size else grey)
    return np.asarray((-1 if grey.dtype.kind == "i" else 2**bits - 1) - grey).astype(grey.dtype)


def _check_jpegs(path: str, data: bytes, page: Page, tables: bytes) -> None:
    """The size of each JPEG by its own header, its scans, and what a decoder warns of; `tables` are those that all share."""
    for offset, count in page.segments:
        part = data[offset : offset + count]
        stream = jpeg_stream(part)
        if stream is not None:
            check(path, "pixels", stream.rows * stream.columns, "pixels in a strip or tile")
            check_jpeg(path, part, stream)
            if stream.precision == 8 and not stream.lossless and stream.components in (1, 3):
                decode_jpeg(path, tables[:-2] + part[2:] if tables else part, "GRAY")
