"""The numbers behind the marks of a chart, as one tidy table that a reader can save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from evenray.core.spreadsheets import to_csv

__all__ = ["Series", "csv", "tidy"]


@dataclass(frozen=True)
class Series:
    """What one line, area or layer of dots stands for: its colour, which a legend names, and columns of one length."""

    colour: str
    columns: Mapping[str, Iterable[Any]]
    panel: str = ""


def tidy(drawn: Sequence[Series], legend: Mapping[str, str]) -> pl.DataFrame | None:
    """A row a point, with the name that the legend has for its colour; where there is a legend, only what it names.

    >>> tidy([Series("#000000", {"x": [1, 2], "y": [3, 4]})], {"loss": "#000000"}).rows()
    [('loss', '1', '3'), ('loss', '2', '4')]
    """
    names = {colour: name for name, colour in legend.items()}
    tables = []
    for each in drawn:
        if names and each.colour not in names:
            continue
        columns = {name: [_brief(value) for value in values] for name, values in each.columns.items()}
        table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        tables.append(table.select(panel=pl.lit(each.panel), series=pl.lit(names.get(each.colour, "")), **_own(table)))
    if not tables:
        return None
    whole = pl.concat(tables, how="diagonal").unique(maintain_order=True)
    return whole.drop([name for name in ("panel", "series") if (whole[name] == "").all()])


def _own(table: pl.DataFrame) -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in table.columns}


def _brief(value: Any) -> str:
    """Six digits are as many as a drawing can show.

    >>> _brief(0.12345678), _brief(float("nan")), _brief("train")
    ('0.123457', '', 'train')
    """
    if value is None or value != value:
        return ""
    return value if isinstance(value, str) else f"{float(value):.6g}"


def csv(table: pl.DataFrame) -> str:
    """The table as a spreadsheet reads it, with the mark that tells it the text is UTF-8.

    >>> csv(pl.DataFrame({"class": ["=sick"], "n": [0.25]}))
    "\\ufeffclass,n\\n'=sick,0.25\\n"
    """
    brief = {name: [_brief(value) for value in table[name]] for name in table.columns}
    return "\ufeff" + to_csv(pl.DataFrame(brief, schema=dict.fromkeys(brief, pl.String)))
