"""What a single file may ask for: limits against decompression bombs and endless headers. Errors name the limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from evenray.core.budget import allow
from evenray.core.errors import ReadError

__all__ = ["LIMITS", "Limits", "check", "inflated"]


@dataclass(frozen=True)
class Limits:
    """The largest values that a reader accepts; the field's name stands in the error.

    >>> LIMITS.pixels
    67108864
    """

    file_bytes: int = 2 * 1024**3
    pixels: int = 2**26  # of one frame, page or slice: 67 megapixels, twice the largest mammogram
    frames: int = 16_384
    array_bytes: int = 4 * 1024**3  # of one unpacked array: a NIfTI volume, a part of an .npz
    header_elements: int = 150_000  # of a DICOM file; chunks of a PNG, members of an archive
    tags: int = 2**19  # of a TIFF, in all its directories; also strips and tiles
    sequence_items: int = 50_000  # of a DICOM file, in all its sequences together
    sequence_depth: int = 32
    text_values: int = 2**22  # of a picture written in digits
    scan_pixels: int = 2**30  # pixels times scans of a JPEG, which is decoded once a scan
    precincts: int = 2**20  # of a JPEG 2000 frame; and packets, which are those of all layers
    packets: int = 2**23


LIMITS = Limits()
_MEMORY = {"file_bytes": 2, "pixels": 12, "array_bytes": 3}  # bytes that reading takes for one of each, at the most


def check(path: object, name: str, value: int, what: str) -> None:
    """Raise ReadError when `value` is over the limit `name`; `what` says what was counted.

    >>> check("a.png", "pixels", 2**40, "pixels")
    Traceback (most recent call last):
    ...
    evenray.core.errors.ReadError: a.png: 1,099,511,627,776 pixels are more than the limit 'pixels' allows (67,108,864)
    """
    limit: int = getattr(LIMITS, name)
    if value > limit:
        raise ReadError(path, f"{value:,} {what} are more than the limit '{name}' allows ({limit:,})")
    if name in _MEMORY:
        allow(name, value * _MEMORY[name])


def inflated(path: object, data: bytes, wbits: int, broken: str) -> Iterator[bytes]:
    """Deflated bytes in pieces of 16 MB at the most, so that limits can be checked: a few kilobytes can hold gigabytes.

    `wbits` is as zlib has it. ReadError of the reason `broken` for what is damaged; its end may be missing, which the
    last piece, b"", tells by not coming.
    """
    unpacker = zlib.decompressobj(wbits)
    for start in range(0, len(data), 2**20):
        part = data[start : start + 2**20]
        while part and not unpacker.eof:
            try:
                yield unpacker.decompress(part, 2**24)
            except zlib.error:
                raise ReadError(path, broken) from None
            part = unpacker.unconsumed_tail
    if unpacker.eof:
        yield b""
