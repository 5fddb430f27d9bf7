"""What a JPEG says beside its pixels, from the segments of the original to those of its copy."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from evenray.images.readers._orientation import orientation
from evenray.images.readers.codestreams import jpeg_segments

from ._blocks import SIDEWAYS, exif, is_sound_profile, without_previews, xmp

__all__ = ["copied"]

_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF, 0xFE
_EXIF, _XMP, _ICC, _MPF = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"MPF\0"
_PHOTOSHOP = b"Photoshop 3.0\0"

Segment = tuple[int, bytes]


def copied(before: bytes, after: bytes) -> list[bytes]:
    """The pieces of the JPEG `after` with the density, APPn and COM segments of `before`, whose Exif orientation the reader applied.

    Left out is what the encoder says itself (APP0 but for the density, Adobe's APP14), what tells of other bytes of the
    file (MPF, and APP11, which is signatures and residual images), previews, and damaged blocks.
    """
    segments = [(marker, before[start:end]) for marker, start, end in jpeg_segments(before)]
    turn = next((orientation(data[6:]) for marker, data in segments if marker == _APP1 and data.startswith(_EXIF)), 1)
    head = 4 + int.from_bytes(after[4:6], "big") if after[2:4] == bytes((0xFF, _APP0)) else 2
    kept = [struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in _kept(segments, turn)]
    return [_with_density(after[:head], segments, turn), *kept, after[head:]]


def _kept(segments: list[Segment], turn: int) -> Iterator[Segment]:
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
        elif marker in (_APP0, _APP11, _APP14) or data.startswith(_MPF):
            kept = None
        if kept is not None and (_APP0 <= marker <= _APP15 or marker == _COM):
            yield marker, kept


def _profile_holds(segments: list[Segment]) -> bool:
    """Whether the pieces of the ICC profile, numbered from 1, are all there, and the profile is sound."""
    pieces = [data for marker, data in segments if marker == _APP2 and data.startswith(_ICC) and len(data) > 14]
    pieces.sort(key=lambda piece: piece[12])
    whole = bool(pieces) and [piece[12] for piece in pieces] == [*range(1, pieces[0][13] + 1)]
    return whole and is_sound_profile(pieces[0][14:])


def _with_density(head: bytes, segments: list[Segment], turn: int) -> bytes:
    """SOI and the JFIF segment of a copy, with the density of the original where that has a sensible one."""
    found = next((data for marker, data in segments if marker == _APP0 and data.startswith(b"JFIF\0")), b"")
    if len(found) < 12 or head[6:11] != b"JFIF\0":
        return head
    unit, x, y = struct.unpack_from(">BHH", found, 7)
    x, y = (y, x) if turn in SIDEWAYS else (x, y)
    return head[:13] + struct.pack(">BHH", unit, x, y) + head[18:] if unit <= 2 and x and y else head
