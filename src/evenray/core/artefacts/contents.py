"""What stands for the content of a file that a setting names, so that results are known to be of it and of no later one."""

from __future__ import annotations

from pathlib import Path

from evenray.core.names import as_path

from .files import cache_folder, file_digest
from .weight import NAME, Weight

__all__ = ["contents_of_file", "contents_of_place"]


def contents_of_file(value: str) -> str:
    """The digest of a file that a value names, as "caffe:weights.h5" or the name of trained weights does, with what it is read
    as ("caffe", the record of the name); the value itself where there is none.

    >>> contents_of_file("no such file")
    'no such file'
    """
    kind, _, path = ("", "", value) if Path(value).is_file() else value.partition(":")
    if Path(path).is_file():
        return f"{kind}:{file_digest(Path(path))}" if kind else file_digest(Path(path))
    record = cache_folder() / "weights" / f"{value}.json"
    if NAME.fullmatch(value) and record.is_file():
        return Weight.parsed(record.read_bytes(), record).content
    return value


def contents_of_place(value: str) -> list[str]:
    """The digests of a file, or of all files below a folder with their names; the value itself where there is neither."""
    path = Path(as_path(value))
    if not path.is_dir():
        return [contents_of_file(value)]
    return [
        f"{found.relative_to(path).as_posix()} {file_digest(found)}"
        for found in sorted(path.rglob("*"))
        if found.is_file()
    ]
