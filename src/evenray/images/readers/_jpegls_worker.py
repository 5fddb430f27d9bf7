"""The other end of _jpegls.py: decodes JPEG-LS frames from standard input in a process that can be stopped.

Run as a script, so that it imports its codec and nothing else. A frame is its length in 8 bytes and its bytes; the
answer too, the first byte being 0 for a frame that cannot be decoded, else 1 plus the interleave mode.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Answer frame after frame until the input ends."""
    import jpeg_ls  # type: ignore[import-untyped]

    while head := sys.stdin.buffer.read(8):
        try:
            pixels, info = jpeg_ls.decode_pixel_data(sys.stdin.buffer.read(int.from_bytes(head, "little")))
            answer = bytes([1 + int(info["interleave_mode"])]) + pixels
        except Exception:
            answer = b"\0"
        sys.stdout.buffer.write(len(answer).to_bytes(8, "little") + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
