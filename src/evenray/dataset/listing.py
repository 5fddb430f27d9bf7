"""What there is to scan: files and what the layout says of them, before any is opened."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from evenray.core.errors import DataError, UsageError

from .entries import Entry, Listing
from .labels import PARTS, LabelTable, matching
from .medmnist import archive

__all__ = ["files_below", "listing", "patient_of"]

SIDECARS = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml",
}  # fmt: skip


def listing(data: str | Path, *, labels: str | Path | None = None, patient: str | None = None) -> Listing:
    """List what DATA holds: folders of classes, a label table beside images, a MedMNIST file, or a tree of DICOM files.

    `labels` is a CSV or Parquet table; `patient` a regular expression whose groups, joined, are the patient, searched
    in the path relative to DATA. Raises DataError for an empty or unusable folder, UsageError for a wrong pattern.
    """
    path = Path(data)
    if not path.exists():
        raise DataError(
            f"There is no '{data}'; give a folder of images, a label table (.csv, .parquet) or a .npz file."
        )
    pattern = _pattern(patient)
    if path.is_file() and path.suffix.lower() == ".npz":
        return archive(path)
    if path.is_file():
        return _table(path, LabelTable.read(path), pattern)
    files = files_below(path)
    if labels is not None:
        return _tree(path, LabelTable.read(Path(labels)), files, pattern)
    own = _own_table(path, files)
    return _tree(path, own, files, pattern) if own else _folders(path, files, pattern)


def _own_table(root: Path, files: list[str]) -> LabelTable | None:
    """The one label table in a folder; None where there is another number, or where it names none of the files."""
    tables = []
    for path in sorted(p for p in root.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet") and p.is_file()):
        try:
            tables.append(LabelTable.read(path))
        except DataError:
            continue
    if len(tables) != 1:
        return None
    table = tables[0].beside(root)
    return None if table.key == "path" and matching(table.table["path"].drop_nulls(), files) is None else table


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(
            f"The patient pattern '{text}' is no regular expression: {error}; try '(person[0-9]+)'."
        ) from None


def patient_of(pattern: re.Pattern[str] | None, file: str) -> str | None:
    """What the pattern finds in a relative path: its groups joined, or the whole match where it has none.

    >>> patient_of(re.compile(r"(train|test)/.*(person[0-9]+)"), "test/SICK/person12_virus_3.jpeg")
    'test/person12'
    """
    found = pattern.search(file) if pattern else None
    if not found:
        return None
    groups = [group for group in found.groups() if group]
    return "/".join(groups) if groups else found.group()


def files_below(root: Path) -> list[str]:
    """The files that may be images, relative and in order; links are followed, hidden folders and run folders are not."""
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen or {"recipe.json", "provenance.json"} <= set(names):
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        above = Path(folder).relative_to(root)
        found += [(above / name).as_posix() for name in names if _may_be_image(Path(folder, name))]
    return sorted(found)


def _may_be_image(path: Path) -> bool:
    if path.name.startswith(".") or path.name.upper() in ("DICOMDIR", "THUMBS.DB", "LICENSE", "README"):
        return False
    return path.suffix.lower() not in SIDECARS and path.is_file()


def _folders(root: Path, files: list[str], pattern: re.Pattern[str] | None) -> Listing:
    """`class/.../file` or `part/class/.../file`, perhaps inside a folder that holds them all."""
    if not files:
        raise DataError(
            f"The folder '{root}' holds no image; expected class/file, part/class/file, or files and --labels."
        )
    wrapper = _wrapper(files)
    inner = [file[len(wrapper) :] for file in files]
    folders = sorted({file.split("/")[0] for file in inner if "/" in file})
    split = bool(folders) and all(name.lower() in PARTS for name in folders)
    if not split and (parts := [name for name in folders if name.lower() in PARTS]):
        others = ", ".join(name for name in folders if name not in parts)
        raise DataError(
            f"In '{root}' the folders {', '.join(parts)} look like the parts of a split, but {others} like classes; keep"
            " either folders of parts or folders of classes."
        )
    depth = 2 if split else 1
    entries = []
    for file, steps in zip(files, (file.split("/") for file in inner), strict=True):
        if len(steps) > depth:  # a file above the class folders has no label
            part = PARTS[steps[0].lower()] if split else None
            entries.append(_named(Entry(file, label=steps[depth - 1], part=part), pattern))
    if not entries:  # an audit does without labels
        return _unlabelled(root, files, pattern, split)
    return Listing(
        root, tuple(entries), layout="part/class/file" if split else "class/file", unlabelled=len(files) - len(entries)
    )


def _unlabelled(root: Path, files: list[str], pattern: re.Pattern[str] | None, split: bool) -> Listing:
    """Files that lie in no class folder, perhaps each in the folder of its part."""
    inner = [file[len(_wrapper(files)) :].split("/") for file in files]
    parts = [PARTS[steps[0].lower()] if split and len(steps) > 1 else None for steps in inner]
    entries = tuple(_named(Entry(file, part=part), pattern) for file, part in zip(files, parts, strict=True))
    return Listing(root, entries, layout="part/file" if split else "file", unlabelled=len(files))


def _wrapper(files: list[str]) -> str:
    """The folder that holds everything, as a zip often unpacks into one, with its slash; "" where there is none."""
    first, *others = {file.split("/")[0] if "/" in file else "" for file in files}
    inside = {file.split("/")[1] for file in files if file.count("/") > 1}
    return f"{first}/" if first and not others and first.lower() not in PARTS and len(inside) > 1 else ""


def _named(entry: Entry, pattern: re.Pattern[str] | None) -> Entry:
    return replace(entry, patient=patient_of(pattern, entry.file) or entry.patient)


def _table(path: Path, table: LabelTable, pattern: re.Pattern[str] | None) -> Listing:
    """A table whose path column names the images beside it."""
    if "path" not in table.columns:
        raise DataError(
            f"The table '{path}' has no column of paths (path, file, image); add one, or run on the folder of images with"
            f" --labels '{path}'."
        )
    rows = [row for row in table.beside(path.parent).rows() if row["path"]]
    labels: dict[str, str] = {}
    for row in rows:
        if row["label"] and labels.setdefault(row["path"], row["label"]) != row["label"]:
            raise DataError(f"'{path}' gives {row['path']} two different labels; keep one row for each.")
    if not labels:
        raise DataError(f"The table '{path}' has no row with both a path and a label.")
    unique = {row["path"]: row for row in reversed(rows) if row["label"]}
    entries = [
        Entry(
            file=row["path"], label=row["label"], patient=row.get("patient") or patient_of(pattern, row["path"]),
            site=row.get("site"), sex=row.get("sex"), age=row.get("age"), part=row.get("part"),
        )
        for row in reversed(unique.values())
    ]  # fmt: skip
    unlabelled = len({row["path"] for row in rows} - set(labels))
    return Listing(path.parent, tuple(entries), layout="table of paths", unlabelled=unlabelled)


def _tree(root: Path, table: LabelTable, files: list[str], pattern: re.Pattern[str] | None) -> Listing:
    """Any tree of files, labelled by a table after they are read."""
    if not files:
        raise DataError(f"The folder '{root}' holds no image to label with the table; check the folder.")
    table = table.beside(root)
    patients = _patients(table, files)
    folders = {file.split("/")[0].lower() if "/" in file else "" for file in files}
    split = folders <= set(PARTS)
    entries = tuple(
        _named(
            Entry(file, patient=patients.get(file), part=PARTS[file.split("/")[0].lower()] if split else None), pattern
        )
        for file in files
    )
    return Listing(root, entries, table=table, layout=f"files labelled by {table.key}")


def _patients(table: LabelTable, files: list[str]) -> dict[str, str]:
    """The patient of each file as the table says it by path; known before the join, it is struck from the case's name."""
    if table.key != "path" or "patient" not in table.columns:
        return {}
    rows = table.table.select("path", "patient").drop_nulls()
    of = matching(rows["path"], files)
    told = {of(path): patient for path, patient in rows.iter_rows()} if of else {}
    return {file: told[of(file)] for file in files if of and of(file) in told}
