"""The table of labels that lies among the images: whether it is taken, or the folders that the images lie in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from evenray.core.errors import DataError, MissingExtra, ReadError
from evenray.images.readers import identity

from .labels import LabelTable
from .matches import match

__all__ = ["own_table"]

NEARLY = 0.9  # share of the images that a table must name to win against folders of classes
FEW = 20  # folders above which they are patients or studies rather than classes
LOOKED = 64  # files whose headers say how many images a table of identifiers names
IDENTITY = {"patient": "patient_id", "study_instance_uid": "study_instance_uid", "sop_instance_uid": "sop_instance_uid"}


def own_table(
    root: Path, files: list[str], classes: set[str], patient: Callable[[str], str | None]
) -> tuple[LabelTable | None, tuple[str, ...]]:
    """The one table of labels in a folder, None where there is none to take; and what there is to say of it.

    `classes` are the folders that the images lie in. Where there are several, a table wins only if it names nearly all.
    `patient` is what a file's path says of whose it is.
    """
    tables: list[LabelTable] = []
    notes: list[str] = []

    def passed_over(why: str) -> tuple[None, tuple[str, ...]]:
        return None, (*notes, why)

    for path in sorted(p for p in root.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet") and p.is_file()):
        try:
            tables.append(LabelTable.read(path).beside(root))
        except DataError as error:  # only its beginning: the rest may quote a row
            why = re.split("[:;]", str(error))[0]
            notes.append(f"{path.name} in the folder is not used ({why}); name it with --labels if it should be")
    if not tables:
        return None, tuple(notes)
    if len(tables) > 1:
        names = ", ".join(Path(table.source).name for table in tables)
        return passed_over(
            f"the folder holds {len(tables)} tables of labels ({names}): none is used; name one with --labels"
        )
    table, name = tables[0], Path(tables[0].source).name
    if table.key == "path":
        named, of = len(set(match(table.table["path"].drop_nulls(), files).found.values())), len(files)
        share = f"it names {named} of the {of} images"
        taken = bool(named) and (len(classes) < 2 or named >= NEARLY * of)
    else:
        named, of = _identified(table, root, files, patient)
        share = f"it goes by {table.key}, and names {named} of {of} images that were looked at"
        taken = not 2 <= len(classes) <= FEW or (bool(named) and named >= NEARLY * of)
    if taken:
        over = ", and not from the folders" if len(classes) > 1 else ""
        return table, (*notes, f"the labels come from {name} in the folder{over}: {share}")
    rather = "the folders are the classes" if len(classes) > 1 else "it labels none"
    return passed_over(f"{name} in the folder is not used: {share}, and {rather}; to take it, name it with --labels")


def _identified(
    table: LabelTable, root: Path, files: list[str], patient: Callable[[str], str | None]
) -> tuple[int, int]:
    """Of some files that can be read: how many a table names by patient, study or instance, and how many there are."""
    known = set(table.table[table.key].drop_nulls())
    found = []
    for file in files[:: max(1, -(-len(files) // LOOKED))]:
        with suppress(ReadError, MissingExtra):
            value = (patient(file) if table.key == "patient" else None) or identity(root / file).get(
                IDENTITY[table.key]
            )
            found.append(str(value).strip() in known)
    return sum(found), len(found)
