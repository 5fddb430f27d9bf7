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

import polars as pl

from .identifiers import canonical

__all__ = ["case_names", "draw_key", "pseudonym"]

FEWEST = 8  # digits of the name of a case


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
    text = f"{kind}\0{canonical(value) if kind in ('patient', 'accession') else value.strip()}"
    return hashlib.blake2b(text.encode(), digest_size=8, key=key).hexdigest()


def case_names(key: bytes, files: pl.Series, fragments: pl.Series, *, files_named: bool = False) -> pl.Series:
    """The column "case" of images by file and fragment: `case-7f3a91c2`, `case-7f3a91c2#slice=12`; unique.

    Digits are the first eight of the file's keyed hash, or as many as tell all files apart. The images of a single archive are
    called by their place in it, `train/0`, which names nobody. With `files_named` cases are called by their files.

    >>> case_names(bytes(32), pl.Series(["a.png", "b.dcm", "b.dcm"]), pl.Series(["", "frame=0", "frame=1"])).to_list()
    ['case-9be67763', 'case-c4a96a63#frame=0', 'case-c4a96a63#frame=1']
    >>> case_names(bytes(32), pl.Series(["m.npz"] * 2), pl.Series(["train/0", "test/0"])).to_list()
    ['train/0', 'test/0']
    """
    known = files.unique(maintain_order=True).to_list()
    if not files_named and len(known) == 1 and known[0].lower().endswith(".npz"):
        return fragments.alias("case")
    names = {file: file if files_named else pseudonym(key, "file", file) for file in known}
    if not files_named:
        digits = next(
            n for n in range(FEWEST, 17) if n == 16 or len({name[:n] for name in names.values()}) == len(known)
        )
        names = {file: f"case-{name[:digits]}" for file, name in names.items()}
    found = files.replace_strict(names, return_dtype=pl.String) if known else files
    return (
        pl.select(pl.concat_str(found, pl.when(fragments != "").then("#" + fragments).otherwise(pl.lit(""))))
        .to_series()
        .alias("case")
    )
