"""The column of a table of objects that says their class, told by its name, else by its values; and what of the table is not used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.understood import UnderstoodRow
from evenray.data.tables.expressions import Asked
from evenray.data.tables.meanings import FLAGS, KEYS, compact, is_attribute, known_values, meaning_of, weak_label
from evenray.data.tables.words import quoted

__all__ = ["class_column", "class_row", "named_classes", "unused_columns", "without_ignored"]

NAMES = ("classid", "categoryid", "classname", "class")
NUMBER = r"^[-+]?\d+(?:\.\d*)?$"
MEASURE = r"^[-+]?\d*[.,]\d*[1-9]\d*$"  # as a score may be
NO_WORD = r"^[^\pL]*$|[/\\\\]|^.{41,}$"  # numbers, dates, paths, sentences
MOST, REPEATED = 64, 2  # classes at the most, and rows of each on average at the least
EXAMPLES = 3


def without_ignored(raw: pl.DataFrame, columns: Asked) -> pl.DataFrame:
    """The table without the columns that the user left out."""
    return raw.drop(name for name in raw.columns if name in columns.columns.get("ignore", ()))


def class_column(raw: pl.DataFrame, key: str, taken: Collection[str], columns: Asked) -> str | None:
    """The column of classes among those that are not taken: the one that the user says, else of words before numbers; where none is
    called so, the only one of few words that return and differ, within images if there is one, else between them. None without one.

    `key` is the column of the images. DataError where several may be it.
    """
    free = [name for name in raw.columns if name not in {key, *taken}]
    if asked := _asked(free, columns):
        return asked
    named = named_classes(free)
    named = named or [name for name in free if weak_label(name) and not raw[name].str.contains(MEASURE).any()]
    if named:
        words = [name for name in named if not raw[name].drop_nulls().str.contains(NUMBER).all()]
        return next(iter(words or named))
    like = [name for name in free if meaning_of(name) is None and not is_attribute(name) and _are_classes(raw[name])]
    within = [name for name in like if raw.group_by(key).agg(pl.col(name).drop_nulls().n_unique())[name].max() > 1]  # type: ignore[operator]
    found = within or like
    if len(found) > 1:
        shown = ", ".join(f"'{name}'" for name in found)
        raise DataError(
            f"Any of the columns {shown} may say the classes of the objects; say which one does: --column label={quoted(found[0])}, or"
            f" leave out the others: --column ignore={'+'.join(map(quoted, found[1:]))}."
        )
    return next(iter(found), None)


def named_classes(names: Sequence[str]) -> list[str]:
    """The columns that are called as one of classes."""
    return [name for name in names if meaning_of(name) == "label" or compact(name) in NAMES]


def _asked(free: Sequence[str], columns: Asked) -> str | None:
    """The only column of those that the user says to be of labels that the table has."""
    asked = next((name for name in columns.columns.get("label", ()) if name in free), None)
    if asked is not None and ("label" in columns.values or "label" in columns.rest):
        raise UsageError(
            f"--column gives other names to values of '{asked}', and the classes of masks and boxes are called as the table has them;"
            f" say --column label={quoted(asked)}, and change the names in the table."
        )
    return asked


def _are_classes(column: pl.Series) -> bool:
    """Whether values are few words that return."""
    said = column.drop_nulls()
    words = said.unique()
    if not 1 < len(words) <= min(MOST, len(said) // REPEATED) or words.str.contains(NO_WORD).any():
        return False
    return not {word.casefold() for word in words} <= FLAGS.keys() and known_values(words.to_list()) is None


def class_row(raw: pl.DataFrame, kind: str | None, columns: Asked) -> tuple[UnderstoodRow, ...]:
    """What is said of the column of classes."""
    if kind is None:
        return ()
    said = raw[kind].drop_nulls()
    by_name = meaning_of(kind) == "label" or compact(kind) in NAMES or weak_label(kind)
    examples = tuple(said.unique(maintain_order=True).head(EXAMPLES))
    asked = kind in columns.columns.get("label", ())
    how: Literal["asked", "name", "values"] = "asked" if asked else "name" if by_name else "values"
    return (UnderstoodRow(place=kind, meaning="label", how=how, matched=len(said), of=raw.height, examples=examples),)


def unused_columns(raw: pl.DataFrame, used: Collection[str | None]) -> tuple[str, ...]:
    """The other columns, but for those that may tell patients."""
    return tuple(name for name in raw.columns if name not in used and meaning_of(name) not in (*KEYS, "group"))
