"""Label tables: a CSV or Parquet file whose columns are told by their usual names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from evenray.core.errors import DataError
from evenray.metrics import bands

__all__ = ["PARTS", "LabelTable", "age_band", "matching"]

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
PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
KEYS = ("path", "sop_instance_uid", "study_instance_uid", "patient")


@dataclass(frozen=True)
class LabelTable:
    """A table of labels with its columns renamed to the names of NAMES; every value is text or null.

    `key` is the column that finds the images: the most exact one that the table has.
    """

    table: pl.DataFrame
    source: str

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
            text = text.replace("\\", "/").removeprefix("./")
            if not text.startswith("/") and (base / text).exists():
                return text
            full = Path(os.path.normpath(here / text))
            return full.relative_to(base).as_posix() if full.is_relative_to(base) else text

        placed = pl.col("path").map_elements(place, return_dtype=pl.String)
        return replace(self, table=self.table.with_columns(placed))

    @classmethod
    def read(cls, path: Path) -> LabelTable:
        """Read a table; DataError says which column is missing and what it may be called."""
        if not path.exists():
            raise DataError(f"There is no label table '{path}'.")
        try:
            table = _load(path)
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
            first = str(error).splitlines()[0]
            raise DataError(f"The label table '{path}' cannot be read: {first}") from None
        renamed: dict[str, str] = {}
        for name, aliases in NAMES.items():
            for alias in aliases:
                found = [c for c in table.columns if c.strip().lower() == alias and c not in renamed]
                if found:
                    renamed[found[0]] = name
                    break
        table = table.select([pl.col(c).cast(pl.String).str.strip_chars().alias(n) for c, n in renamed.items()])
        table = _with_parts(table.with_columns(pl.all().replace("", None)), path)
        if "label" not in table.columns:
            raise DataError(
                f"The label table '{path}' has no column of labels; name one {' or '.join(NAMES['label'])}."
            )
        if not any(name in table.columns for name in KEYS):
            raise DataError(
                f"The label table '{path}' has no column that finds the images; name one of: {', '.join(KEYS)}."
            )
        return cls(table, str(path))


def _with_parts(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The column `part` in our words; dropped where it holds none of them, as a column of fold numbers."""
    if "part" not in table.columns:
        return table
    table = table.with_columns(pl.col("part").str.to_lowercase())
    foreign = sorted(set(table["part"].drop_nulls()) - set(PARTS))
    if len(foreign) == table["part"].drop_nulls().n_unique():
        return table.drop("part")
    if foreign:
        raise DataError(
            f"The label table '{path}' assigns cases to the part '{foreign[0]}'; known are: {', '.join(PARTS)}. Leave the"
            " rows out, or name their part."
        )
    return table.with_columns(pl.col("part").replace(PARTS))


def _load(path: Path) -> pl.DataFrame:
    if path.suffix.lower() == ".parquet":
        return pl.read_parquet(path)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    separator = max("\t;,", key=header.count)
    # As text: an identifier such as 007 is no number.
    return pl.read_csv(path, infer_schema=False, separator=separator, encoding="utf8-lossy")


def name_of(path: str) -> str:
    """The file's name.

    >>> name_of("a/b.nii.gz"), stem_of("a/b.nii.gz"), stem_of("1.2.840.5.dcm"), stem_of("1.2.840.5")
    ('b.nii.gz', 'b', '1.2.840.5', '1.2.840.5')
    """
    return PurePosixPath(path).name


def stem_of(path: str) -> str:
    """The file's name without what tells its format."""
    return re.sub(r"(\.nii)?\.[A-Za-z][A-Za-z0-9]{0,4}$", "", name_of(path))


MATCHES: tuple[Callable[[str], str], ...] = (str, name_of, stem_of)


def matching(paths: Iterable[str], files: Iterable[str]) -> Callable[[str], str] | None:
    """How paths of a table find files: whole, by name, or by name without ending; None where none finds any.

    Names tell files apart only where each stands once.
    """
    paths, files = list(paths), list(files)
    for of in MATCHES:
        keys = {of(file) for file in files}
        if not keys.isdisjoint(of(path) for path in paths) and (of is str or len(keys) == len(files)):
            return of
    return None


def age_band(text: str | None) -> str | None:
    """The band that an age lies in, which is all that is kept of it; None where the text is no age.

    >>> age_band("64"), age_band("17.5"), age_band("045Y"), age_band("unknown"), age_band(None)
    ('40 to 65', 'under 18', '40 to 65', None, None)
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(?:y|yrs?|years?)?", (text or "").strip(), re.IGNORECASE)
    return bands([float(found[1])])[0] if found else None
