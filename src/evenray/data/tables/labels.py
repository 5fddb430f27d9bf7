"""Label tables: a CSV or Parquet file whose columns are told by their usual names."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.errors import DataError
from evenray.metrics import bands

from .foreign import foreign
from .parts import PARTS, part_of
from .textual import read_text_table
from .words import MISSING, check_labels, whole_numbers

__all__ = ["PARTS", "LabelTable", "age_band", "there"]

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
FOLD = re.compile(r"(fold|cv)?[\s_-]*\d+(\.0+)?", re.IGNORECASE)
SHOWN = 5


@dataclass(frozen=True)
class LabelTable:
    """A table of labels with its columns renamed to the names of NAMES; every value is text or null.

    `key` is the column that finds the images: the most exact one that the table has. `notes` are sentences about what of
    it is not used.
    """

    table: pl.DataFrame
    source: str
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return self.table.columns

    @property
    def key(self) -> str:
        return next(name for name in KEYS if name in self.table.columns)

    def rows(self) -> list[dict[str, Any]]:
        return list(self.table.iter_rows(named=True))

    def beside(self, root: Path) -> LabelTable:
        """The table with its paths relative to `root` where they lie in it, as seen from the table's own folder."""
        if "path" not in self.columns:
            return self
        base, here = root.resolve(), Path(self.source).parent.resolve()

        def place(text: str) -> str:
            text = re.sub(r"^(\./+)+", "", text.replace("\\", "/"))
            if not text.startswith("/") and there(base / text):
                return _plain(base, text)
            full = Path(os.path.normpath(here / text))
            inside = full.is_relative_to(base) and (text.startswith("/") or there(full))
            return full.relative_to(base).as_posix() if inside else _plain(base, text)

        placed = pl.col("path").map_elements(place, return_dtype=pl.String)
        return replace(self, table=self.table.with_columns(placed))

    @classmethod
    def read(cls, path: Path) -> LabelTable:
        """Read a table; DataError says which column is missing and what it may be called."""
        if not path.exists():
            raise DataError(f"There is no label table '{path}'.")
        if told := foreign(path):
            raise DataError(f"The label table '{path}' {told[0]}; give a .csv, .tsv or .parquet file.")
        try:
            table = pl.read_parquet(path) if path.suffix.lower() == ".parquet" else read_text_table(path, "label table")
        except (pl.exceptions.PolarsError, OSError) as error:
            first = str(error).splitlines()[0]
            raise DataError(f"The label table '{path}' cannot be read: {first}") from None
        renamed: dict[str, str] = {}
        passed_over: list[str] = []
        for name, aliases in NAMES.items():
            found = [c for alias in aliases for c in table.columns if c.strip().lower() == alias]
            renamed |= dict.fromkeys(found[:1], name)
            if others := ", ".join(f"'{c}'" for c in found[1:]):
                passed_over.append(f"of {path.name}, the column '{found[0]}' is taken as {name}, not {others}")
        seen = _seen(table.columns)
        table = table.select([pl.col(c).cast(pl.String).str.strip_chars().alias(n) for c, n in renamed.items()])
        if "label" not in table.columns:
            raise DataError(
                f"The label table '{path}' has no column of labels; name one {' or '.join(NAMES['label'])}. {seen}"
            )
        if not any(name in table.columns for name in KEYS):
            raise DataError(
                f"The label table '{path}' has no column that finds the images; name one of: {', '.join(KEYS)}. {seen}"
            )
        if not table.height:
            raise DataError(
                f"The label table '{path}' has a line of column names and no row; expected one row an image."
            )
        table, notes = _checked(table, path)
        return cls(table, str(path), (*passed_over, *notes))


def there(path: Path) -> bool:
    """Whether anything stands at a path; names that no file can have are asked for as well.

    >>> there(Path("x" * 300))
    False
    """
    try:
        return path.exists()
    except OSError:
        return False


def _plain(base: Path, text: str) -> str:
    """A path without detours, so that a file has one name, where that is the same file: beyond links it may be another."""
    plain = posixpath.normpath(text)
    if plain == text or not (there(base / text) and there(base / plain)):
        return text
    return plain if (base / text).samefile(base / plain) else text


def _seen(columns: list[str]) -> str:
    named = [name for name in columns if name.strip() and not name.startswith("_duplicated_")]
    shown = ", ".join(f"'{name}'" for name in named[:SHOWN]) + (", ..." if len(named) > SHOWN else "")
    return f"Its first line names {shown or 'none'}; no title may stand above the names of the columns."


def _checked(table: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The values with what is missing as null, labels and parts in one way of writing; and what there is to say of them."""
    missing = [name for name in MISSABLE if name in table.columns]
    words = {name: table[name].filter(table[name].is_in(MISSING)).unique().sort().to_list() for name in missing}
    table = table.with_columns(
        pl.col(missing).replace(dict.fromkeys(MISSING)), pl.all().exclude(missing).replace("", None)
    )
    key = next(name for name in KEYS if name in table.columns)
    lacking = [
        (name, table[name].null_count()) for name in dict.fromkeys((key, "label", "patient")) if name in table.columns
    ]
    said = [
        f"{count} of the {table.height} rows of {path.name} have no {name}{_as_words(words.get(name, []))}"
        for name, count in lacking
        if count
    ]
    if ("label", table.height) in lacking:
        raise DataError(
            f"None of the {table.height} rows of the label table '{path}' has a label{_as_words(words['label'])}; fill in the"
            " column, or write a class of that name in another way."
        )
    whole = whole_numbers(table["label"].drop_nulls().unique())
    table = table.with_columns(pl.col("label").replace(whole)) if whole else table
    check_labels(table["label"].drop_nulls().unique(), path)
    if "part" in table.columns:
        parts = _parts(table["part"], path)
        if parts is None:
            said.append(f"a column of {path.name} holds numbers of folds, not the parts of a split, and is not used")
        table = table.drop("part") if parts is None else table.with_columns(part=parts)
    return table, tuple(said)


def _as_words(words: list[str]) -> str:
    told = ", ".join(f"'{word}'" for word in words if word)
    return f" ({told} {'means' if told.count(chr(39)) == 2 else 'mean'} missing)" if told else ""


def _parts(given: pl.Series, path: Path) -> pl.Series | None:
    """The column `part` in our words; None where it holds numbers of folds."""
    meant = {word: part_of(word) for word in given.drop_nulls().unique().sort()}
    foreign = [word for word, part in meant.items() if part is None]
    if foreign and all(FOLD.fullmatch(word) for word in meant):
        return None
    if foreign:
        raise DataError(
            f"The label table '{path}' assigns cases to the part{'s' if len(foreign) > 1 else ''}"
            f" {', '.join(repr(word) for word in foreign[:SHOWN])}; known are: train, val, test, and other words for them."
            " Write one of these, leave the rows out, or rename the column where it holds something else."
        )
    return given.replace_strict(meant, default=None, return_dtype=pl.String)


def age_band(text: str | None) -> str | None:
    """The band that an age lies in, which is all that is kept of it; None where the text is no age.

    >>> age_band("64"), age_band("17.5"), age_band("045Y"), age_band("unknown"), age_band(None)
    ('40 to 65', 'under 18', '40 to 65', None, None)
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(?:y|yrs?|years?)?", (text or "").strip(), re.IGNORECASE)
    return bands([float(found[1])])[0] if found else None
