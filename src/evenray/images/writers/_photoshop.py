"""Photoshop's image resources (IPTC captions, resolution, paths), as JPEG and TIFF carry them."""

from __future__ import annotations

import struct

__all__ = ["without_previews"]

_PREVIEWS = (1033, 1036)  # small pictures of what the pixels were


def without_previews(resources: bytes) -> bytes | None:
    """The resources but for previews; None where they are damaged.

    >>> one = b"8BIM" + bytes([4, 4, 0, 0, 0, 0, 0, 2]) + b"me"
    >>> preview = b"8BIM" + bytes([4, 12, 0, 0, 0, 0, 0, 3]) + b"abc" + b"\\0"
    >>> without_previews(one + preview) == one, without_previews(one[:-1])
    (True, None)
    """
    at, kept = 0, list[bytes]()
    while at < len(resources):
        if resources[at : at + 4] != b"8BIM" or at + 7 > len(resources):
            return None if resources[at:].strip(b"\0") else b"".join(kept)
        (number,) = struct.unpack_from(">H", resources, at + 4)
        size_at = at + 6 + (resources[at + 6] // 2 + 1) * 2  # a name with its length before it, padded to even
        if size_at + 4 > len(resources):
            return None
        (size,) = struct.unpack_from(">I", resources, size_at)
        if size_at + 4 + size > len(resources):
            return None
        end = size_at + 4 + size + size % 2
        if number not in _PREVIEWS:
            kept.append(resources[at:end])
        at = end
    return b"".join(kept)
