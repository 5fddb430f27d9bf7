"""What JPEG, JPEG-LS and JPEG 2000 streams say of themselves, read before any decoder is let loose on them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from evenray.core.errors import ReadError

from ._limits import check

__all__ = ["Codestream", "check_j2k", "check_jpeg", "j2k_stream", "jpeg_segments", "jpeg_stream"]

# Where the frame begins at the latest, and behind how many segments: profiles (255 segments of 64 kB) and previews come before it.
HEADER_BYTES, SEGMENTS = 2**25, 2**14

# Frame headers: C0..CF without the tables DHT (C4), JPG (C8) and DAC (CC), and F7 of JPEG-LS.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_TELLING = _FRAMES | {0xE0, 0xE1, 0xEE}  # and APP0 (JFIF), APP1 (Exif), APP14 (Adobe)
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


@dataclass
class Codestream:
    """Size and kind of one compressed image; `adobe` is the transform of the APP14 marker, None without one."""

    rows: int = 0
    columns: int = 0
    components: int = 0
    precision: int = 0
    process: int = 0
    ids: tuple[int, ...] = ()
    jfif: bool = False
    adobe: int | None = None
    signed: bool = False
    exif: bytes = field(default=b"", repr=False)

    @property
    def lossless(self) -> bool:
        return self.process in _LOSSLESS


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of every payload up to the first scan, as far as they are sound (ITU-T T.81, annex B)."""
    at, last, left = 2, min(len(data), HEADER_BYTES), SEGMENTS
    while at + 4 <= last and data[at] == 0xFF and left:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:  # fill byte, or a marker without a body
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
        if marker in (0xDA, 0xD9) or end > len(data):
            return
        yield marker, at + 4, end
        at, left = end, left - 1


def jpeg_stream(data: bytes) -> Codestream | None:
    """The header of a JPEG or JPEG-LS stream up to its first scan; None if there is no frame.

    >>> jpeg_stream(bytes.fromhex("ffd8 ffc0 000b 08 0010 0020 01 01 11 00 ffda 0008")).columns
    32
    """
    stream = Codestream()
    for marker, start, end in jpeg_segments(data) if data[:2] == b"\xff\xd8" else ():
        if marker in _TELLING:
            _read_segment(stream, marker, data[start:end])
    return stream if stream.components else None


def _read_segment(stream: Codestream, marker: int, body: bytes) -> None:
    if marker in _FRAMES and len(body) >= 6:
        stream.process = marker
        stream.precision, stream.rows, stream.columns, stream.components = struct.unpack(">BHHB", body[:6])
        stream.ids = tuple(body[6 : 6 + 3 * stream.components : 3])
    elif marker == 0xE0 and body.startswith(b"JFIF"):
        stream.jfif = True
    elif marker == 0xE1 and body.startswith(b"Exif\0\0") and not stream.exif:
        stream.exif = body[6:]
    elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        stream.adobe = body[11]


def check_jpeg(path: str, data: bytes, stream: Codestream) -> None:
    """ReadError where the end marker does not follow the last scan (decoders fill what is missing with grey and say
    nothing), and where there are so many scans, progressive or not, that decoding takes minutes."""
    if data.rfind(b"\xff\xd9") <= data.rfind(b"\xff\xda"):
        raise ReadError(path, "its JPEG data has no end; the file is truncated")
    scans = data.count(b"\xff\xda")
    check(path, "scan_pixels", stream.rows * stream.columns * scans, "pixels in all scans")


def j2k_stream(data: bytes) -> Codestream | None:
    """The SIZ marker of a JPEG 2000 codestream, bare or in a JP2 box (ISO/IEC 15444-1, A.5.1); None without one."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 65536)
    if at < 0 or len(data) < at + 43:
        return None
    _, _, x1, y1, x0, y0 = struct.unpack(">HHIIII", data[at + 4 : at + 24])
    components, depth = struct.unpack(">HB", data[at + 40 : at + 43])
    if y1 <= y0 or x1 <= x0:
        return None
    return Codestream(y1 - y0, x1 - x0, components, (depth & 0x7F) + 1, 0x51, signed=bool(depth & 0x80))


def check_j2k(path: str, data: bytes, stream: Codestream) -> None:
    """ReadError where tiles, precincts and layers (ISO/IEC 15444-1, A.6.1) are so many that decoders take gigabytes for what
    they note of each, however small the file."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 65536)
    across, down = (max(1, size) for size in struct.unpack(">II", data[at + 24 : at + 32]))
    tiles = -(-stream.columns // across) * -(-stream.rows // down)
    place, end = at + 2, len(data)
    most = tiles * stream.components
    while place + 4 <= end and data[place] == 0xFF and data[place + 1] not in (0x90, 0xD9):  # to the first tile
        kind, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : place + 2 + size]
        if kind == 0x52 and len(body) >= 10:  # COD, coding style
            layers, levels = int.from_bytes(body[2:4], "big"), body[5]
            sizes = body[10 : 11 + levels] if body[0] & 1 else b"\xff" * (levels + 1)
            precincts = sum(
                -(-stream.columns // 2 ** (levels - level + (size & 15)))
                * -(-stream.rows // 2 ** (levels - level + (size >> 4)))
                for level, size in enumerate(sizes)
            )
            most = stream.components * max(precincts, tiles * (levels + 1))
            check(path, "packets", most * max(1, layers), "packets of JPEG 2000")
        place += 2 + max(size, 2)
    check(path, "precincts", most, "precincts of JPEG 2000")
