"""Exif and XMP of a picture whose pixels are new: they say that it stands upright, and show no older preview."""

from __future__ import annotations

import re
import struct

from ._directories import BYTES, Directories, Entry

__all__ = ["DAMAGED", "EXCHANGED", "SIDEWAYS", "Turn", "exif", "orientation", "xmp"]

DAMAGED = (struct.error, ValueError, IndexError, OverflowError)  # what reading a damaged block ends in
ORIENTATION, EXIF_DIRECTORY = 274, 34665
SIDEWAYS = (5, 6, 7, 8)  # orientations that exchange rows and columns
EXCHANGED = ((256, 257), (282, 283), (0xA002, 0xA003), (0xA20E, 0xA20F))  # pairs of tags, along columns and along rows

Turn = int  # the Exif orientation that the reader has applied; 1 where it has applied none


def orientation(block: bytes) -> Turn:
    """What an Exif block says of how the stored pixels lie; 1 (upright) where it does not.

    >>> orientation(b"no Exif block")
    1
    """
    try:
        found = Directories(block)
        said = found.number(found.entries(found.first)[0].get(ORIENTATION), 1)
    except DAMAGED:
        return 1
    return said if 1 <= said <= 8 else 1


def exif(block: bytes, turn: Turn) -> bytes | None:
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


def xmp(packet: bytes, turn: Turn) -> bytes:
    """An XMP packet whose tiff:Orientation no longer turns what `turn` has turned.

    >>> xmp(b'<x tiff:Orientation="6"/>', 6), xmp(b'<x tiff:Orientation="6"/>', 1)
    (b'<x tiff:Orientation="1"/>', b'<x tiff:Orientation="6"/>')
    """
    return packet if turn == 1 else re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8]", rb"\g<1>1", packet)
