"""JPEG-LS by CharLS, which computes for ever on some damaged streams, and no header tells which.

Where the system keeps the limits of this process (core/budget.py) it decodes here, elsewhere in a process of its own: this
file, run as a script (docs/decisions/0022-damage-that-decoders-keep-to-themselves.md).
"""

from __future__ import annotations

import subprocess
import sys

__all__ = ["decode_jpegls"]


def decode_jpegls(path: object, data: bytes, size: int) -> tuple[bytes, bool]:
    """The samples, the low byte first, and whether they are plane after plane; `size` is the image's own, in bytes.

    ReadError where no end is in sight, RuntimeError for what is damaged.
    """
    from evenray.core import budget  # here, for a script finds no evenray
    from evenray.core.errors import ReadError

    if budget.kept():
        return _decoded(data)
    command = [sys.executable, "-P", __file__, str(budget.seconds(size))]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=budget.ASLEEP, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode < 0:
        raise ReadError(path, "its JPEG-LS data is damaged: its decoder crashes on it, or comes to no end")
    if done.returncode:
        raise RuntimeError("the data is damaged")
    return done.stdout[1:], done.stdout[:1] == b"\1"


def _decoded(data: bytes) -> tuple[bytes, bool]:
    import jpeg_ls  # type: ignore[import-untyped]

    try:
        samples, said = jpeg_ls.decode_pixel_data(data)
    except (
        RuntimeError
    ):  # some writers fill up to an even number of bytes before the end marker, which CharLS takes for damage
        filled = data.rstrip(b"\0")
        if not filled.endswith(b"\0\xff\xd9"):
            raise
        samples, said = jpeg_ls.decode_pixel_data(filled[:-3] + filled[-2:])
    return bytes(samples), said["interleave_mode"] == 0


def main(seconds: int) -> None:
    """Decode standard input to standard output; the system ends this process where it computes for longer."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        samples, planes = _decoded(sys.stdin.buffer.read())
    except RuntimeError:
        sys.exit(1)
    sys.stdout.buffer.write(bytes([planes]) + samples)


if __name__ == "__main__":
    main(int(sys.argv[1]))
