"""Tables in other shapes than a row an image: cells that were merged, paths in two columns, left and right in columns of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message

from .columns import Columns
from .expressions import Asked
from .finding_columns import with_findings_joined
from .image_columns import with_images_as_rows
from .long_tables import widened
from .marks import with_marks
from .match_paths import match_paths
from .meanings import KEYS, PLACES, compact, meaning_of
from .part_columns import with_parts
from .path_columns import columns_of_paths, files_named
from .repeated_columns import a_row_each, repeated_columns
from .seen import Seen, side_of
from .words import quoted

__all__ = ["check_rows", "found_columns", "images_by_words", "numbers_named", "shaped", "whole_paths"]

MERGED, FEWEST = 0.25, 8  # share of rows left blank, and rows, from which cells may have been merged
SAMPLE, MOST = 200, 0.9
START = re.compile(r"([a-z]{3,})([-_ ]?)\d")
CALLED = re.compile(r"([a-z]{3,}?)(?:id|no|nr|num|number)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
BETWEEN = r"[\s_\-./()]+"


def found_columns(raw: pl.DataFrame, asked: Asked, path: Path) -> Asked:
    """What is asked for, with the names of columns as the table writes them; UsageError where one is no column."""
    columns = {meaning: tuple(_column(raw, name, path) for name in names) for meaning, names in asked.columns.items()}
    return Asked(columns, asked.values, asked.rest)


def _column(raw: pl.DataFrame, name: str, path: Path) -> str:
    if name in raw.columns:
        return name
    alike = [each for each in raw.columns if compact(each) == compact(name)]
    if len(alike) == 1:
        return alike[0]
    known = ", ".join(f"'{each}'" for each in raw.columns)
    raise UsageError(f"--column names '{name}', which is no column of '{path}'; its columns are {known}.")


def shaped(raw: pl.DataFrame, asked: Asked, path: Path, seen: Seen) -> tuple[pl.DataFrame, Asked, tuple[Message, ...]]:
    """The table with what `asked` says of its shape, a row an image where a row has several, a row a side, a reader or a visit where
    columns come in pairs, a column a finding where each had a row, and what is to be said of it.

    `fill` columns hold for the blank rows below a value; several columns of `path` are the folders and the name of a file, or
    words and numbers of it in their order.
    """
    columns = dict(asked.columns)
    fill = [_column(raw, name, path) for name in columns.pop("fill", ())]
    raw = raw.with_columns(pl.col(fill).forward_fill()) if fill else raw
    used = {compact(name) for names in columns.values() for name in names}
    repeated = repeated_columns(raw)
    repeated = repeated if repeated and used.isdisjoint(map(compact, repeated.used)) else None
    raw, notes = a_row_each(raw, repeated) if repeated else (raw, ())
    steps = [_column(raw, name, path) for name in columns.get("path", ())]
    if len(steps) > 1:
        columns["path"] = ("+".join(steps),)
        joined = raw.with_columns(pl.concat_str(steps, separator="/").alias("+".join(steps)))
        sample = joined["+".join(steps)].drop_nulls().unique().head(SAMPLE)
        plain = 2 * len(match_paths(sample, seen.files).found) > len(sample)
        named = None if plain else files_named(raw, seen, steps)
        others = [compact(name) for meaning, names in asked.columns.items() if meaning != "path" for name in names]
        # What is a number of images would look like one of persons.
        spent = steps[-1:] if named is None else [name for name in steps[1:] if meaning_of(name) not in KEYS]
        raw = (joined if named is None else named).drop(name for name in spent if compact(name) not in others)
    asked = replace(asked, columns=columns)
    raw = raw.with_columns(pl.all().str.replace(r"^(https?://[^?#]+)[?#].*$", "$1"))
    raw, said = with_marks(raw, [name for meaning in asked.values for name in asked.columns.get(meaning, ())])
    raw = with_parts(raw, [_column(raw, name, path) for name in columns.get("split", ())])
    notes = (*notes, *said)
    if repeated:
        return raw, asked, notes
    used = {compact(name) for name in asked.used}
    if several := with_images_as_rows(raw, [name for name in raw.columns if compact(name) in used]):
        return several[0], asked, (*notes, several[1])
    raw = with_findings_joined(raw, [name for name in raw.columns if compact(name) in used])
    pairs = {} if "side" in map(compact, raw.columns) else _pairs(raw)
    sided = {name for pair in pairs.values() for name in pair}
    if not pairs or used & {compact(name) for name in sided}:
        wide = widened(raw)
        if wide is None or used & {compact(name) for name in raw.columns if name not in wide[0].columns}:
            return raw, asked, notes
        return wide[0], asked, (*notes, wide[1])
    rows = pl.concat(
        raw.select(pl.all().exclude(sided), *(pl.col(pair[at]).alias(name) for name, pair in pairs.items()), side=pl.lit(side))
        for at, side in enumerate("LR")
    )  # fmt: skip
    return rows, asked, (*notes, Message("scan.side_columns", {"columns": sorted(sided), "rows": rows.height}))


def _pairs(raw: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Columns of the left and of the right by what both are called; they hold the same words, or files.

    >>> raw = pl.DataFrame({"id": ["1", "2"], "left_label": ["sick", "well"], "right_label": ["well", "well"]})
    >>> _pairs(raw)
    {'label': ('left_label', 'right_label')}
    """
    found: dict[str, dict[str, str]] = {}
    for name in raw.columns:
        spaced = CAMEL.sub("_", name)
        words = re.split(BETWEEN, spaced)
        sides = [word for word in words if side_of(word)]
        if len(sides) == 1 and len(words) > 1:
            rest = " ".join(word for word in words if word != sides[0])
            found.setdefault(rest, {})[str(side_of(sides[0]))] = name
    pairs = {rest: (pair["L"], pair["R"]) for rest, pair in found.items() if len(pair) == 2}
    return {
        rest: pair
        for rest, pair in pairs.items()
        if compact(rest)
        and compact(rest) not in PLACES
        and rest not in raw.columns
        and _alike(raw[pair[0]], raw[pair[1]])
    }


def _alike(left: pl.Series, right: pl.Series) -> bool:
    left, right = left.drop_nulls().unique(), right.drop_nulls().unique()
    kinds = [re.sub(r"\d+", "0", text) for text in (*left.head(SAMPLE), *right.head(SAMPLE)) if side_of(text)]
    return bool(left.is_in(right.implode()).any()) or len(kinds) >= MOST * min(2 * SAMPLE, len(left) + len(right))


def numbers_named(raw: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """The table with numbers as the images' names have them, where a column is called by the letters that all names begin with:
    LNDbID 7 is LNDb-0007."""
    numbers = [name for name in raw.columns if raw[name].str.contains(r"^\d+(\.0)?$").all()]
    for name in numbers:
        called = CALLED.fullmatch(compact(name))
        starts = {START.match(file.rpartition("/")[2].casefold()) for file in seen.files} if called else set()
        told = {(start[1], start[2]) if start else ("", "") for start in starts}
        if called and len(told) == 1 and next(iter(told))[0] == called[1]:
            plain = pl.col(name).str.replace(r"\.0$", "")
            return raw.with_columns((pl.lit("".join(next(iter(told)))) + plain).alias(name))
    return raw


def images_by_words(raw: pl.DataFrame, seen: Seen, asked: Asked) -> pl.DataFrame:
    """The table with files in place of the values of a column called as one of images, where it names them in other signs than their
    paths have."""
    names = asked.columns.get("path") or [name for name in raw.columns if meaning_of(name) == "path"]
    for name in names:
        sample = raw[name].drop_nulls().unique(maintain_order=True).head(SAMPLE)
        if not len(sample) or sample.str.contains(r"^([A-Za-z]:)?[/\\]").all() or match_paths(sample, seen.files).found:
            continue
        found = files_named(raw, seen, [name])
        if found is not None and found.height == raw.height and found[name].count() >= MOST * raw[name].count():
            return found
    return raw


def whole_paths(raw: pl.DataFrame, seen: Seen, columns: Columns, path: Path) -> None:
    """DataError where several images have the names that a column holds, and another column holds the folders of these, or where
    rows find the same images and several columns together name one each."""
    key, others = columns.key, (*columns.unused, *columns.others.values())
    if not raw[key.column].drop_nulls().is_duplicated().any() or {"side", "reader"} & columns.others.keys():
        return
    if key.how != "path" or key.meaning != "path":
        _several(raw, seen, [key.column, *others], path)
        return
    sample = raw.drop_nulls(key.column).head(SAMPLE)
    plain = match_paths(sample[key.column], seen.files)
    if not plain.ambiguous or len(plain.found) > len(plain.ambiguous):
        return
    for name in others:
        rows = sample.drop_nulls(name).select(pl.concat_str(name, key.column, separator="/")).to_series().unique()
        if len(rows) > 1 and len(match_paths(rows, seen.files).found) >= MOST * len(rows):
            raise DataError(
                f"Several images have the name '{next(iter(plain.ambiguous))}' of the column '{key.column}' of '{path}', and"
                f" '{name}' holds their folders: say --column 'path={quoted(name)}+{quoted(key.column)}'."
            )

    _several(raw, seen, [key.column, *others], path)


def _several(raw: pl.DataFrame, seen: Seen, columns: list[str], path: Path) -> None:
    if len(found := columns_of_paths(raw, seen, columns)) > 1:
        raise DataError(
            f"The columns {', '.join(map(repr, found))} of '{path}' name the images together, such as '{seen.files[0]}': say --column"
            f" 'path={'+'.join(map(quoted, found))}'."
        )


def check_rows(raw: pl.DataFrame, columns: Columns, path: Path) -> None:
    """DataError where patients stand in merged cells, or where some rows name an image and others a patient alone."""
    key, patient = columns.key, columns.others.get("patient")
    assert columns.labels is not None
    if patient is None or patient == key.column:
        return
    column = raw[patient]
    blank, known = column.null_count(), column.drop_nulls()
    if (
        raw.height >= FEWEST
        and blank >= MERGED * raw.height
        and column[0] is not None
        and known.n_unique() == len(known) > 1
    ):
        merged = [
            name for name in (patient, *columns.labels.columns) if (raw[name].is_null() == column.is_null()).all()
        ]
        raise DataError(
            f"The column '{patient}' of '{path}' has each of its {len(known)} values once and leaves {blank} rows blank, as merged"
            f" cells are saved: say --column 'fill={'+'.join(map(quoted, merged))}' to take a value for the blank rows below"
            f" it too, or --column 'ignore={quoted(patient)}' where patients are not known."
        )
    alone = raw.filter(
        pl.col(key.column).is_null()
        & pl.col(patient).is_not_null()
        & pl.any_horizontal(pl.col(columns.labels.columns).is_not_null())
    )
    if key.meaning == "path" and columns.how.get("path") != "asked" and alone.height:
        raise DataError(
            f"{alone.height} of {raw.height} rows of '{path}' name a patient ('{patient}') and a label, and no image"
            f" ('{key.column}'): write a row for each image of these patients, or leave these rows out with --column"
            f" 'path={quoted(key.column)}'."
        )
