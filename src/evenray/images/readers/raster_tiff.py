"""The directories of a TIFF or BigTIFF, read to know its pages, their sizes and polarity before decoding."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.errors import ReadError

from ._limits import LIMITS, check

__all__ = ["Page", "check_page", "pages"]

_SUBFILE, _COLUMNS, _ROWS, _BITS, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _COUNTS = 254, 256, 257, 258, 262, 273, 277, 279
_TILE_COLUMNS, _TILE_ROWS, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_WANTED = {_SUBFILE, _COLUMNS, _ROWS, _BITS, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _COUNTS, 339} | set(range(322, 326))
_FORMAT, _FLOATS = 339, 3  # SampleFormat, and its value for IEEE numbers
_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # BYTE, SHORT, LONG, LONG8


@dataclass(frozen=True)
class Page:
    """One image of a TIFF: its place in the file, size, bits a sample and where its data ends."""

    index: int
    rows: int
    columns: int
    samples: int
    bits: int
    floats: bool
    white_is_zero: bool
    reduced: bool
    tile_pixels: int
    end: int


def pages(path: str, data: bytes) -> list[Page]:
    """The pages of full resolution (TIFF 6.0, section 2); ReadError for directories that are broken or a loop."""
    order = "little" if data[:2] == b"II" else "big"
    big = data[2:3] == b"+" or data[3:4] == b"+"
    at, seen = _int(data, 8 if big else 4, 8 if big else 4, order), set[int]()
    found: list[Page] = []
    while at:
        if at in seen or at + 8 > len(data):
            raise ReadError(path, "a page directory lies outside the file; it is truncated or damaged")
        seen.add(at)
        check(path, "frames", len(seen), "pages")
        tags, at = _directory(path, data, at, order, big)
        found.append(_page(len(found), tags))
    kept = [page for page in found if not page.reduced] or found
    if not kept:
        raise ReadError(path, "is a TIFF without a page")
    return kept


def _int(data: bytes, at: int, size: int, order: str) -> int:
    return int.from_bytes(data[at : at + size], "little" if order == "little" else "big")


def _directory(path: str, data: bytes, at: int, order: str, big: bool) -> tuple[dict[int, list[int]], int]:
    wide, entry = (8, 20) if big else (4, 12)
    count = _int(data, at, 8 if big else 2, order)
    at += 8 if big else 2
    if at + count * entry + wide > len(data):
        raise ReadError(path, "ends inside a page directory; it is truncated or damaged")
    tags = {}
    for place in range(at, at + count * entry, entry):
        tag, kind = _int(data, place, 2, order), _int(data, place + 2, 2, order)
        if tag in _WANTED and kind in _SIZES:
            size, number = _SIZES[kind], _int(data, place + 4, wide, order)
            start = place + 4 + wide
            if size * number > wide:
                start = _int(data, start, wide, order)
            number = min(number, max(0, len(data) - start) // size, LIMITS.header_elements)
            tags[tag] = [_int(data, start + i * size, size, order) for i in range(number)]
    return tags, _int(data, at + count * entry, wide, order)


def _page(index: int, tags: dict[int, list[int]]) -> Page:
    def first(tag: int, default: int) -> int:
        return (tags.get(tag) or [default])[0]

    offsets = tags.get(_TILE_OFFSETS) or tags.get(_OFFSETS) or []
    counts = tags.get(_TILE_COUNTS) or tags.get(_COUNTS) or []
    return Page(
        index=index,
        rows=first(_ROWS, 0),
        columns=first(_COLUMNS, 0),
        samples=first(_SAMPLES, 1),
        bits=first(_BITS, 1),
        floats=first(_FORMAT, 1) == _FLOATS,
        white_is_zero=first(_PHOTOMETRIC, 1) == 0,
        reduced=bool(first(_SUBFILE, 0) & 1),
        tile_pixels=first(_TILE_COLUMNS, 1) * first(_TILE_ROWS, 1),
        end=max((offset + count for offset, count in zip(offsets, counts, strict=False)), default=0),
    )


def check_page(path: str, page: Page, size: int) -> None:
    """Raise ReadError where a page is empty, too large, or its data is not all in the file."""
    if page.rows < 1 or page.columns < 1:
        raise ReadError(path, f"page {page.index} has {page.rows} rows x {page.columns} columns; the file is damaged")
    if not 1 <= page.samples <= 4:
        raise ReadError(path, f"page {page.index} has {page.samples} samples a pixel; 1 to 4 are read")
    if page.floats and page.bits < 32:
        raise ReadError(
            path, f"page {page.index} has floats of {page.bits} bits, which are not read; save it in 32 bits"
        )
    check(path, "pixels", page.rows * page.columns, "pixels")
    check(path, "pixels", page.tile_pixels, "pixels in a tile")
    if page.end > size:
        raise ReadError(path, f"the pixels of page {page.index} end at byte {page.end:,} of {size:,}; it is truncated")
