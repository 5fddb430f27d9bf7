"""The pages of a TIFF or BigTIFF: known and checked before decoding, and decoded where OpenCV reads them wrong."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError

from ._limits import check, inflated
from .directories import Directories

__all__ = ["Page", "check_page", "decode_by_tifffile", "inverted", "is_read_wrong_by_opencv", "pages"]

Array = NDArray[Any]

_DEFLATE = (8, 32946)
_MOST_UNPACKED = {1: 1, 8: 1, 32946: 1, 32773: 64}  # bytes that one byte can become, once inflated
_FLOATS = 3  # of the tag SampleFormat
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK, _YCBCR, _LAB = 0, 1, 2, 5, 6, 8
_PLACES = ((273, 324), (279, 325))  # the tags of the offsets of strips or tiles, and of their sizes
_PLAIN = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)  # samples are what is shown
_NEEDS_CODECS = "is packed in a way that needs imagecodecs; pip install 'evenray[codecs]'"


@dataclass(frozen=True)
class Page:
    """One image of a TIFF: its place in the file, size, samples, and the strips or tiles that hold its data."""

    index: int
    rows: int
    columns: int
    samples: int
    bits: int
    format: int
    photometric: int
    compression: int
    orientation: int
    in_planes: bool
    reduced: bool
    tile_pixels: int
    segment_size: tuple[int, int]
    segments: tuple[tuple[int, int], ...]

    @property
    def white_is_zero(self) -> bool:
        return self.photometric == _WHITE_IS_ZERO

    @property
    def floats(self) -> bool:
        return self.format == _FLOATS


def pages(path: str, data: bytes) -> list[Page]:
    """The pages of full resolution (TIFF 6.0, section 2); ReadError for directories that are broken or a loop."""
    found: list[Page] = []
    try:
        file = Directories(data)
        for entries in file.chain():
            check(path, "frames", len(found) + 1, "pages")
            first = {tag: file.number(entry) for tag, entry in entries.items()}
            offsets, counts = ([n for tag in pair for n in file.numbers(entries.get(tag))] for pair in _PLACES)
            check(path, "header_elements", len(offsets), "strips or tiles")
            found.append(_page(len(found), first, tuple(zip(offsets, counts, strict=False))))
    except (ValueError, struct.error):
        raise ReadError(
            path, "a page directory lies outside the file, or twice in it; it is truncated or damaged"
        ) from None
    if not found:
        raise ReadError(path, "is a TIFF without a page")
    return [page for page in found if not page.reduced] or found


def _page(index: int, first: dict[int, int], segments: tuple[tuple[int, int], ...]) -> Page:
    return Page(
        index=index, rows=first.get(257, 0), columns=first.get(256, 0), samples=first.get(277, 1),
        bits=first.get(258, 1), format=first.get(339, 1), photometric=first.get(262, _BLACK_IS_ZERO),
        compression=first.get(259, 1), orientation=first.get(274, 1),
        in_planes=first.get(284) == 2 and first.get(277, 1) > 1, reduced=bool(first.get(254, 0) & 0b101),
        tile_pixels=first.get(322, 1) * first.get(323, 1),
        segment_size=(first.get(323) or first.get(278) or 2**32, first.get(322) or first.get(256, 0)), segments=segments,
    )  # fmt: skip


def check_page(path: str, page: Page, size: int) -> None:
    """Raise ReadError where a page is empty, too large, of a kind that is not read, or its data is not all in the file."""
    if page.rows < 1 or page.columns < 1:
        raise ReadError(path, f"page {page.index} has {page.rows} rows x {page.columns} columns; the file is damaged")
    if not 1 <= page.samples <= 4:
        raise ReadError(path, f"page {page.index} has {page.samples} samples a pixel; 1 to 4 are read")
    if page.floats and page.bits < 32:
        raise ReadError(
            path, f"page {page.index} has floats of {page.bits} bits, which are not read; save it in 32 bits"
        )
    if page.photometric in (_CMYK, _YCBCR, _LAB) and page.bits > 8:
        raise ReadError(path, f"page {page.index} has CMYK, YCbCr or Lab colours of {page.bits} bits; save it as RGB")
    if page.bits in (2, 4) and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        raise ReadError(path, f"page {page.index} has {page.bits} bits a sample, which are not read; save it in 8 bits")
    if page.bits % 8 and is_read_wrong_by_opencv(page):
        kind = "planes" if page.in_planes else f"{page.samples} samples a pixel"
        raise ReadError(
            path, f"page {page.index} has {kind} of {page.bits} bits, which are not read; save it in 16 bits"
        )
    check(path, "pixels", page.rows * page.columns, "pixels")
    check(path, "pixels", page.tile_pixels, "pixels in a tile")
    end = max((offset + count for offset, count in page.segments), default=0)
    if end > size:
        raise ReadError(path, f"the pixels of page {page.index} end at byte {end:,} of {size:,}; it is truncated")


def is_read_wrong_by_opencv(page: Page) -> bool:
    """Whether OpenCV refuses such pages or, without a word, shows wrong values or memory that is not the file's.

    It reads samples that stand apart (PlanarConfiguration 2) only as 8-bit RGB, no second sample beside grey, and
    multiplies 8-bit colour by its alpha.
    """
    if page.samples == 1 or page.photometric not in _PLAIN:
        return False
    usual = page.format == (_FLOATS if page.bits == 32 else 1) and page.bits in (8, 10, 12, 14, 16, 32)
    return (
        not usual
        or page.samples == 2
        or (page.samples == 4 and page.bits == 8)
        or (page.in_planes and (page.bits > 8 or page.samples != 3))
    )


def decode_by_tifffile(path: str, data: bytes, page: Page) -> Array:
    """A page as (H, W, samples), turned as its orientation says."""
    import tifffile  # late: few files need it

    _check_whole(path, data, page)
    try:
        with tifffile.TiffFile(BytesIO(data)) as file:
            pixels = file.pages[page.index].asarray()
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise ReadError(path, _NEEDS_CODECS) from None
        raise
    pixels = np.moveaxis(pixels, 0, -1) if page.in_planes else pixels
    if pixels.shape != (page.rows, page.columns, page.samples):
        raise ReadError(path, f"page {page.index} decodes to {pixels.shape}; the file is damaged")
    if page.white_is_zero:
        pixels = pixels.copy()
        pixels[..., 0] = inverted(pixels[..., 0], page.bits)
    return np.ascontiguousarray(_turned(pixels, page.orientation))


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


def _check_whole(path: str, data: bytes, page: Page) -> None:
    """ReadError where strips or tiles are missing or end early, which tifffile fills with zeros, or unpack to gigabytes."""
    height, width = (min(*pair) or 1 for pair in zip(page.segment_size, (page.rows, page.columns), strict=True))
    number = -(-page.rows // height) * -(-page.columns // width) * (page.samples if page.in_planes else 1)
    there = [pair for pair in page.segments[:number] if pair[1]]
    if len(there) < number:
        raise ReadError(
            path, f"holds {len(there):,} of {number:,} strips or tiles of page {page.index}; it is truncated"
        )
    size = sum(count for _, count in there)
    if page.compression in _DEFLATE:
        size = 0
        for offset, count in there:
            part = data[offset : offset + count]
            for unpacked in inflated(path, part, zlib.MAX_WBITS, "its deflated pixels are damaged"):
                size += len(unpacked)
                check(path, "pixels", size // (8 * page.samples), "pixels after unpacking")
    needed = page.rows * page.columns * page.samples * page.bits // 8
    if size * _MOST_UNPACKED.get(page.compression, needed) < needed:
        raise ReadError(
            path, f"the pixels of page {page.index} end after {size:,} of {needed:,} bytes; it is truncated"
        )


def _turned(pixels: Array, orientation: int) -> Array:
    """As it is to be shown: orientations 5 to 8 exchange rows and columns, and some begin at other corners."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels
