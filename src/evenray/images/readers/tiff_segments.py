"""The strips or tiles of a TIFF page, unpacked to see that all of it is there and sound: tifffile fills gaps with zeros."""

from __future__ import annotations

import zlib

from evenray.core.errors import ReadError

from ._limits import inflated
from .tiff_page import Page

__all__ = ["check_segments"]

_NONE, _LZW, _PACKBITS, _DEFLATE = 1, 5, 32773, (8, 32946)


def check_segments(path: str, data: bytes, page: Page) -> None:
    """ReadError where strips or tiles are missing, damaged, or do not unpack to the bytes that belong in them."""
    height, width = page.segment_size
    down, across = -(-page.rows // height), -(-page.columns // width)
    number = down * across * (page.samples if page.in_planes else 1)
    there = [pair for pair in page.segments[:number] if pair[1]]
    if len(there) < number:
        raise ReadError(
            path, f"holds {len(there):,} of {number:,} strips or tiles of page {page.index}; it is truncated"
        )
    if page.compression not in (_NONE, _LZW, _PACKBITS, *_DEFLATE):
        return
    samples = 1 if page.in_planes else page.samples
    row = -(-width * samples * page.bits // 8)
    for segment, (offset, count) in enumerate(there):
        rows = height if page.tiled else min(height, page.rows - height * (segment % down))
        size = _unpacked(path, data[offset : offset + count], page.compression, height * row)
        if size < rows * row:
            raise ReadError(
                path,
                f"a strip or tile of page {page.index} holds {size:,} of {rows * row:,} bytes; it is truncated or damaged",
            )


def _unpacked(path: str, part: bytes, compression: int, most: int) -> int:
    """How many bytes a strip or tile unpacks to; ReadError where it is damaged, or unpacks to more than `most`."""
    if compression == _NONE:
        return len(part)
    if compression in _DEFLATE:
        size, whole = 0, False
        for piece in inflated(path, part, zlib.MAX_WBITS, "its deflated pixels are damaged"):
            size, whole = size + len(piece), not piece
            if size > 2 * most + 2**16:
                break
        if not whole:
            raise ReadError(
                path, "its deflated pixels have no end, or unpack to more than a strip; the file is damaged"
            )
        return size
    import imagecodecs

    codec = imagecodecs.lzw_decode if compression == _LZW else imagecodecs.packbits_decode
    try:
        size = len(codec(part, out=2 * most + 2**16))
    except Exception:
        raise ReadError(path, "its packed pixels are damaged") from None
    if compression == _LZW and size > most:  # of what has no checksum, the length tells nearly every change
        raise ReadError(path, "its LZW-packed pixels unpack to more than a strip; the file is damaged")
    return size
