"""The table of labels that lies among the images: whether it labels them, or the folders that the images lie in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.core.names import as_path

from .keys import keys_of
from .labels import BoxTableError, Choices, LabelTable
from .match_paths import ENDING, match_paths
from .own_answers import are_own_answers
from .part_tables import have_same_columns, together
from .raw_table import SUFFIXES, read_raw_table
from .seen import Seen

__all__ = ["FolderTable", "table_in_folder"]

HALF, NEARLY = 0.5, 0.9  # share of the images that a table must name to win against folders of classes
DEEP, MOST, LARGEST = 2, 20, 2**28  # levels of folders, tables, and bytes of one, within which a table is looked for
SHOWN = 4
LINE = 1024  # bytes of a file that tell whether it is a list
FEW = 20  # folders above which they are patients or studies rather than classes


@dataclass(frozen=True)
class FolderTable:
    """The table to take, None where there is none; what is to be said of it; and the tables of boxes beside it.

    `refused` is why a table that names the images cannot be used as it stands; `several` that none was taken of several.
    """

    table: LabelTable | None
    notes: tuple[Message, ...]
    boxes: tuple[str, ...]
    refused: DataError | None = None
    several: bool = False


def table_in_folder(root: Path, inside: Sequence[str], seen: Seen, classes: set[str], choices: Choices) -> FolderTable:
    """The one table of labels in a folder; where it holds none, in a folder inside it or, where its folders are no classes, in the
    folder that it lies in, if it names nearly all images.

    `inside` are the tables below the folder; `classes` are the folders that the images lie in. Where there are several, a table
    wins only if it names nearly all images.
    """
    found = _one_of([as_path(root / name) for name in inside if "/" not in name], seen, classes, choices)
    if found.table is not None or found.several:
        return found
    below = [as_path(root / name) for name in inside if 0 < name.count("/") <= DEEP]
    for paths in (below, [] if len(classes) > 1 else _beside(root.resolve())):
        if 0 < len(paths) <= MOST:
            other = _one_of(paths, seen, classes, choices, nearly=True)
            if other.table is not None or other.several:
                return replace(other, notes=(*found.notes, *other.notes), boxes=(*found.boxes, *other.boxes))
    return found


def _beside(root: Path) -> list[Path]:
    try:
        found = [path for path in root.parent.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
        return sorted(path for path in found if path.stat().st_size < LARGEST)
    except OSError:
        return []


def _one_of(paths: list[Path], seen: Seen, classes: set[str], choices: Choices, *, nearly: bool = False) -> FolderTable:
    """The one of some tables that labels the images; with `nearly` those that name fewer than nearly all are not spoken of."""
    tables: list[LabelTable] = []
    notes: list[Message] = []
    boxes: list[str] = []
    refused: list[tuple[float, DataError]] = []
    for path, *others in together(list(filter(_is_list, paths))):
        try:
            tables.append(LabelTable.read(path, seen, choices, others))
        except BoxTableError:
            boxes += map(str, [path, *others])
        except UsageError as error:
            refused.append((1.0, DataError(str(error))))
        except DataError as error:
            if (share := _share_named(path, seen)) >= HALF:
                refused.append((share, error))
                continue
            why = re.split("[:;]", str(error))[0]  # only its beginning: the rest may quote a row
            notes.append(Message("scan.table_unreadable", {"file": path.name, "why": why}))
    boxes += [place for table in tables if table.boxes for place in (table.source, *table.others)]
    legends = [table for table in tables if _is_legend(table)]
    for table in legends:
        values = {"file": Path(table.source).name, "coverage": _coverage(table, seen)[1]}
        notes.append(Message("scan.table_passed_over_for_folders", values))
    tables = [table for table in tables if table not in legends]
    if any(len(table.labels) > 1 for table in tables):  # what says one thing of all images labels none
        tables = [table for table in tables if len(table.labels) > 1 or table.names]
    if nearly:
        notes, tables = [], _near(tables, seen, choices)
    for table in tables:
        if table.others:
            names = sorted(Path(place).name for place in (table.source, *table.others))
            notes.append(Message("scan.tables_of_parts", {"count": len(names), "tables": list(dict.fromkeys(names))}))
    named = [table for table in tables if table.named]
    if len(named) == 1 < len(tables):
        rest = [Path(table.source).name for table in tables if table is not named[0]]
        notes.append(Message("scan.table_of_several", {"file": Path(named[0].source).name, "tables": rest}))
        tables = named
    if len(tables) > 1:
        names = [Path(table.source).name for table in tables]
        notes.append(Message("scan.tables_several", {"count": len(tables), "tables": names}))
    if len(tables) != 1:
        return FolderTable(
            None, tuple(notes), tuple(boxes), max(refused, key=lambda each: each[0])[1] if refused and not tables else None,
            len(tables) > 1,
        )  # fmt: skip
    table, file = tables[0], Path(tables[0].source).name
    share, coverage = _coverage(table, seen)
    if table.key == "path":
        taken = share > 0 and (len(classes) < 2 or share >= NEARLY)
    else:
        taken = not 2 <= len(classes) <= FEW or share >= NEARLY
    outcome = ("scan.table_taken" if taken else "scan.table_passed_over") + ("_for_folders" if len(classes) > 1 else "")
    notes.append(Message(outcome, {"file": file, "coverage": coverage}))
    return FolderTable(table if taken else None, tuple(notes), tuple(boxes))


def _is_legend(table: LabelTable) -> bool:
    """Whether a table names each folder once and calls each otherwise, as a list of what classes mean does."""
    key = table.understood.rows[0]
    return key.meaning != "path" and not table.names and len(table.labels) == key.of > 1


def _near(tables: list[LabelTable], seen: Seen, choices: Choices) -> list[LabelTable]:
    """The tables that name nearly all images, else all of them as one, where they have the same columns and do so together."""
    whole = [table for table in tables if _coverage(table, seen)[0] >= NEARLY]
    sources = [Path(table.source) for table in tables]
    if not whole and len(tables) > 1 and have_same_columns(sources):
        with suppress(DataError):
            as_one = LabelTable.read(sources[0], seen, choices, sources[1:])
            if _coverage(as_one, seen)[0] >= NEARLY:
                return [as_one]
    return whole


def _coverage(table: LabelTable, seen: Seen) -> tuple[float, Message]:
    """The share of the images, or of a sample's identifiers, that a table names; and how that is said."""
    if table.key == "path":
        named, of = len(set(match_paths(table.table["path"].drop_nulls(), seen.files).found.values())), len(seen.files)
        return named / max(1, of), Message("scan.names_paths", {"named": named, "of": of})
    key = table.understood.rows[0]
    coverage = Message("scan.names_keys", {"column": key.place, "named": key.matched, "of": key.of})
    return key.matched / max(1, key.of), coverage


def _is_list(path: Path) -> bool:
    """Whether a file may be a table: of JSON only what begins as a list does, of plain text what names an image and more."""
    if "submission" in path.stem.lower():  # of a challenge: what to hand in, filled with zeros
        return False
    if are_own_answers(path):
        return False
    if path.suffix.lower() not in (".json", ".txt"):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(LINE).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    if path.suffix.lower() == ".json":
        return start.startswith(b"[")
    words = start.partition(b"\n")[0].decode("utf-8", "replace").replace(",", " ").split()
    return len(words) > 1 and any(re.search(ENDING, word) for word in words)


def _share_named(path: Path, seen: Seen) -> float:
    """The share of the images that a table which cannot be read as labels names; one that names many is meant to label them."""
    try:
        raw = read_raw_table(path)
    except DataError:
        return 0.0
    named = sum(key.matched for key in keys_of(raw, seen, raw.columns) if key.meaning == "path")
    return named / max(1, len(seen.files))
