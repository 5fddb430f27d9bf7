"""PNG, JPEG and JPEG 2000 streams without what they say beside their pixels: texts, Exif, previews, what follows their end.

The compressed pixels keep their bytes. Of orientation, which pixels need to be shown upright, a block of its own stays.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from evenray.images.readers._orientation import ORIENTATION, orientation
from evenray.images.readers.raster_png import chunks, png_orientation

__all__ = ["UnsoundStream", "bare_jpeg", "bare_png", "begins", "blanked"]

SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
APPS = range(0xE0, 0xF0)
KEPT = {0xE0: b"JFIF\0", 0xE8: b"mrfx", 0xEE: b"Adobe"}  # what decoders need: colours, and how JPEG-LS transformed them
LONGEST = {0xE0: 14, 0xE8: 5, 0xEE: 12}  # bytes of these, so that no preview and no text follows
PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
J2K, SOT, SOD, J2K_COM = b"\xff\x4f\xff\x51", 0x90, 0x93, 0x64

Piece = tuple[int, int, int]  # marker, where it begins, where its segment ends


class UnsoundStream(ValueError):
    """A stream whose segments cannot be told apart, so that nobody knows what is in it."""


def bare_png(data: bytes) -> bytes:
    """A sound PNG with its picture and transparency alone."""
    pieces = [data[at:end] for kind, at, end in chunks(data) if kind in PICTURE]
    turn = png_orientation(data)
    if turn != 1:
        block = b"eXIf" + _turned(turn)
        pieces.insert(1, struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block)))
    return data[:8] + b"".join(pieces)


def bare_jpeg(data: bytes) -> bytes:
    """A sound JPEG without Exif, comments, profiles and previews, up to its end."""
    pieces, turn = [b"\xff\xd8"], 1
    for marker, at, end in _segments(data):
        body = data[at + 4 : end]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            turn = orientation(body[6:])
        if not _tells(marker, body):
            pieces.append(data[at:end])
    if turn != 1:
        block = b"Exif\0\0" + _turned(turn)
        pieces.insert(1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    return b"".join(pieces)


def begins(data: bytes) -> bool:
    """Whether bytes are the first of a stream that can be followed: JPEG, JPEG-LS or JPEG 2000."""
    return data.startswith((b"\xff\xd8\xff", J2K))


def blanked(data: bytes) -> bytes:
    """One compressed frame of DICOM, as long as it was, with zeros where its stream says anything beside its pixels.

    Raises UnsoundStream where it is of another kind, or cannot be followed to its end.
    """
    if not begins(data):
        raise UnsoundStream
    found = bytearray(data)
    if data.startswith(J2K):
        for at, end in _comments(data):
            found[at:end] = bytes(end - at)
    else:
        last = len(data)
        for marker, at, end in _segments(data):
            last = end
            if _tells(marker, data[at + 4 : end]):
                found[at + 4 : end] = bytes(end - at - 4)
        found[last:] = bytes(len(found) - last)
    return bytes(found)


def _tells(marker: int, body: bytes) -> bool:
    """Whether a segment says what decoders do not need."""
    needed = marker in KEPT and body.startswith(KEPT[marker]) and len(body) <= LONGEST[marker]
    return (marker in APPS or marker == COM) and not needed


def _segments(data: bytes) -> Iterator[Piece]:
    """The segments of a JPEG or JPEG-LS stream up to its end, each scan with the data behind it (ITU-T T.81, annex B)."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            raise UnsoundStream
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == EOI:
            yield marker, at, at + 2
            return
        if marker in range(0xD0, 0xD9) or marker < 0xC0:
            raise UnsoundStream
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data):
            raise UnsoundStream
        if marker == SOS:
            end = _scan_end(data, end)
        yield marker, at, end
        at = end
    raise UnsoundStream


def _scan_end(data: bytes, at: int) -> int:
    """Where the next marker begins: within a scan 0xFF is followed by less than 0x80 (T.81, F.1.2.3; T.87, A.1) or a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise UnsoundStream
        if data[at + 1] >= 0x80 and data[at + 1] not in range(0xD0, 0xD8) and data[at + 1] != 0xFF:
            return at
        at += 1


def _comments(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the texts of comments lie in the headers of a JPEG 2000 codestream and of its tile-parts, and what follows its end
    (ISO/IEC 15444-1, annex A)."""
    at, part_end = 2, 0
    while at + 2 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise UnsoundStream
        if marker == EOI:
            yield at + 2, len(data)
            return
        if marker == SOD:
            at = part_end if part_end > at else len(data)
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data):
            raise UnsoundStream
        if marker == SOT:
            length = int.from_bytes(data[at + 6 : at + 10], "big")
            part_end = at + length if length else len(data)
        elif marker == J2K_COM:
            yield at + 6, end
        at = end
    if part_end < len(data):  # a stream that stops where its last part does, as some encoders leave it
        raise UnsoundStream


def _turned(turn: int) -> bytes:
    """A TIFF header with the orientation and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, turn, 0, 0)
