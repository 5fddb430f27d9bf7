"""Tables as text files: read in the one encoding that they are in, or refused; never with letters replaced."""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError

from .header import SEPARATORS, first_lines, without_titles
from .workbook import WORKBOOKS, sheet_text

__all__ = ["read_text_table"]

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SHOWN = 60  # letters of a line
SAMPLE = 50  # lines that tell whether spaces separate


def read_text_table(path: Path, what: str = "table", *, numbers: bool = False) -> pl.DataFrame:
    """A CSV or TSV file, or the sheet of a workbook, with every value as text, as an identifier such as 007 is no number; or with
    `numbers` as such.

    UTF-8, or UTF-16 with its mark. DataError where it is neither: cp949, cp1252 and the like cannot be told apart safely.
    """
    text = sheet_text(path, what) if path.suffix.lower() in WORKBOOKS else _decode(path, what)
    if "\n" not in text:  # as old Macs end lines
        text = text.replace("\r", "\n")
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    if declared := re.fullmatch(r"sep=(.)\r?", first.strip('\ufeff"'), re.IGNORECASE):  # Excel's own line
        text, separator = rest, declared[1]
    else:
        text = without_titles(text)
        first = "".join(first_lines(text))
        separator = max(SEPARATORS, key=first.count)
        separator = " " if not first.count(separator) and " " in first.strip() and _is_spaced(text) else separator
    commas = numbers and separator == ";"
    if _is_cut(text, separator):
        last = text.count("\n") + 1
        raise DataError(f"The {what} '{path}' ends in the middle of line {last}; it was cut short: copy it anew.")
    try:
        return pl.read_csv(
            text.encode(), infer_schema=numbers, infer_schema_length=None, separator=separator, decimal_comma=commas
        )
    except pl.exceptions.ComputeError as error:
        raise DataError(
            _ragged(text, separator, path, what) or f"The {what} '{path}' cannot be read: {error}"
        ) from None


def _ragged(text: str, separator: str, path: Path, what: str) -> str | None:
    """Which line has more values than there are columns; None where none has."""
    lines = csv.reader(text.splitlines(), delimiter=separator)
    width = len(next(lines, []))
    for line in lines:
        if len(line) > width:
            return (
                f"Line {lines.line_num} of the {what} '{path}' has {len(line)} values for {width} columns; write a value that"
                f" holds '{separator}' or a double quote in double quotes, and a quote within them twice."
            )
    return None


def _is_cut(text: str, separator: str) -> bool:
    """Whether the last line is no whole one: it has fewer values than the first, or a quote that nothing ends, and no end."""
    if text.endswith(("\n", "\r")) or "\n" not in text:
        return False
    last = text[text.rindex("\n") + 1 :]
    width = len(next(csv.reader([text.partition("\n")[0]], delimiter=separator), []))
    short = len(next(csv.reader([last], delimiter=separator), [])) < width
    return bool(last.strip()) and (short or last.count('"') % 2 == 1)


def _is_spaced(text: str) -> bool:
    """Whether spaces separate the columns: all lines have as many fields as the first, two or more."""
    lines = [next(csv.reader([line], delimiter=" "), []) for line in text.splitlines()[:SAMPLE] if line.strip()]
    return len(lines) > 1 and len(lines[0]) > 1 and all(len(line) == len(lines[0]) for line in lines)


def _decode(path: Path, what: str) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith(UTF16) else "utf-8-sig"
    try:
        if encoding == "utf-8-sig" and b"\0" in data:  # UTF-16 without its mark
            raise UnicodeDecodeError("utf-8", data, at := data.index(b"\0"), at + 1, "zero byte")
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start
    if encoding == "utf-16":
        raise DataError(
            f"The {what} '{path}' begins as UTF-16 and is damaged at byte {at}; save it anew as 'CSV UTF-8'."
        )
    at = at + 3 if data.startswith(codecs.BOM_UTF8) else at
    line = data[data.rfind(b"\n", 0, at) + 1 :].partition(b"\n")[0].strip()
    shown = line.decode("ascii", "backslashreplace")[:SHOWN]
    raise DataError(
        f"The {what} '{path}' is not UTF-8: line {data.count(10, 0, at) + 1} ('{shown}') has the byte 0x{data[at]:02x}. Old"
        " encodings such as cp949 and cp1252 cannot be told apart safely; open it where it reads well and save it as 'CSV UTF-8'"
        ", or, where it is Korean, run: iconv -f CP949 -t UTF-8 OLD > NEW."
    )
