"""The column of a table of objects that says their class, told by its name, else by its values; and what of the table is not used."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import polars as pl

from evenray.core.errors import DataError
from evenray.core.understood import UnderstoodRow
from evenray.data.tables.meanings import FLAGS, KEYS, compact, is_attribute, known_values, meaning_of, weak_label

__all__ = ["class_column", "class_row", "unused_columns"]

NAMES = ("classid", "categoryid", "classname", "class")
NUMBER = r"^[-+]?\d+(?:\.\d*)?$"
MEASURE = r"^[-+]?\d*[.,]\d*[1-9]\d*$"  # as a score may be
NO_WORD = r"^[^\pL]*$|[/\\\\]|^.{41,}$"  # numbers, dates, paths, sentences
MOST, REPEATED = 64, 2  # classes at the most, and rows of each on average at the least
EXAMPLES = 3


def class_column(raw: pl.DataFrame, key: str, taken: Collection[str]) -> str | None:
    """The column of classes among those that are not taken, of words before numbers; where none is called so, the only one of few
    words that return and differ, within images if there is one, else between them. None without one.

    `key` is the column of the images. DataError where several may be it.
    """
    free = [name for name in raw.columns if name not in {key, *taken}]
    named = [name for name in free if meaning_of(name) == "label" or compact(name) in NAMES]
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
            f"Any of the columns {shown} may say the classes of the objects; call the one that does 'class', or leave out the others."
        )
    return next(iter(found), None)


def _are_classes(column: pl.Series) -> bool:
    """Whether values are few words that return."""
    said = column.drop_nulls()
    words = said.unique()
    if not 1 < len(words) <= min(MOST, len(said) // REPEATED) or words.str.contains(NO_WORD).any():
        return False
    return not {word.casefold() for word in words} <= FLAGS.keys() and known_values(words.to_list()) is None


def class_row(raw: pl.DataFrame, kind: str | None) -> tuple[UnderstoodRow, ...]:
    """What is said of the column of classes."""
    if kind is None:
        return ()
    said = raw[kind].drop_nulls()
    by_name = meaning_of(kind) == "label" or compact(kind) in NAMES or weak_label(kind)
    examples = tuple(said.unique(maintain_order=True).head(EXAMPLES))
    how: Literal["name", "values"] = "name" if by_name else "values"
    return (UnderstoodRow(place=kind, meaning="label", how=how, matched=len(said), of=raw.height, examples=examples),)


def unused_columns(raw: pl.DataFrame, used: Collection[str | None]) -> tuple[str, ...]:
    """The other columns, but for those that may tell patients."""
    return tuple(name for name in raw.columns if name not in used and meaning_of(name) not in (*KEYS, "group"))
