"""The paths of a table as paths below the folder of the images."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

import polars as pl

from .seen import Seen

__all__ = ["exists", "placed"]


def placed(paths: pl.Series, here: Path, seen: Seen) -> pl.Series:
    """Paths relative to the folder of the images where they lie in it, as seen from there or from the table's own folder
    `here`; the others as they stand."""
    base, here = seen.root.resolve(), here.resolve()
    listed = set(seen.files) if seen.is_listed else set()

    def stands(folder: str) -> bool:
        return exists(base / folder) or exists(Path(os.path.normpath(here / folder)))

    def place(text: str) -> str:
        if text in listed:
            return text
        if not text.startswith("/") and exists(base / text):
            return _without_detours(base, text)
        full = Path(os.path.normpath(here / text))
        inside = full.is_relative_to(base) and (text.startswith("/") or exists(full))
        return full.relative_to(base).as_posix() if inside else _without_detours(base, text)

    plain = paths.str.replace_all("\\", "/", literal=True).str.replace(r"^(\./+)+", "")
    folders = plain.str.extract(r"^(.*)/")  # null where there is none
    known = [folder for folder in folders.drop_nulls().unique() if folder.startswith("/") or stands(folder)]
    doubtful = folders.is_in(known) | plain.str.starts_with("/") | (folders.is_null() & (not listed))
    unique = plain.filter(doubtful.fill_null(not listed)).drop_nulls().unique().to_list()
    return plain.replace({text: place(text) for text in unique})


def exists(path: Path) -> bool:
    """Whether anything stands at a path; False for names that no file can have.

    >>> exists(Path("x" * 300))
    False
    """
    try:
        return path.exists()
    except OSError:
        return False


def _without_detours(base: Path, text: str) -> str:
    """A path without `..` and `//`, so that a file has one name; as it is where that would be another file, beyond a link."""
    plain = posixpath.normpath(text)
    if plain == text or not (exists(base / text) and exists(base / plain)):
        return text
    return plain if (base / text).samefile(base / plain) else text
