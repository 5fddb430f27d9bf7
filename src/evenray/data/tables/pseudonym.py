"""Pseudonyms: what identifies a person is replaced by a keyed hash in the moment it is read.

The key is drawn from the data set's own first files, or from $EVENRAY_KEY. Whoever has the data gets the same pseudonyms on
any machine, and the same bytes in every artefact; whoever has only the artefacts cannot undo them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .identifiers import canonical

__all__ = ["draw_key", "pseudonym"]


def draw_key(files: Iterable[Path]) -> bytes:
    """A key of 32 bytes: $EVENRAY_KEY if set, else drawn from the first megabyte of the first eight files."""
    secret = os.environ.get("EVENRAY_KEY")
    if secret:
        return hashlib.blake2b(secret.encode(), digest_size=32, person=b"evenray-key").digest()
    hasher = hashlib.blake2b(digest_size=32, person=b"evenray-key")
    for path, _ in zip(files, range(8), strict=False):
        with suppress(OSError), path.open("rb") as file:  # what cannot be read is set aside later, with its reason
            hasher.update(file.read(1 << 20))
    return hasher.digest()


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """A keyed hash of 16 hexadecimal digits; the same value of another kind gives another.

    >>> key = bytes(32)
    >>> pseudonym(key, "patient", "Kim^Minsu") == pseudonym(key, "patient", " Kim^Minsu ")
    True
    >>> pseudonym(key, "patient", "1") == pseudonym(key, "study", "1")
    False
    >>> pseudonym(key, "patient", "PT-007") == pseudonym(key, "patient", "pt_007")  # see identifiers.canonical
    True
    """
    text = f"{kind}\0{canonical(value) if kind == 'patient' else value.strip()}"
    return hashlib.blake2b(text.encode(), digest_size=8, key=key).hexdigest()
