"""A file from the net: whole and with the SHA-256 that it should have, or not at all."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from evenray.core.artefacts import file_digest
from evenray.core.errors import EvenrayError

__all__ = ["download"]

CHUNK = 1 << 20


def download(url: str, target: Path, sha256: str, tick: Callable[[int, int | None], None]) -> str:
    """Fetch `url` to `target` and return its SHA-256, which has to begin with the digits given.

    `tick` hears of the bytes that have come and of how many there are (None: not told). Raises EvenrayError where the net
    does not answer or the file arrives damaged; nothing is left then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=60) as answer:
            length = answer.headers.get("Content-Length")
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                tick(file.tell(), int(length) if length else None)
        if not (digest := file_digest(Path(partial))).startswith(sha256):
            raise EvenrayError(f"{url} arrived damaged (its SHA-256 is not the one in its name); try again.")
        Path(partial).replace(target)
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise EvenrayError(f"{url} could not be fetched ({error}); fetch it by hand and put it at {target}.") from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return digest
