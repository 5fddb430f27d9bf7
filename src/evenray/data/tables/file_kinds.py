"""Files that are given as a table of labels and are none: archives, pictures."""

from __future__ import annotations

import codecs
import zipfile
from pathlib import Path

from evenray.core.errors import ReadError
from evenray.images.readers import identity, sniff

from .workbook import WORKBOOKS

__all__ = ["refuse_table"]

HEAD = 4096
TABLES = (".csv", ".tsv", ".txt", ".parquet")
ARCHIVES = {b"PK\x03\x04": "ZIP", b"PK\x05\x06": "ZIP", b"\x1f\x8b": "gzip", b"7z\xbc\xaf": "7z", b"Rar!": "RAR"}
TEXTS = (b"\xff\xfe", b"\xfe\xff", b"PAR1")  # the marks of UTF-16, and of Parquet


def refuse_table(path: Path) -> tuple[str, str] | None:
    """What a file is that is no table of labels, and what to do with it as DATA; None for what may be a table.

    Text is believed to be a table, whatever its first letters; where the name ends as a table's, in any encoding.
    """
    if not path.is_file():  # a pipe can be read only once
        return None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:  # the reader of the table will say so
        return None
    binary, named = b"\0" in head, path.suffix.lower() in TABLES
    if head.startswith(TEXTS) or _is_text(head) or (named and not binary):
        return None
    archive = next((name for start, name in ARCHIVES.items() if head.startswith(start)), None)
    if binary and path.suffix.lower() in WORKBOOKS:
        return None
    if binary and archive == "ZIP" and _is_workbook(path):
        return "is a workbook by another name", "let its name end in .xlsx"
    try:
        kind = sniff(path)
    except ReadError:
        kind = None
    if kind == "npz":
        return "is a NumPy archive", "let its name end in .npz"
    if kind is not None:
        return "is an image", "give the folder that the images lie in"
    if archive is not None:
        return f"is a {archive} archive", "unpack it, and give what it holds"
    return (_reason(path), "give a folder of images or a table of labels") if binary and not named else None


def _is_text(head: bytes) -> bool:
    """Whether the beginning of a file is UTF-8 without a NUL; the last letter may be cut.

    >>> _is_text("정상".encode()[:-1]), _is_text("정상".encode("cp949")), _is_text(b"BM\\0\\0"), _is_text(b"")
    (True, False, False, True)
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _reason(path: Path) -> str:
    """What the readers say of a file that none of them knows."""
    try:
        identity(path)
    except ReadError as error:
        return error.reason
    return "is not an image that is read here"
