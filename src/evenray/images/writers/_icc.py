"""ICC profiles: whether one still holds for the pixels of a copy."""

from __future__ import annotations

__all__ = ["HEADER_BYTES", "holds"]

HEADER_BYTES = 128


def holds(profile: bytes) -> bool:
    """Whether a profile, or its start, is sound (ICC.1, 7.2) and of grey or RGB, as copies are; CMYK ones become RGB.

    >>> holds(bytes(16) + b"GRAY" + bytes(16) + b"acsp" + bytes(88)), holds(b"a profile")
    (True, False)
    """
    return len(profile) >= HEADER_BYTES and profile[36:40] == b"acsp" and profile[16:20] in (b"GRAY", b"RGB ")
