"""Label tables: a CSV or Parquet file whose columns are told by their usual names."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.metrics import bands

from .file_kinds import refuse_table
from .parts import part_of
from .text_table import read_text_table
from .words import MISSING, check_labels, whole_numbers

__all__ = ["NAMES", "BoxTableError", "LabelTable", "age_band", "exists"]

NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path", "filepath", "file_path", "imagepath"),
    "sop_instance_uid": ("sop_instance_uid", "sopinstanceuid", "sop", "instance_uid"),
    "study_instance_uid": ("study_instance_uid", "studyinstanceuid", "study_uid", "study"),
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id", "person", "case_id"),
    "label": ("label", "class", "target", "diagnosis", "finding", "category", "y"),
    "site": ("site", "hospital", "institution", "center", "centre", "scanner"),
    "sex": ("sex", "gender", "patient_sex", "patientsex"),
    "age": ("age", "patient_age", "patientage", "age_years"),
    "part": ("split", "part", "set", "subset", "fold_name", "partition"),
}
KEYS = ("path", "sop_instance_uid", "study_instance_uid", "patient")
MISSABLE = ("sop_instance_uid", "study_instance_uid", "patient", "label", "sex", "part")  # a site may be called NA
# Columns that say where something lies in an image; a table with two of them and no label is one of boxes.
PLACES = {
    "x", "y", "row", "column", "col", "w", "h", "width", "height", "radius", "left", "top", "right", "bottom", "x1", "y1", "x2",
    "y2", "xmin", "ymin", "xmax", "ymax", "x_min", "y_min", "x_max", "y_max",
}  # fmt: skip
FOLD = re.compile(r"(fold|cv)?[\s_-]*\d+(\.0+)?", re.IGNORECASE)
SHOWN = 5


class BoxTableError(DataError):
    """A table that says where things lie in images, and labels none."""


@dataclass(frozen=True)
class LabelTable:
    """A table of labels with its columns renamed to the names of NAMES; every value is text or null.

    `notes` say what of it is not used.
    """

    table: pl.DataFrame
    source: str
    notes: tuple[Message, ...] = ()

    @property
    def key(self) -> str:
        """The column that finds the images: the most exact one that the table has."""
        return _key(self.table)

    def beside(self, root: Path) -> LabelTable:
        """The table with its paths relative to `root` where they lie in it, as seen from the table's own folder."""
        if "path" not in self.table.columns:
            return self
        base, here = root.resolve(), Path(self.source).parent.resolve()

        def place(text: str) -> str:
            text = re.sub(r"^(\./+)+", "", text.replace("\\", "/"))
            if not text.startswith("/") and exists(base / text):
                return _without_detours(base, text)
            full = Path(os.path.normpath(here / text))
            inside = full.is_relative_to(base) and (text.startswith("/") or exists(full))
            return full.relative_to(base).as_posix() if inside else _without_detours(base, text)

        placed = pl.col("path").map_elements(place, return_dtype=pl.String)
        return replace(self, table=self.table.with_columns(placed))

    @classmethod
    def read(cls, path: Path) -> LabelTable:
        """Read a table; DataError says which column is missing and what it may be called."""
        if not path.exists():
            raise DataError(f"There is no label table '{path}'.")
        if refused := refuse_table(path):
            raise DataError(f"The label table '{path}' {refused[0]}; give a .csv, .tsv or .parquet file.")
        try:
            table = pl.read_parquet(path) if path.suffix.lower() == ".parquet" else read_text_table(path, "label table")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(f"The label table '{path}' cannot be read: {str(error).splitlines()[0]}") from None
        header = _header(table.columns)
        boxes = len(PLACES.intersection(column.strip().lower() for column in table.columns)) > 1
        table, notes = _renamed(table, path)
        if "label" not in table.columns:
            names = " or ".join(NAMES["label"])
            error_type = BoxTableError if boxes else DataError
            raise error_type(f"The label table '{path}' has no column of labels; name one {names}. {header}")
        if not any(name in table.columns for name in KEYS):
            raise DataError(
                f"The label table '{path}' has no column that finds the images; name one of: {', '.join(KEYS)}. {header}"
            )
        if not table.height:
            raise DataError(
                f"The label table '{path}' has a line of column names and no row; expected one row an image."
            )
        table, more = _clean(table, path)
        return cls(table, str(path), (*notes, *more))


def _key(table: pl.DataFrame) -> str:
    return next(name for name in KEYS if name in table.columns)


def exists(path: Path) -> bool:
    """Whether anything stands at a path; False for names that no file can have.

    >>> exists(Path("x" * 300))
    False
    """
    try:
        return path.exists()
    except OSError:
        return False


def _without_detours(base: Path, text: str) -> str:
    """A path without `..` and `//`, so that a file has one name; as it is where that would be another file, beyond a link."""
    plain = posixpath.normpath(text)
    if plain == text or not (exists(base / text) and exists(base / plain)):
        return text
    return plain if (base / text).samefile(base / plain) else text


def _header(columns: list[str]) -> str:
    named = [name for name in columns if name.strip() and not name.startswith("_duplicated_")]
    shown = ", ".join(f"'{name}'" for name in named[:SHOWN]) + (", ..." if len(named) > SHOWN else "")
    return f"Its first line names {shown or 'none'}; no title may stand above the names of the columns."


def _renamed(table: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[Message]]:
    """The known columns under the names of NAMES, as text; of several that could be one, the first usual name is taken."""
    renamed: dict[str, str] = {}
    notes = []
    for name, aliases in NAMES.items():
        found = [c for alias in aliases for c in table.columns if c.strip().lower() == alias]
        renamed |= dict.fromkeys(found[:1], name)
        if others := [f"'{c}'" for c in found[1:]]:
            values = {"file": path.name, "taken": found[0], "name": name, "others": others}
            notes.append(Message("scan.column_twice", values))
    columns = [pl.col(c).cast(pl.String).str.strip_chars().alias(name) for c, name in renamed.items()]
    return table.select(columns), notes


def _clean(table: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[Message]]:
    """The values with what is missing as null, labels and parts in one way of writing; and what there is to say of them."""
    missable = [name for name in MISSABLE if name in table.columns]
    words = {name: table[name].filter(table[name].is_in(MISSING)).unique().sort().to_list() for name in missable}
    quoted = {name: [f"'{word}'" for word in found if word] for name, found in words.items()}
    table = table.with_columns(
        pl.col(missable).replace(dict.fromkeys(MISSING)), pl.all().exclude(missable).replace("", None)
    )
    notes = []
    for name in dict.fromkeys((_key(table), "label", "patient")):
        count = table[name].null_count() if name in table.columns else 0
        means = quoted.get(name)
        if name == "label" and count == table.height:
            why = f" ({', '.join(means)} taken as missing)" if means else ""
            raise DataError(
                f"None of the {table.height} rows of the label table '{path}' has a label{why}; fill in the"
                " column, or write a class of that name in another way."
            )
        if count:
            values = {"count": count, "rows": table.height, "file": path.name, "column": name}
            notes.append(
                Message("scan.rows_lacking_words", values | {"words": means})
                if means
                else Message("scan.rows_lacking", values)
            )
    table = table.with_columns(pl.col("label").replace(whole_numbers(table["label"].drop_nulls().unique())))
    check_labels(table["label"].drop_nulls().unique(), path)
    if "part" in table.columns:
        parts = _parts(table["part"], path)
        if parts is None:
            notes.append(Message("scan.folds", {"file": path.name}))
        table = table.drop("part") if parts is None else table.with_columns(part=parts)
    return table, notes


def _parts(given: pl.Series, path: Path) -> pl.Series | None:
    """The column `part` as train, validation and test; None where it holds numbers of folds."""
    parts = {word: part_of(word) for word in given.drop_nulls().unique().sort()}
    unknown = [word for word, part in parts.items() if part is None]
    if unknown and all(FOLD.fullmatch(word) for word in parts):
        return None
    if unknown:
        raise DataError(
            f"The label table '{path}' assigns cases to the part{'s' if len(unknown) > 1 else ''}"
            f" {', '.join(repr(word) for word in unknown[:SHOWN])}; known are: train, val, test, and other words for them."
            " Write one of these, leave the rows out, or rename the column where it holds something else."
        )
    return given.replace_strict(parts, default=None, return_dtype=pl.String)


def age_band(text: str | None) -> str | None:
    """The band that an age lies in, which is all that is kept of it; None where the text is no age.

    >>> age_band("64"), age_band("17.5"), age_band("045Y"), age_band("unknown"), age_band(None)
    ('40–65', '<18', '40–65', None, None)
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(?:y|yrs?|years?)?", (text or "").strip(), re.IGNORECASE)
    return bands([float(found[1])])[0] if found else None
