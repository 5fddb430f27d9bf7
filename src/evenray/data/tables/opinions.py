"""Several readers of one image: what the majority of them says, or one of them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from evenray.core.errors import UsageError
from evenray.core.messages import Message

from .findings import FINDINGS, Told
from .positive import healthy

__all__ = ["Opinions", "rows_of_places", "settled"]


@dataclass(frozen=True)
class Opinions:
    """One row an image; `ratings` has what each reader said of it: key, reader (numbered) and label or findings."""

    table: pl.DataFrame
    told: Told
    ratings: pl.DataFrame | None = None
    notes: tuple[Message, ...] = ()


def settled(table: pl.DataFrame, key: str, told: Told, asked: str | None) -> Opinions:
    """One row an image of a table with a row a reader and image, or several where a reader sees several things in one.

    `table` has `reader` and the column `key`; `told` what its rows say. A reader who names two findings of one image makes the
    data several findings an image. Findings and classes are those of more than half of an image's readers; where two are
    equally many, unknown. With `asked`, those of this reader. UsageError where there is no such reader.
    """
    readers = table["reader"].drop_nulls().unique().sort().to_list()
    if asked is not None and asked not in readers:
        raise UsageError(
            f"There is no reader '{asked}'; the {len(readers)} of the table include {', '.join(readers[:5])}."
        )
    if not told.names:
        table, told = _sets(table, key, told, ["reader"])
    rows = table.with_columns(_said=told.values).drop_nulls(key)
    if asked is not None:
        rows = rows.filter(pl.col("reader") == asked)
    if told.names:
        rows = rows.with_columns(_said=pl.col("_said").cast(FINDINGS))
    numbers = {name: f"reader {number}" for number, name in enumerate(readers, 1)}
    ratings = rows.select(
        key, reader=pl.col("reader").replace(numbers), **{"findings" if told.names else "label": pl.col("_said")}
    )
    first = [pl.col(name).drop_nulls().first() for name in rows.columns if name not in (key, "_said", "reader")]
    each = rows.group_by(key, maintain_order=True).agg(*first, _said=pl.col("_said"))
    said = each.select("_said").to_series()
    majority = _findings(said, len(told.names)) if told.names else said.map_elements(_class, return_dtype=pl.String)
    code = "scan.reader_asked" if asked is not None else "scan.readers"
    notes = [Message(code, {"readers": len(readers), "images": each.height})]
    if ties := int(majority.null_count()):
        notes.append(Message("scan.readers_tied", {"count": ties}))
    return Opinions(each.drop("_said"), Told(majority, told.names, told.notes), ratings, tuple(notes))


def rows_of_places(table: pl.DataFrame, key: str, told: Told) -> tuple[pl.DataFrame, Told]:
    """One row an image of a table with a row a place in an image: the set of what the places of each are called."""
    if not told.names:
        return _sets(table, key, told, [])
    rows = table.with_columns(_said=told.values).drop_nulls(key)
    others = [pl.col(name).drop_nulls().first() for name in table.columns if name != key]
    each = rows.group_by(key, maintain_order=True).agg(*others, *(
        pl.col("_said").list.get(at, null_on_oob=True).max().alias(f"_{at}") for at in range(len(told.names))
    ))  # fmt: skip
    names = [f"_{at}" for at in range(len(told.names))]
    values = each.select(
        pl.when(~pl.all_horizontal(pl.col(names).is_null())).then(pl.concat_list(names)).alias("findings")
    ).to_series()
    return each.drop(names), Told(values.cast(FINDINGS), told.names)


def _sets(table: pl.DataFrame, key: str, told: Told, more: list[str]) -> tuple[pl.DataFrame, Told]:
    """The rows of an image (and reader) as one: classes where each has one, else findings."""
    by = [key, *more]
    rows = table.with_columns(_said=told.values).drop_nulls(by)
    others = [pl.col(name).drop_nulls().first() for name in table.columns if name not in by]
    each = rows.group_by(by, maintain_order=True).agg(*others, _said=pl.col("_said").drop_nulls().unique().sort())
    names = rows["_said"].drop_nulls().unique().sort().to_list()
    none = {name for name in names if healthy(name)}
    sets = [[name for name in said if name not in none] or list(said) for said in each["_said"].to_list()]
    table = each.drop("_said")
    if all(len(said) < 2 or set(said) <= none for said in sets):
        values = pl.Series([said[0] if said else None for said in sets], dtype=pl.String)
        return table, Told(values, (), told.notes)
    found = tuple(name for name in names if name not in none)
    values = pl.Series([[name in said for name in found] if said else None for said in sets], dtype=FINDINGS)
    notes = (*told.notes, *((Message("scan.no_finding", {"names": sorted(none)}),) if none else ()))
    return table, Told(values, found, notes)


def _class(said: pl.Series) -> str | None:
    counts = said.drop_nulls().value_counts(sort=True)
    if not counts.height:
        return None
    best = counts.filter(pl.col("count") == counts["count"][0])
    return str(best[best.columns[0]][0]) if best.height == 1 else None


def _findings(said: pl.Series, width: int) -> pl.Series:
    """The majority of each finding, over the readers who say yes or no of it."""
    found: list[list[bool | None] | None] = []
    for readers in said.to_list():
        known = [reader for reader in readers if reader is not None]
        row: list[bool | None] = []
        for place in range(width):
            votes = [reader[place] for reader in known if reader[place] is not None]
            yes = sum(votes)
            row.append(None if 2 * yes == len(votes) else 2 * yes > len(votes))
        found.append(row if known and any(flag is not None for flag in row) else None)
    return pl.Series(found, dtype=FINDINGS)
