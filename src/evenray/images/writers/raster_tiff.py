"""TIFF copies: every page packed as its original was, in one file with the tags that say more than pixels."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Image
from evenray.images.readers import raster_tiff as reader
from evenray.images.readers._source import Source
from evenray.images.readers.directories import UNDEFINED, Directories, Entry, Tags, Value, packed
from evenray.images.readers.tiff_page import Page

from ._blocks import DAMAGED, EXCHANGED, SIDEWAYS, is_sound_profile, without_previews

__all__ = ["copied"]

Array = NDArray[Any]

_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_COMPRESSION, _DESCRIPTION, _OFFSETS, _COUNTS, _UNIT, _PREDICTOR = 259, 270, 273, 279, 296, 317
_EXTRA_SAMPLES, _XMP, _IPTC, _PHOTOSHOP, _ICC, _INTEROPERABILITY = 338, 700, 33723, 34377, 34675, 40965
_IMAGEJ_COUNTS, _IMAGEJ = 50838, 50839
_RESOLUTIONS = (282, 283)
_INNER = (34665, 34853)  # Exif and GPS, directories of their own
_TEXTS = (269, _DESCRIPTION, 271, 272, 285, 305, 306, 315, 316, 33432)  # DocumentName to Copyright
_PLACES = (286, 287, 33550, 33922, 34264, 34735, 34736, 34737)  # XPosition, YPosition, GeoTIFF
_COLOURS = (318, 319)  # WhitePoint, PrimaryChromaticities
_KEPT = {*_TEXTS, *_PLACES, *_COLOURS, *_RESOLUTIONS, _UNIT, _XMP, _IPTC, _PHOTOSHOP, _ICC, _IMAGEJ}
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 8, 32946, 32773
_LOSSLESS = (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS)
_LARGEST = 2**32 - 2**24  # bytes of strips, so that directories fit behind them


def copied(source: Path, before: bytes, images: Sequence[Image]) -> list[bytes]:
    """The pieces of a TIFF of these pages: uncompressed, LZW, deflate or PackBits as each was, LZW where it was otherwise.

    Every page keeps its samples, their type and what is missing. Resolution, ICC profile, descriptions and other texts,
    XMP, IPTC, Exif, GPS and places stay, all but the orientation, which the reader has applied. Strips stand page after
    page, as ImageJ wants those of a stack. A page whose black is white (MINISWHITE) becomes one whose black is black.
    What is damaged is left out.
    """
    pages, file = reader.pages(Source.of(source)), Directories(before)
    strips, at = list[bytes](), 8
    made: list[Tags] = []
    for image, page in zip(images, pages, strict=True):
        entries, _ = file.entries(page.at)
        pixels = _as_stored(image, reader.decode(str(source), before, page), page)
        own, parts = _encoded(pixels, page, file.number(entries.get(_PREDICTOR), 1))
        places = np.cumsum([at, *map(len, parts)])
        at = int(places[-1])
        if at > _LARGEST:
            raise DataError("A copy of this TIFF needs more than the 4 GB that a TIFF can hold; split it before.")
        own[_OFFSETS] = _LONG, places[:-1].astype("<u4").tobytes()
        strips += parts
        kept = _kept(file, entries, page.orientation in SIDEWAYS, len(pages))
        if pixels.shape[2:] in ((2,), (4,)) and (extra := file.number(entries.get(_EXTRA_SAMPLES))) in (1, 2):
            kept[_EXTRA_SAMPLES] = _SHORT, struct.pack("<H", extra)
        made.append({**own, **kept})
    return [*_assembled(strips, at, made)]


def _as_stored(image: Image, stored: Array, page: Page) -> Array:
    """New pixels with the samples of the file, in its own type, and what is missing as it was."""
    samples = 1 if stored.ndim == 2 else stored.shape[2]
    pixels, valid = image.pixels, image.valid
    if samples >= 3 and image.channels == 1:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    elif samples < 3 and image.channels == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if stored.dtype.kind in "ui" and pixels.dtype != stored.dtype:
        info = np.iinfo(stored.dtype)
        pixels = np.rint(pixels.astype(np.float64)).clip(info.min, info.max)
    pixels = pixels.astype(stored.dtype)
    alpha = stored[..., -1:] if samples in (2, 4) else stored[..., :0] if samples == 3 else None
    if valid is not None:
        there = valid if pixels.ndim == 2 else valid[..., None]
        pixels = np.where(
            there, pixels, stored[..., :3] if samples >= 3 else stored[..., 0] if samples == 2 else stored
        )
    if alpha is None:
        return np.ascontiguousarray(pixels)
    return np.dstack([pixels, alpha])


def _encoded(pixels: Array, page: Page, predictor: int) -> tuple[Tags, list[bytes]]:
    """The tags that describe the pixels of a page, and its strips."""
    file = Directories(_file(pixels, page.compression if page.compression in _LOSSLESS else _LZW, page, predictor))
    entries, _ = file.entries(file.first)
    tags: Tags = {tag: file.value(entry) for tag, entry in entries.items()}
    offsets, counts = (file.numbers(entries[tag]) for tag in (_OFFSETS, _COUNTS))
    tags[_COUNTS] = _LONG, np.array(counts, "<u4").tobytes()
    return tags, [bytes(file.data[at : at + size]) for at, size in zip(offsets, counts, strict=True)]


def _file(pixels: Array, compression: int, page: Page, predictor: int) -> bytes:
    """A little-endian TIFF of one page: by OpenCV, or by tifffile where OpenCV writes other numbers, or none."""
    if pixels.itemsize == 8 or pixels.shape[2:] == (2,):
        import tifffile

        out = BytesIO()
        tifffile.imwrite(
            out, pixels, byteorder="<", photometric="rgb" if pixels.shape[2:] in ((3,), (4,)) else "minisblack",
            planarconfig="contig" if pixels.ndim == 3 else None, metadata=None, software=False,
            extrasamples=["unassalpha"] if pixels.shape[2:] in ((2,), (4,)) else None,
            compression="zlib" if compression in (_DEFLATE, _OLD_DEFLATE) else None,
        )  # fmt: skip
        return out.getvalue()
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
    known = (1, 2, 3) if pixels.dtype.kind == "f" else (1, 2)
    if compression == page.compression and predictor in known:
        options += [cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return bytes(cv2.imencode(".tiff", np.ascontiguousarray(pixels), options)[1].data)


def _kept(file: Directories, entries: dict[int, Entry], sideways: bool, pages: int) -> Tags:
    """The tags that hold for other pixels too, in a copy of so many pages."""
    tags = {tag: file.value(entry) for tag, entry in entries.items() if tag in _KEPT and entry.kind < 13}
    if _IPTC in tags:  # bytes, though many writers call them LONG; only their order in the file counts
        tags[_IPTC] = UNDEFINED, bytes(file.data[entries[_IPTC].at :][: entries[_IPTC].size])
    if sideways:
        _exchange(tags)
    kept: Tags = {tag: value for tag, before in tags.items() if (value := _updated(tag, *before, pages)) is not None}
    if _IMAGEJ in tags:
        del kept[_IMAGEJ]
        counts = file.numbers(entries.get(_IMAGEJ_COUNTS))
        if (data := _imagej(tags[_IMAGEJ][1], counts, swap=file.order == ">")) is not None:
            kept[_IMAGEJ] = tags[_IMAGEJ][0], data
            kept[_IMAGEJ_COUNTS] = _LONG, np.array(counts, "<u4").tobytes()
    for tag in _INNER:
        if inner := _inner(file, file.number(entries.get(tag)), sideways):
            kept[tag] = inner
    return kept


def _exchange(tags: dict[int, Value]) -> None:
    for one, other in EXCHANGED:
        if one in tags and other in tags:
            tags[one], tags[other] = tags[other], tags[one]


def _updated(tag: int, kind: int, data: bytes, pages: int) -> Value | None:
    """A tag as it is now; None where it is damaged or absurd."""
    sound = True
    if tag in _RESOLUTIONS:
        sound = kind == _RATIONAL and len(data) == 8 and all(struct.unpack("<II", data))
    elif tag == _UNIT:
        sound = int.from_bytes(data, "little") in (1, 2, 3)
    elif tag in _TEXTS:
        sound = kind in (_ASCII, 1)
        data = _described(data, pages) if tag == _DESCRIPTION else data
    elif tag == _ICC:
        sound = is_sound_profile(data)
    elif tag == _PHOTOSHOP:
        data = without_previews(data) or b""
    return (kind, data) if sound and data else None


def _inner(file: Directories, at: int, sideways: bool) -> dict[int, Value]:
    """The tags of a directory within one, none where it is damaged."""
    try:
        entries = file.entries(at)[0] if at else {}
    except DAMAGED:
        return {}
    tags = {tag: file.value(entry) for tag, entry in entries.items() if entry.kind < 13 and tag != _INTEROPERABILITY}
    if sideways:
        _exchange(tags)
    return tags


def _described(text: bytes, pages: int) -> bytes:
    """An ImageDescription that counts no other number of images than the copy has: ImageJ looks for them where a stack
    would have them, whatever the directories say.

    >>> _described(b"ImageJ=1.54\\nimages=9\\nslices=9\\nunit=mm\\nspacing=2.5\\n", 1)
    b'ImageJ=1.54\\nunit=mm\\nspacing=2.5\\n'
    """
    said = re.search(rb"^images=(\d+)", text, re.MULTILINE)
    if not text.startswith(b"ImageJ=") or said is None or int(said[1]) == pages:
        return text
    return re.sub(rb"^(images|channels|slices|frames|hyperstack)=.*\r?\n", b"", text, flags=re.MULTILINE)


def _imagej(data: bytes, counts: list[int], swap: bool) -> bytes | None:
    """ImageJ's labels, ranges and overlays as a little-endian file has them; None where they are damaged.

    >>> _imagej(b"IJIJ" + b"labl" + bytes([0, 0, 0, 1]) + "a1".encode("utf-16-be"), [12, 4], swap=True)
    b'JIJIlbal\\x01\\x00\\x00\\x00a\\x001\\x00'
    """
    if sum(counts) != len(data) or not counts or counts[0] % 8 != 4 or data[:4] != (b"IJIJ" if swap else b"JIJI"):
        return None
    if not swap:
        return data
    header, place = data[: counts[0]], 1
    parts = [np.frombuffer(header, ">u4").astype("<u4").tobytes()]
    edges = np.cumsum(counts)
    for entry in range(4, len(header), 8):
        size = {b"info": 2, b"labl": 2, b"prop": 2, b"rang": 8}.get(header[entry : entry + 4], 1)  # bytes of a number
        for _ in range(min(int.from_bytes(header[entry + 4 : entry + 8], "big"), len(counts) - place)):
            part = data[edges[place - 1] : edges[place]]
            size = 1 if len(part) % size else size
            parts.append(np.frombuffer(part, f">u{size}").astype(f"<u{size}").tobytes())
            place += 1
    return b"".join(parts) if place == len(counts) else None


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
