"""Streams of zlib that unpack to hundreds of megabytes, without packing as many."""

from __future__ import annotations

import struct
import zlib

MB = 2**20
ADLER = 65521


def packed_zeros(megabytes: int) -> bytes:
    """What zlib makes of so many megabytes of zeros, of one block that stands there again and again.

    >>> zlib.decompress(packed_zeros(3)) == bytes(3 * MB)
    True
    """
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (megabytes * MB % ADLER) << 16 | 1
    return head + block * megabytes + b"\x03\x00" + struct.pack(">I", checksum)
