"""The table of labels that lies among the images: whether it labels them, or the folders that the images lie in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evenray.core.errors import DataError, MissingExtra, ReadError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.images.readers import identity

from .labels import BoxTableError, LabelTable
from .match_paths import match_paths

__all__ = ["FolderTable", "table_in_folder"]

NEARLY = 0.9  # share of the images that a table must name to win against folders of classes
FEW = 20  # folders above which they are patients or studies rather than classes
SAMPLE = 64  # files whose headers say how many images a table of identifiers names
IDENTITY = {"patient": "patient_id", "study_instance_uid": "study_instance_uid", "sop_instance_uid": "sop_instance_uid"}


@dataclass(frozen=True)
class FolderTable:
    """The table to take, None where there is none; what is to be said of it; and the tables of boxes beside it."""

    table: LabelTable | None
    notes: tuple[Message, ...]
    boxes: tuple[str, ...]


def table_in_folder(
    root: Path, files: list[str], classes: set[str], patient_of: Callable[[str], str | None]
) -> FolderTable:
    """The one table of labels in a folder.

    `classes` are the folders that the images lie in. Where there are several, a table wins only if it names nearly all
    images. `patient_of` finds the patient in a path.
    """
    tables: list[LabelTable] = []
    notes: list[Message] = []
    boxes: list[str] = []
    for path in sorted(p for p in root.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet") and p.is_file()):
        try:
            tables.append(LabelTable.read(path).beside(root))
        except BoxTableError:
            boxes.append(path.name)
        except DataError as error:  # only its beginning: the rest may quote a row
            why = re.split("[:;]", str(error))[0]
            notes.append(Message("scan.table_unreadable", {"file": path.name, "why": why}))
    if len(tables) > 1:
        names = [Path(table.source).name for table in tables]
        notes.append(Message("scan.tables_several", {"count": len(tables), "tables": names}))
    if len(tables) != 1:
        return FolderTable(None, tuple(notes), tuple(boxes))
    table, file = tables[0], Path(tables[0].source).name
    if table.key == "path":
        named, of = len(set(match_paths(table.table["path"].drop_nulls(), files).found.values())), len(files)
        coverage = Message("scan.names_paths", {"named": named, "of": of})
        taken = bool(named) and (len(classes) < 2 or named >= NEARLY * of)
    else:
        named, of = _identified(table, root, files, patient_of)
        coverage = Message("scan.names_keys", {"column": table.key, "named": named, "of": of})
        taken = not 2 <= len(classes) <= FEW or (bool(named) and named >= NEARLY * of)
    outcome = ("scan.table_taken" if taken else "scan.table_passed_over") + ("_for_folders" if len(classes) > 1 else "")
    notes.append(Message(outcome, {"file": file, "coverage": coverage}))
    return FolderTable(table if taken else None, tuple(notes), tuple(boxes))


def _identified(
    table: LabelTable, root: Path, files: list[str], patient_of: Callable[[str], str | None]
) -> tuple[int, int]:
    """Of a sample of the files: how many a table names by patient, study or instance, and how many can be read."""
    known = set(table.table[table.key].drop_nulls())
    found = []
    for file in files[:: max(1, -(-len(files) // SAMPLE))]:
        with suppress(ReadError, MissingExtra):
            value = (patient_of(file) if table.key == "patient" else None) or getattr(
                identity(as_path(root / file)), IDENTITY[table.key]
            )
            found.append(str(value).strip() in known)
    return sum(found), len(found)
