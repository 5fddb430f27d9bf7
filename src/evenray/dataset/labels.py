"""Label tables: a CSV or Parquet file whose columns are told by their usual names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evenray.core.errors import DataError

__all__ = ["LabelTable"]

NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "image", "image_path", "filepath", "file_path", "imagepath"),
    "sop_instance_uid": ("sop_instance_uid", "sopinstanceuid", "sop", "instance_uid"),
    "study_instance_uid": ("study_instance_uid", "studyinstanceuid", "study_uid", "study"),
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id", "person", "case_id"),
    "label": ("label", "class", "target", "diagnosis", "finding", "category", "y"),
    "site": ("site", "hospital", "institution", "center", "centre", "scanner"),
    "part": ("split", "part", "set", "subset", "fold_name", "partition"),
}
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

    @classmethod
    def is_one(cls, path: Path) -> bool:
        """Whether a file can serve as a label table."""
        try:
            cls.read(path)
        except DataError:
            return False
        return True

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
        table = table.with_columns(pl.all().replace("", None))
        if "label" not in table.columns:
            raise DataError(
                f"The label table '{path}' has no column of labels; name one {' or '.join(NAMES['label'])}."
            )
        if not any(name in table.columns for name in KEYS):
            raise DataError(
                f"The label table '{path}' has no column that finds the images; name one of: {', '.join(KEYS)}."
            )
        return cls(table, str(path))


def _load(path: Path) -> pl.DataFrame:
    if path.suffix.lower() == ".parquet":
        return pl.read_parquet(path)
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    # As text: an identifier such as 007 is no number.
    return pl.read_csv(path, infer_schema=False, separator=separator, encoding="utf8-lossy")
