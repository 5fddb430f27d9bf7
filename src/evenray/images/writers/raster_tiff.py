"""TIFF copies: every page packed as its original was, in one file with the tags that say more than pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError

from . import _icc, _imagej
from ._directories import ASCII, BYTES, LONG, RATIONAL, SHORT, UNDEFINED, Directories, Entry, Tags, Value, packed
from ._exif import DAMAGED, EXCHANGED, ORIENTATION, SIDEWAYS, Turn
from ._photoshop import without_previews

__all__ = ["copied", "indices"]

Array = NDArray[Any]
Encode = Callable[[Array, list[int]], bytes]

_SUBFILE, _COMPRESSION, _DESCRIPTION, _OFFSETS, _COUNTS, _UNIT, _PREDICTOR = 254, 259, 270, 273, 279, 296, 317
_PHOTOMETRIC, _SAMPLES, _EXTRA_SAMPLES, _XMP, _IPTC, _PHOTOSHOP, _ICC = 262, 277, 338, 700, 33723, 34377, 34675
_CMYK = 5
_RESOLUTIONS = (282, 283)
_INNER = (34665, 34853)  # Exif and GPS, directories of their own
_TEXTS = (269, _DESCRIPTION, 271, 272, 285, 305, 306, 315, 316, 33432)  # DocumentName to Copyright
_PLACES = (286, 287, 33550, 33922, 34264, 34735, 34736, 34737)  # XPosition, YPosition, GeoTIFF
_LIGHT = (318, 319)  # WhitePoint, PrimaryChromaticities
_KEPT = {*_TEXTS, *_PLACES, *_LIGHT, *_RESOLUTIONS, _UNIT, _XMP, _IPTC, _PHOTOSHOP, _ICC, _imagej.METADATA}
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 8, 32946, 32773
_LOSSLESS = (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS)
_LARGEST = 2**32 - 2**24  # bytes of strips, so that directories fit behind them
_MOST_PAGES = 16_384  # as the reader allows


def copied(before: bytes, pages: Sequence[Array], encode: Encode) -> list[bytes]:
    """The pieces of a TIFF of these pages: uncompressed, LZW, deflate or PackBits as each was, LZW where it was otherwise.

    64-bit floats that were packed otherwise than by deflate are not packed, as OpenCV cannot.

    Resolution, ICC profile, descriptions and other texts, XMP, IPTC, Exif, GPS and places stay, all but the
    orientation, which the reader has applied. Strips stand page after page, as ImageJ wants those of a stack. A page
    whose black is white (MINISWHITE) becomes one whose black is black. What is damaged is left out.
    """
    originals = _originals(before)
    found = originals if len(originals) == len(pages) else [None] * len(pages)
    strips: list[bytes] = []
    directories: list[Tags] = []
    at = 8
    for pixels, original in zip(pages, found, strict=True):
        own, parts = _encoded(pixels, original, encode)
        places = np.cumsum([at, *map(len, parts)])
        at = int(places[-1])
        if at > _LARGEST:
            raise DataError("A copy of this TIFF needs more than the 4 GB that a TIFF can hold; split it before.")
        own[_OFFSETS] = LONG, places[:-1].astype("<u4").tobytes()
        strips += parts
        directories.append({**(original.kept(len(pages)) if original else {}), **own})
    return [*_assembled(strips, at, directories)]


def indices(data: bytes) -> list[int]:
    """How many directories stand before that of each page of full resolution."""
    return [original.index for original in _originals(data)]


class _Original:
    """A page of the original: its tags, and how many directories stand before its own."""

    def __init__(self, file: Directories, entries: dict[int, Entry], index: int) -> None:
        self.file, self.entries, self.index = file, entries, index

    def number(self, tag: int, default: int = 0) -> int:
        return self.file.number(self.entries.get(tag), default)

    @property
    def turn(self) -> Turn:
        said = self.number(ORIENTATION, 1)
        return said if 1 <= said <= 8 else 1

    def kept(self, pages: int) -> Tags:
        """The tags that hold for other pixels too, in a copy of so many pages."""
        tags = {tag: self.file.value(entry) for tag, entry in self.entries.items() if tag in _KEPT and entry.kind < 13}
        self._exchange(tags)
        still = {tag: value for tag, before in tags.items() if (value := self._still(tag, before, pages)) is not None}
        if _imagej.METADATA in still:
            still[_imagej.BYTE_COUNTS] = self.file.value(self.entries[_imagej.BYTE_COUNTS])
        if self.number(_SAMPLES) == 4 and _EXTRA_SAMPLES in self.entries and self.number(_EXTRA_SAMPLES) in (1, 2):
            still[_EXTRA_SAMPLES] = SHORT, struct.pack("<H", self.number(_EXTRA_SAMPLES))
        inner = {tag: self._inner(self.number(tag)) for tag in _INNER if tag in self.entries}
        return {**still, **{tag: tags for tag, tags in inner.items() if tags}}

    def _exchange(self, tags: dict[int, Value]) -> None:
        for one, other in EXCHANGED if self.turn in SIDEWAYS else ():
            if one in tags and other in tags:
                tags[one], tags[other] = tags[other], tags[one]

    def _still(self, tag: int, value: Value, pages: int) -> Value | None:
        """A tag as it is now; None where it is damaged or absurd."""
        kind, data = value
        if tag in _RESOLUTIONS:
            return value if kind == RATIONAL and len(data) == 8 and all(struct.unpack("<II", data)) else None
        if tag == _UNIT:
            return value if self.number(tag) in (1, 2, 3) else None
        if tag == _DESCRIPTION:
            return kind, _imagej.description(data, pages)
        if tag in _TEXTS:
            return value if kind in (ASCII, 1) else None
        if tag == _IPTC:  # bytes, though many writers call them LONG; only their order in the file counts
            entry = self.entries[tag]
            return UNDEFINED, bytes(self.file.data[entry.at : entry.at + entry.size])
        if tag == _PHOTOSHOP:
            resources = without_previews(data)
            return (kind, resources) if resources else None
        if tag == _ICC:
            return value if _icc.holds(data) else None
        if tag == _imagej.METADATA:
            return self._metadata(kind, data)
        return value

    def _metadata(self, kind: int, data: bytes) -> Value | None:
        entry = self.entries.get(_imagej.BYTE_COUNTS)
        if entry is None or entry.kind != LONG:
            return None
        counts = [int(count) for count in np.frombuffer(self.file.value(entry)[1], "<u4")]
        turned = data if self.file.order == "<" else _imagej.metadata(data, counts)
        return None if turned is None else (kind, turned)

    def _inner(self, at: int) -> dict[int, Value]:
        try:
            entries, _ = self.file.entries(at)
        except DAMAGED:
            return {}
        tags = {tag: self.file.value(entry) for tag, entry in entries.items() if entry.kind < 13 and tag != 40965}
        self._exchange(tags)
        return tags


def _originals(data: bytes) -> list[_Original]:
    """The pages of full resolution, as the reader counts them; none where the directories are damaged."""
    found: list[_Original] = []
    try:
        file = Directories(data)
        at, seen = file.first, set[int]()
        while at and at not in seen and len(seen) < _MOST_PAGES:
            seen.add(at)
            entries, link = file.entries(at)
            found.append(_Original(file, entries, len(found)))
            at = file.next(link)
    except DAMAGED:
        return []
    return [page for page in found if not page.number(_SUBFILE) & 1] or found


def _encoded(pixels: Array, original: _Original | None, encode: Encode) -> tuple[Tags, list[bytes]]:
    """The tags that describe the pixels of a page, and its strips."""
    if pixels.ndim == 3 and original and original.number(_PHOTOMETRIC) == _CMYK:
        pixels = np.ascontiguousarray(pixels[..., :3])  # the fourth is no alpha
    options = _options(pixels, original)
    file = Directories(encode(pixels, options))
    entries, _ = file.entries(file.first)
    tags: Tags = {tag: file.value(entry) for tag, entry in entries.items()}
    offsets, counts = (
        np.frombuffer(file.value(entries[tag])[1], f"<u{BYTES[entries[tag].kind]}") for tag in (_OFFSETS, _COUNTS)
    )
    strips = [bytes(file.data[int(at) : int(at) + int(size)]) for at, size in zip(offsets, counts, strict=True)]
    wanted, packing = options[1], file.number(entries[_COMPRESSION])
    if packing == _NONE and wanted in (_DEFLATE, _OLD_DEFLATE):  # OpenCV packs no 64-bit floats
        strips = [zlib.compress(strip) for strip in strips]
        tags[_COMPRESSION] = SHORT, struct.pack("<H", wanted)
        tags[_COUNTS] = LONG, np.array([*map(len, strips)], "<u4").tobytes()
    return tags, strips


def _options(pixels: Array, original: _Original | None) -> list[int]:
    compression = original.number(_COMPRESSION, _NONE) if original else _LZW
    compression = compression if compression in _LOSSLESS else _LZW
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
    predictor = original.number(_PREDICTOR, 1) if original and original.number(_COMPRESSION) == compression else 0
    if predictor in ((1, 2, 3) if pixels.dtype.kind == "f" else (1, 2)):
        options += [cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    return options


def _assembled(strips: list[bytes], end: int, directories: list[Tags]) -> Iterator[bytes]:
    """Header, strips (which end at byte `end`), and the directories with what does not fit in them."""
    tail = bytearray(end % 2)  # all that is pointed at begins at an even byte

    def put(data: bytes) -> int:
        tail.extend(data + bytes(len(data) % 2))
        return end + len(tail) - len(data) - len(data) % 2

    first, link = 0, -1
    for tags in directories:
        start = put(packed(tags, put) + bytes(4))
        if link < 0:
            first = start
        else:
            struct.pack_into("<I", tail, link, start)
        link = len(tail) - 4
    yield struct.pack("<2sHI", b"II", 42, first)
    yield from strips
    yield bytes(tail)
