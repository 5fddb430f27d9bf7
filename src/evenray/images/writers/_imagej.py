"""What ImageJ says of a stack in the tags of its first page."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["BYTE_COUNTS", "METADATA", "description", "metadata"]

BYTE_COUNTS, METADATA = 50838, 50839
_NUMBERS = {b"info": 2, b"labl": 2, b"prop": 2, b"rang": 8}  # bytes of a number; what else there is has no order


def description(text: bytes, pages: int) -> bytes:
    """An ImageDescription that counts no other number of images than the copy has: ImageJ looks for them where a stack
    would have them, whatever the directories say.

    >>> description(b"ImageJ=1.54\\nimages=9\\nslices=9\\nunit=mm\\nspacing=2.5\\n", 1)
    b'ImageJ=1.54\\nunit=mm\\nspacing=2.5\\n'
    """
    said = re.search(rb"^images=(\d+)", text, re.MULTILINE)
    if not text.startswith(b"ImageJ=") or said is None or int(said[1]) == pages:
        return text
    return re.sub(rb"^(images|channels|slices|frames|hyperstack)=.*\r?\n", b"", text, flags=re.MULTILINE)


def metadata(data: bytes, counts: list[int]) -> bytes | None:
    """Labels, ranges and overlays of a big-endian file as a little-endian one has them; None where they are damaged.

    >>> header = b"IJIJ" + b"labl" + bytes([0, 0, 0, 1])
    >>> metadata(header + "a1".encode("utf-16-be"), [12, 4])
    b'JIJIlbal\\x01\\x00\\x00\\x00a\\x001\\x00'
    """
    if sum(counts) != len(data) or not counts or counts[0] % 8 != 4 or data[:4] != b"IJIJ":
        return None
    header, at, place = data[: counts[0]], counts[0], 1
    parts = [_swapped(header, 4)]
    for entry in range(4, len(header), 8):
        number = int.from_bytes(header[entry + 4 : entry + 8], "big")
        for size in counts[place : place + number]:
            parts.append(_swapped(data[at : at + size], _NUMBERS.get(header[entry : entry + 4], 1)))
            at += size
        place += number
    outcome = b"".join(parts)
    return outcome if len(outcome) == len(data) else None


def _swapped(data: bytes, size: int) -> bytes:
    """
    >>> _swapped(b"abcd", 2)
    b'badc'
    """
    return data if size == 1 or len(data) % size else np.frombuffer(data, f">u{size}").astype(f"<u{size}").tobytes()
