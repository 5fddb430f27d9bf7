"""What a JPEG says beside its pixels, from the segments of the original to those of its copy."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from . import _icc
from ._exif import SIDEWAYS, Turn, exif, orientation, xmp
from ._photoshop import without_previews

__all__ = ["copied", "opening"]

_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _APP15, _COM, _SOS = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF, 0xFE, 0xDA
_EXIF, _XMP, _ICC, _MPF = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"MPF\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_OPENING_BYTES = 2**16  # all that stands before the pixels of most


def opening(path: Path) -> bytes:
    """A JPEG up to its pixels at least."""
    with path.open("rb", buffering=0) as file:
        start = file.read(_OPENING_BYTES)
        return start if any(marker == _SOS for marker, _ in _segments(start)) else start + file.read()


def copied(before: bytes, after: bytes) -> list[bytes | memoryview]:
    """The pieces of the JPEG `after` with the density, APPn and COM segments of `before`, whose Exif orientation the reader applied.

    Left out is what the encoder says itself (APP0 but for the density, Adobe's APP14), what tells of other bytes of the
    file (MPF, and APP11, which is signatures and residual images), previews, and damaged blocks.
    """
    segments = list(_segments(before))
    turn = next((orientation(data[6:]) for marker, data in segments if marker == _APP1 and data.startswith(_EXIF)), 1)
    kept = [_packed(marker, data) for marker, data in _kept(segments, turn)]
    head = 2
    if after[2:4] == bytes((0xFF, _APP0)):
        head = 4 + int.from_bytes(after[4:6], "big")
    return [_with_density(after[:head], segments, turn), *kept, memoryview(after)[head:]]


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers and payloads up to the header of the first scan, as far as they are sound."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a byte that fills
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 or end > len(data):
            return
        yield marker, data[at + 4 : end]
        if marker == _SOS:
            return
        at = end


def _packed(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _kept(segments: list[tuple[int, bytes]], turn: Turn) -> Iterator[tuple[int, bytes]]:
    profile, exif_seen = _profile_holds(segments), False
    for marker, data in segments:
        kept: bytes | None = data
        if marker == _APP1 and data.startswith(_EXIF):
            block = None if exif_seen else exif(data[6:], turn)
            kept, exif_seen = None if block is None else _EXIF + block, True
        elif marker == _APP1 and data.startswith(_XMP):
            kept = xmp(data, turn)
        elif marker == _APP2 and data.startswith(_ICC):
            kept = data if profile else None
        elif marker == _APP13 and data.startswith(_PHOTOSHOP):
            resources = without_previews(data[len(_PHOTOSHOP) :])
            kept = None if resources is None else _PHOTOSHOP + resources
        elif marker in (_APP0, _APP11, _APP14) or (marker == _APP2 and data.startswith(_MPF)):
            kept = None
        if kept is not None and (_APP0 <= marker <= _APP15 or marker == _COM):
            yield marker, kept


def _profile_holds(segments: list[tuple[int, bytes]]) -> bool:
    """Whether the pieces of the ICC profile, numbered from 1, are all there."""
    pieces = [data for marker, data in segments if marker == _APP2 and data.startswith(_ICC) and len(data) > 14]
    numbers = sorted(piece[12] for piece in pieces)
    if not pieces or numbers != list(range(1, pieces[0][13] + 1)):
        return False
    return _icc.holds(next(piece for piece in pieces if piece[12] == 1)[14:])


def _with_density(head: bytes, segments: list[tuple[int, bytes]], turn: Turn) -> bytes:
    """SOI and the JFIF segment of a copy, with the density of the original where that has a sensible one."""
    found = next((data for marker, data in segments if marker == _APP0 and data.startswith(b"JFIF\0")), b"")
    if len(found) < 12 or head[6:11] != b"JFIF\0":
        return head
    unit, x, y = struct.unpack_from(">BHH", found, 7)
    if unit > 2 or not x or not y:
        return head
    x, y = (y, x) if turn in SIDEWAYS else (x, y)
    return head[:13] + struct.pack(">BHH", unit, x, y) + head[18:]
