"""Exif, XMP, ICC and Photoshop's blocks of a picture whose pixels are new: it stands upright, and has no older preview."""

from __future__ import annotations

import re
import struct

from evenray.images.readers._orientation import ORIENTATION
from evenray.images.readers.directories import BYTES, Directories, Entry

__all__ = [
    "DAMAGED",
    "EXCHANGED",
    "ICC_HEADER",
    "SIDEWAYS",
    "exif",
    "is_sound_profile",
    "without_previews",
    "xmp",
]

DAMAGED = (struct.error, ValueError, IndexError, OverflowError)  # what reading a damaged block ends in
EXIF_DIRECTORY = 34665
SIDEWAYS = (5, 6, 7, 8)  # orientations that exchange rows and columns
EXCHANGED = ((256, 257), (282, 283), (0xA002, 0xA003), (0xA20E, 0xA20F))  # pairs of tags, along columns and along rows
ICC_HEADER = 128  # bytes
_PREVIEWS = (1033, 1036)  # Photoshop's small pictures of what the pixels were


def exif(block: bytes, turn: int) -> bytes | None:
    """An Exif block as it was, but for the preview in IFD1, whose link is cut, and what `turn` has changed: the
    orientation, and what it says along rows and along columns. None where the block is damaged.

    All is changed in place, as maker notes count bytes from the block's start.
    """
    try:
        data = bytearray(block)
        found = Directories(data)
        entries, link = found.entries(found.first, whole=True)
        data[link : link + 4] = bytes(len(data[link : link + 4]))
        if turn != 1 and ORIENTATION in entries:
            at, size = entries[ORIENTATION].at, BYTES[entries[ORIENTATION].kind]
            data[at : at + size] = (1).to_bytes(size, "little" if found.order == "<" else "big")
        inner = found.number(entries.get(EXIF_DIRECTORY))
        groups = [entries, *([found.entries(inner, whole=True)[0]] if inner else [])]
    except DAMAGED:
        return None
    for group in groups if turn in SIDEWAYS else ():
        for one, other in EXCHANGED:
            if one in group and other in group:
                _exchange(data, group[one], group[other])
    return bytes(data)


def _exchange(data: bytearray, one: Entry, other: Entry) -> None:
    """Two entries exchange all but their tags."""
    a, b = slice(one.place + 2, one.place + 12), slice(other.place + 2, other.place + 12)
    data[a], data[b] = data[b], data[a]


def xmp(packet: bytes, turn: int) -> bytes:
    """An XMP packet whose tiff:Orientation no longer turns what `turn` has turned.

    >>> xmp(b'<x tiff:Orientation="6"/>', 6), xmp(b'<x tiff:Orientation="6"/>', 1)
    (b'<x tiff:Orientation="1"/>', b'<x tiff:Orientation="6"/>')
    """
    return packet if turn == 1 else re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8]", rb"\g<1>1", packet)


def is_sound_profile(profile: bytes) -> bool:
    """Whether an ICC profile, or its start, is sound (ICC.1, 7.2) and of grey or RGB, as copies are; CMYK ones become RGB.

    >>> is_sound_profile(bytes(16) + b"GRAY" + bytes(16) + b"acsp" + bytes(88)), is_sound_profile(b"a profile")
    (True, False)
    """
    return len(profile) >= ICC_HEADER and profile[36:40] == b"acsp" and profile[16:20] in (b"GRAY", b"RGB ")


def without_previews(resources: bytes) -> bytes | None:
    """Photoshop's image resources (IPTC captions, resolution, paths) but for previews; None where they are damaged.

    >>> one = b"8BIM" + bytes([4, 4, 0, 0, 0, 0, 0, 2]) + b"me"
    >>> preview = b"8BIM" + bytes([4, 12, 0, 0, 0, 0, 0, 3]) + b"abc" + b"\\0"
    >>> without_previews(one + preview) == one, without_previews(one[:-1])
    (True, None)
    """
    at, kept = 0, b""
    while resources[at : at + 4] == b"8BIM" and at + 7 <= len(resources):
        size_at = at + 6 + (resources[at + 6] // 2 + 1) * 2  # a name with its length before it, padded to even
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        if size_at + 4 + size > len(resources):
            return None
        end = size_at + 4 + size + size % 2
        if int.from_bytes(resources[at + 4 : at + 6], "big") not in _PREVIEWS:
            kept += resources[at:end]
        at = end
    return None if resources[at:].strip(b"\0") else kept
