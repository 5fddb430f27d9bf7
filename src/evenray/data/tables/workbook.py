"""A sheet of a workbook (Excel, OpenDocument) as a table of text."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, MissingExtra

from .header import first_lines, without_titles
from .meanings import KEYS, meaning_of

__all__ = ["WORKBOOKS", "sheet_text"]

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
LARGEST = 1 << 29  # bytes that a workbook may unfold to


def sheet_text(path: Path, what: str = "table") -> str:
    """The one sheet that holds values, or the one of several with a column called as images or patients are, as comma-separated
    text: numbers as they are typed, days as 2026-01-31.

    DataError without the package fastexcel, and where several sheets may be meant, none holds values, or the file is damaged, locked
    by a password or unfolds to more than half a gigabyte.
    """
    try:
        import fastexcel
    except ImportError:
        needs = MissingExtra("reading it", "fastexcel", "excel")
        raise DataError(f"The {what} '{path}' is a workbook: {needs}; or save its sheet as CSV UTF-8.") from None
    _require_small(path, what)
    try:
        book = fastexcel.read_excel(str(path))
        sheets = {
            name: book.load_sheet(name, header_row=None, dtypes="string").to_polars() for name in book.sheet_names
        }
    except (fastexcel.FastExcelError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"The {what} '{path}' is a workbook that cannot be read ({reason}); without a password, save its sheet as CSV UTF-8."
        ) from None
    held = {name: sheet for name, sheet in sheets.items() if sheet.height and sheet.width}
    if not held:
        raise DataError(f"The {what} '{path}' has no sheet with values.")
    days = pl.all().str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "$1")
    texts = {name: sheet.with_columns(days).write_csv(include_header=False) for name, sheet in held.items()}
    if len(keyed := [text for text in texts.values() if _has_key(text)]) == 1:
        return keyed[0]
    if len(held) > 1:
        names = ", ".join(f"'{name}'" for name in held)
        raise DataError(
            f"The {what} '{path}' has {len(held)} sheets with values ({names}); save the one that counts as CSV UTF-8, and give"
            " that."
        )
    [text] = texts.values()
    return text


def _has_key(text: str) -> bool:
    """Whether a sheet has a column that is called as images, studies or patients are."""
    first = "".join(first_lines(without_titles(text)))
    return any(meaning_of(cell.strip()) in KEYS for cell in next(csv.reader([first]), []))


def _require_small(path: Path, what: str) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(each.file_size for each in archive.infolist())
    if size > LARGEST:
        raise DataError(
            f"The {what} '{path}' unfolds to {size:,} bytes; expected {LARGEST:,} at most. Save it as CSV UTF-8."
        )
