"""Text in CSV files that spreadsheets would take for a formula: a name such as =HYPERLINK(...) must stay a name.

Source: OWASP, "CSV Injection": a cell that begins with one of = + - @, tab or carriage return gets an apostrophe before it.
"""

from __future__ import annotations

import re

import polars as pl

__all__ = ["cell", "cells", "plain", "to_csv"]

FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( to [-+]?[\d.]+(e[-+]?\d+)?)?", re.IGNORECASE)  # or an interval of two
QUOTED = r"^'([=+\-@\t\r])"


def cell(text: str) -> str:
    """A cell as text to every spreadsheet; numbers and intervals stand as they are.

    >>> [cell(text) for text in ("=1+1", "@sum", "-1.5", "-1024 to -512", "-x", "a=b")]
    ["'=1+1", "'@sum", '-1.5', '-1024 to -512', "'-x", 'a=b']
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def cells(table: pl.DataFrame) -> pl.DataFrame:
    """A table whose texts, and names of columns, are safe cells."""
    risky, number = f"^{FORMULA.pattern}", f"(?i)^({NUMBER.pattern})$"
    texts = [
        pl.when(pl.col(n).str.contains(risky) & ~pl.col(n).str.contains(number))
        .then("'" + pl.col(n))
        .otherwise(n)
        .alias(n)
        for n, kind in table.schema.items()
        if kind == pl.String
    ]
    return table.with_columns(texts).rename({name: cell(name) for name in table.columns})


def plain(table: pl.DataFrame) -> pl.DataFrame:
    """What `cells` was made of.

    >>> plain(cells(pl.DataFrame({"file": ["=a.png", "b"]})))["file"].to_list()
    ['=a.png', 'b']
    """
    found = table.with_columns(pl.col(pl.String).str.replace(QUOTED, "$1"))
    return found.rename({name: re.sub(QUOTED, r"\1", name) for name in found.columns})


def to_csv(table: pl.DataFrame) -> str:
    """A table as CSV text that a spreadsheet may open."""
    return cells(table).write_csv()
