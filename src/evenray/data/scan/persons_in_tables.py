"""Patients that a table beside the labels tells: of lesions and their images, of videos and their frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.data.tables.identifiers import is_nobody
from evenray.data.tables.keys import best_keys, keys_of
from evenray.data.tables.match_paths import match_paths
from evenray.data.tables.meanings import meaning_of
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.seen import Seen

from .file_names import Persons

__all__ = ["persons_in_tables"]

MOST, LARGEST = 20, 2**28  # tables, and bytes of one, that are looked at
NEARLY, REPEATED = 0.9, 0.9  # share of the images that the table must name; of the images, above which each has its own


def persons_in_tables(root: Path, tables: Iterable[Path], files: list[str]) -> Persons | None:
    """The person of each file, as the first table says that names nearly all of them and has a column called after patients,
    lesions or videos; each image is named once. None where there is no such table."""
    seen = Seen(root, lambda: files, lambda file: None)
    for path in list(tables)[:MOST]:
        try:
            raw = read_raw_table(path) if path.stat().st_size < LARGEST else pl.DataFrame()
        except (DataError, OSError):
            continue
        keys = best_keys([key for key in keys_of(raw, seen, raw.columns, "path", steps=False) if key.how == "path"])
        for meaning in ("patient", "group"):
            names = [name for name in raw.columns if meaning_of(name) == meaning and keys and name != keys[0].column]
            for name in names:
                told = _persons(raw.select(keys[0].column, name), files)
                if told is not None:
                    return Persons(f"{path.name}: {name}", told)
    return None


def _persons(rows: pl.DataFrame, files: list[str]) -> dict[str, str] | None:
    found = match_paths(rows[rows.columns[0]].drop_nulls(), files).found
    pairs = {found[key]: person for key, person in rows.drop_nulls().unique().iter_rows() if key in found}
    whole = len(pairs) == rows.drop_nulls().unique().height and len(pairs) >= NEARLY * len(files)
    if not whole or len(set(pairs.values())) > REPEATED * len(pairs) or any(map(is_nobody, pairs.values())):
        return None
    return pairs
