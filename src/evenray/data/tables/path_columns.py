"""Images that several columns name together, as PatientNumber 49 and SliceNumber 7 name `049/brain/7.jpg`, or one column in other
signs than their paths, as `000001_02_03_104.png` names `000001_02_03/104.png`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

import polars as pl

from .match_paths import without_ending
from .seen import Seen

__all__ = ["columns_of_paths", "files_named"]

NEARLY, SAMPLE = 0.9, 300
EACH, MOST = 8, 400  # images that a row may name, as of several views; ways of placing columns that are tried
BETWEEN = re.compile(r"[\W_]+")
Words = tuple[str, ...]


def _words(text: str) -> Words:
    """The words of a path or a value in small letters, numbers without the zeros before them.

    >>> _words("049/brain/7.jpg"), _words("x_3328.0")
    (('49', 'brain', '7'), ('x', '3328'))
    """
    plain = re.sub(r"(?<=\d)\.0$", "", without_ending(text.replace("\\", "/"))).casefold()
    return tuple(word.lstrip("0") or "0" if word.isdecimal() else word for word in BETWEEN.split(plain) if word)


@dataclass(frozen=True)
class _Place:
    """Where a column's values stand in paths: they begin `at` words from the end and are `width` words."""

    column: str
    at: int
    width: int
    called: bool  # the word before is the column's name

    def of(self, path: Words) -> Words | None:
        return path[len(path) - self.at : len(path) - self.at + self.width] if len(path) >= self.at else None


def _places(column: pl.Series, paths: Sequence[Words]) -> list[_Place]:
    values = {_words(value) for value in column.drop_nulls().unique().to_list()}
    widths = {len(value) for value in values}
    if len(widths) != 1 or not (width := widths.pop()):
        return []
    found = []
    for at in range(width, max(map(len, paths), default=0) + 1):
        place = _Place(column.name, at, width, called=False)
        there = {place.of(path) for path in paths} - {None}
        if len(there) > 1 and 1 < len(there & values) >= NEARLY * min(len(there), len(values)):
            before = {path[-at - 1] for path in paths if len(path) > at}
            found.append(_Place(column.name, at, width, before == {"".join(_words(column.name)[:1])}))
    return found


def _index(files: dict[str, Words], places: Sequence[_Place]) -> dict[tuple[Words | None, ...], list[str]]:
    found: dict[tuple[Words | None, ...], list[str]] = defaultdict(list)
    for file, path in files.items():
        found[tuple(place.of(path) for place in places)].append(file)
    return found


def _hits(rows: pl.DataFrame, files: dict[str, Words], places: Sequence[_Place]) -> tuple[float, int]:
    """The share of rows that name images, and how many groups of images the columns tell apart."""
    index = _index(files, places)
    keys = [
        tuple(_words(value) for value in row)
        for row in rows.select(place.column for place in places).drop_nulls().iter_rows()
    ]
    return sum(key in index for key in keys) / max(1, len(keys)), len(index)


def columns_of_paths(raw: pl.DataFrame, seen: Seen, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns whose values name images together, in the order of their places in the paths; () where none do.

    Each has a place of its own in the paths, and together they tell as many images apart as columns can, at most a few (views of
    one) a row.
    """
    files = {file: _words(file) for file in seen.files}
    paths = list(files.values())[:: max(1, len(files) // SAMPLE)]
    rows = raw.gather_every(max(1, raw.height // SAMPLE))
    free = [place for name in columns for place in _places(raw[name], paths)]
    chosen: list[_Place] = []
    told = 1
    while told < len(files):
        best, most = None, told
        for place in sorted(free, key=lambda place: not place.called):
            if any(place.column == other.column or place.at == other.at for other in chosen):
                continue
            share, count = _hits(rows, files, [*chosen, place])
            if share >= NEARLY and count > most:
                best, most = place, count
        if best is None:
            break
        chosen, told = [*chosen, best], most
    chosen.sort(key=lambda place: -place.at)
    index = _index(files, chosen)
    keys = {
        tuple(_words(value) for value in row)
        for row in raw.select(place.column for place in chosen).drop_nulls().iter_rows()
    }
    if sum(len(index.get(key, ())) for key in keys) < NEARLY * len(files):  # numbers may meet by accident
        return ()
    if not chosen or max(map(len, index.values())) > EACH or (len(chosen) == 1 and len(index) < NEARLY * len(files)):
        return ()
    return tuple(place.column for place in chosen)


def files_named(raw: pl.DataFrame, seen: Seen, columns: Sequence[str]) -> pl.DataFrame | None:
    """The table with a column of the files that these columns name together, called `a+b`, a row a file; None where they name next
    to none."""
    files = {file: _words(file) for file in seen.files}
    paths = list(files.values())[:: max(1, len(files) // SAMPLE)]
    rows = raw.gather_every(max(1, raw.height // SAMPLE))
    ways = [
        way
        for way in islice(product(*(_places(raw[name], paths) for name in columns)), MOST)
        if len({p.at for p in way}) == len(way)
    ]
    if not ways:
        return None
    best = max(ways, key=lambda way: (*_hits(rows, files, way), sum(place.called for place in way)))
    if _hits(rows, files, best)[0] < NEARLY / 2:
        return None
    index = _index(files, best)
    name = "+".join(columns)
    found = [
        index.get(tuple(_words(value) for value in row)) if None not in row else None
        for row in raw.select(columns).iter_rows()
    ]
    table = raw.with_columns(pl.Series(name, found, dtype=pl.List(pl.String)))
    return table.explode(name)
