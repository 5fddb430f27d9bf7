"""The table of labels that lies among the images: whether it labels them, or the folders that the images lie in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message

from .keys import keys_of
from .labels import BoxTableError, Choices, LabelTable
from .match_paths import match_paths
from .raw_table import SUFFIXES, read_raw_table
from .seen import Seen

__all__ = ["FolderTable", "table_in_folder"]

NEARLY = 0.9  # share of the images that a table must name to win against folders of classes
FEW = 20  # folders above which they are patients or studies rather than classes


@dataclass(frozen=True)
class FolderTable:
    """The table to take, None where there is none; what is to be said of it; and the tables of boxes beside it.

    `refused` is why a table that names the images cannot be used as it stands.
    """

    table: LabelTable | None
    notes: tuple[Message, ...]
    boxes: tuple[str, ...]
    refused: DataError | None = None


def table_in_folder(root: Path, seen: Seen, classes: set[str], choices: Choices) -> FolderTable:
    """The one table of labels in a folder.

    `classes` are the folders that the images lie in. Where there are several, a table wins only if it names nearly all
    images.
    """
    tables: list[LabelTable] = []
    notes: list[Message] = []
    boxes: list[str] = []
    refused: list[DataError] = []
    for path in sorted(p for p in root.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()):
        try:
            tables.append(LabelTable.read(path, seen, choices))
        except BoxTableError:
            boxes.append(path.name)
        except UsageError as error:
            refused.append(DataError(str(error)))
        except DataError as error:
            if _names_images(path, seen):
                refused.append(error)
                continue
            why = re.split("[:;]", str(error))[0]  # only its beginning: the rest may quote a row
            notes.append(Message("scan.table_unreadable", {"file": path.name, "why": why}))
    boxes += [Path(table.source).name for table in tables if table.boxes]
    if len(tables) > 1:
        names = [Path(table.source).name for table in tables]
        notes.append(Message("scan.tables_several", {"count": len(tables), "tables": names}))
    if len(tables) != 1:
        return FolderTable(None, tuple(notes), tuple(boxes), refused[0] if refused and not tables else None)
    table, file = tables[0], Path(tables[0].source).name
    if table.key == "path":
        named, of = len(set(match_paths(table.table["path"].drop_nulls(), seen.files).found.values())), len(seen.files)
        coverage = Message("scan.names_paths", {"named": named, "of": of})
        taken = bool(named) and (len(classes) < 2 or named >= NEARLY * of)
    else:
        key = table.understood.rows[0]
        named, of = key.matched, key.of
        coverage = Message("scan.names_keys", {"column": key.place, "named": named, "of": of})
        taken = not 2 <= len(classes) <= FEW or (bool(named) and named >= NEARLY * of)
    outcome = ("scan.table_taken" if taken else "scan.table_passed_over") + ("_for_folders" if len(classes) > 1 else "")
    notes.append(Message(outcome, {"file": file, "coverage": coverage}))
    return FolderTable(table if taken else None, tuple(notes), tuple(boxes))


def _names_images(path: Path, seen: Seen) -> bool:
    """Whether a table that cannot be read as labels names many of the images, and so is meant to label them."""
    try:
        raw = read_raw_table(path)
    except DataError:
        return False
    return any(
        key.meaning == "path" and key.matched >= 0.5 * len(seen.files) for key in keys_of(raw, seen, raw.columns)
    )
