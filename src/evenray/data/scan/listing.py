"""What there is to scan: files and what the layout says of them, before any is opened."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.data.tables.agreed import agreed
from evenray.data.tables.foreign import foreign
from evenray.data.tables.labels import LabelTable, there
from evenray.data.tables.matches import Matches, match
from evenray.data.tables.own import own_table
from evenray.data.tables.parts import part_of

from .entries import SHUT, Entry, Listing, Searched
from .medmnist import archive

__all__ = ["files_below", "listing", "patient_of"]

SIDECARS = {
    ".csv", ".tsv", ".parquet", ".txt", ".json", ".md", ".xml", ".html", ".pdf", ".py", ".log", ".db", ".ini", ".zip",
    ".yaml", ".yml",
}  # fmt: skip
ABSOLUTE = r"^([A-Za-z]:)?[/\\]"


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
        found = archive(path)
        note = f"--patient is not used: the images of {path.name} have no paths"
        return replace(found, notes=(note, *found.notes)) if pattern else found
    if path.is_file():
        if told := foreign(path):
            raise DataError(f"'{data}' {told[0]}; {told[1]}.")
        return _searched(_table(path, LabelTable.read(path), pattern), pattern)
    lost: list[tuple[str, str]] = []
    files = files_below(path, lost)
    shut = [file for file, reason in lost if reason.startswith(SHUT)]
    try:
        found = _listed(path, labels, files, pattern)
    except DataError as error:
        raise DataError(f"{error} Besides, '{shut[0]}' {dict(lost)[shut[0]]}.") if shut else error from None
    notes = (f"{len(shut)} folders cannot be opened, and what is in them is left out",) if shut else ()
    return _searched(replace(found, rejected=(*lost, *found.rejected), notes=(*found.notes, *notes)), pattern)


def _listed(path: Path, labels: str | Path | None, files: list[str], pattern: re.Pattern[str] | None) -> Listing:
    if labels is not None:
        return _tree(path, LabelTable.read(Path(labels)), files, pattern)
    folders: Listing | DataError
    try:
        folders = _folders(path, files, pattern)
    except DataError as error:  # a table may still label them
        folders = error
    classes = folders.labels if isinstance(folders, Listing) else set()
    own, notes = own_table(path, files, classes, partial(patient_of, pattern))
    if own is not None:
        folders = _tree(path, own, files, pattern)
    if isinstance(folders, DataError):
        raise folders
    return replace(folders, notes=(*notes, *folders.notes))


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(
            f"The patient pattern '{text}' is no regular expression: {error}; try '(person[0-9]+)'."
        ) from None


def _searched(found: Listing, pattern: re.Pattern[str] | None) -> Listing:
    """The listing with what the pattern of patients did not find, if it did not."""
    if pattern is None:
        return found
    files = {entry.file: entry.patient for entry in found.entries}
    without = next((file for file, patient in files.items() if patient is None), None)
    if without is None:
        return found
    matched = sum(patient_of(pattern, file) is not None for file in files)
    return replace(found, searched=Searched(len(files), matched, without))


def patient_of(pattern: re.Pattern[str] | None, file: str) -> str | None:
    """What the pattern finds in a relative path: its groups joined, or the whole match where it has none; never "".

    >>> patient_of(re.compile(r"(train|test)/.*(person[0-9]+)"), "test/SICK/person12_virus_3.jpeg")
    'test/person12'
    >>> patient_of(re.compile(r"(person[0-9]+)?"), "SICK/IM-1.jpeg") is None
    True
    """
    found = pattern.search(file) if pattern else None
    if not found:
        return None
    groups = [group for group in found.groups() if group]
    return "/".join(groups) or found.group() or None


def files_below(root: Path, lost: list[tuple[str, str]] | None = None) -> list[str]:
    """The files that may be images, relative and in order; links are followed, hidden folders and run folders are not.

    Folders that cannot be opened, and names of images that are no files, are added to `lost` with the reason.
    """
    found: list[str] = []
    lost = [] if lost is None else lost
    seen: set[tuple[int, int]] = set()

    def shut(error: OSError) -> None:
        name = Path(str(error.filename)).relative_to(root).as_posix()
        lost.append((str(root) if name == "." else name, f"{SHUT}: {error.strerror or type(error).__name__}"))

    for folder, folders, names in os.walk(root, onerror=shut, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen or {"recipe.json", "provenance.json"} <= set(names):
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        above = Path(folder).relative_to(root)
        for name in filter(_may_be_image, names):
            path = Path(folder, name)
            if path.is_file():
                found.append((above / name).as_posix())
            else:
                reason = "is not a file" if path.exists() else "is a link to a file that does not exist"
                lost.append(((above / name).as_posix(), reason))
    lost.sort()
    return sorted(found)


def _may_be_image(name: str) -> bool:
    if name.startswith(".") or name.upper() in ("DICOMDIR", "THUMBS.DB", "LICENSE", "README"):
        return False
    return Path(name).suffix.lower() not in SIDECARS


def _folders(root: Path, files: list[str], pattern: re.Pattern[str] | None) -> Listing:
    """`class/.../file` or `part/class/.../file`, perhaps inside a folder that holds them all."""
    if not files:
        raise DataError(
            f"The folder '{root}' holds no image; expected class/file, part/class/file, or files and --labels."
        )
    wrapper = _wrapper(files)
    inner = [file[len(wrapper) :] for file in files]
    folders = sorted({file.split("/")[0] for file in inner if "/" in file})
    split = bool(folders) and all(part_of(name) for name in folders)
    if not split and (parts := [name for name in folders if part_of(name)]):
        others = ", ".join(name for name in folders if name not in parts)
        raise DataError(
            f"In '{root}' the folders {', '.join(parts)} look like the parts of a split, but {others} like classes; keep"
            " either folders of parts or folders of classes."
        )
    depth = 2 if split else 1
    entries = []
    for file, steps in zip(files, (file.split("/") for file in inner), strict=True):
        if len(steps) > depth:  # a file above the class folders has no label
            part = part_of(steps[0]) if split else None
            entries.append(_named(Entry(file, label=steps[depth - 1], part=part), pattern))
    if not entries:  # an audit does without labels
        return _unlabelled(root, files, pattern, split)
    above = len(files) - len(entries)
    notes = (f"{above} images lie above the folders of classes",) if above else ()
    layout = "part/class/file" if split else "class/file"
    return Listing(root, tuple(entries), layout=layout, unlabelled=above, notes=notes)


def _unlabelled(root: Path, files: list[str], pattern: re.Pattern[str] | None, split: bool) -> Listing:
    """Files that lie in no class folder, perhaps each in the folder of its part."""
    inner = [file[len(_wrapper(files)) :].split("/") for file in files]
    parts = [part_of(steps[0]) if split and len(steps) > 1 else None for steps in inner]
    entries = tuple(_named(Entry(file, part=part), pattern) for file, part in zip(files, parts, strict=True))
    return Listing(root, entries, layout="part/file" if split else "file", unlabelled=len(files))


def _wrapper(files: list[str]) -> str:
    """The folder that holds everything, as a zip often unpacks into one, with its slash; "" where there is none."""
    first, *others = {file.split("/")[0] if "/" in file else "" for file in files}
    inside = {file.split("/")[1] for file in files if file.count("/") > 1}
    return f"{first}/" if first and not others and not part_of(first) and len(inside) > 1 else ""


def _named(entry: Entry, pattern: re.Pattern[str] | None) -> Entry:
    return replace(entry, patient=patient_of(pattern, entry.file) or entry.patient)


def _table(path: Path, table: LabelTable, pattern: re.Pattern[str] | None) -> Listing:
    """A table whose path column names the images beside it."""
    if "path" not in table.columns:
        raise DataError(
            f"The table '{path}' has no column of paths (path, file, image); add one, or run on the folder of images with"
            f" --labels '{path}'."
        )
    written, table = table.table["path"], table.beside(path.parent)
    if not table.table.drop_nulls(["path", "label"]).height:
        raise DataError(f"The table '{path}' has no row with both a path and a label.")
    exact = set(table.table["path"].filter(written.str.contains(ABSOLUTE)))
    table, rejected = _found_below(table, path.parent, exact)
    named = table.table.drop_nulls("path")
    labelled = named.drop_nulls("label")
    rows = agreed(labelled, "path", "path", str(path)).to_dicts()
    entries = [
        Entry(
            file=row["path"], label=row["label"], patient=row.get("patient") or patient_of(pattern, row["path"]),
            site=row.get("site"), sex=row.get("sex"), age=row.get("age"), part=row.get("part"),
        )
        for row in rows
    ]  # fmt: skip
    unlabelled = named["path"].n_unique() - len(entries)
    return Listing(
        path.parent,
        tuple(entries),
        layout="table of paths",
        unlabelled=unlabelled,
        rejected=rejected,
        notes=table.notes,
    )


def _found_below(table: LabelTable, root: Path, exact: set[str]) -> tuple[LabelTable, tuple[tuple[str, str], ...]]:
    """The table with paths that are no files as written as those of the files below its folder that they mean.

    What is in `exact` was written in full and means no other file: nothing is searched for it.
    """
    paths = table.table["path"].drop_nulls().unique(maintain_order=True).to_list()
    kept = {path: path for path in paths if path in exact or there(root / path)}
    if len(kept) == len(paths) or not (below := files_below(root)):
        return table, ()
    meant = match([path for path in paths if path not in kept], below, below=True)
    found, rejected = _with_files(table, Matches(kept | meant.found, meant.several), below)
    if not meant.found:
        return found, rejected
    note = f"{len(meant.found)} paths of {Path(table.source).name} are no files as written, and are taken for those below its folder"
    return replace(found, notes=(f"{note} that they name", *found.notes)), rejected


def _tree(root: Path, table: LabelTable, files: list[str], pattern: re.Pattern[str] | None) -> Listing:
    """Any tree of files, labelled by a table after they are read."""
    if not files:
        raise DataError(f"The folder '{root}' holds no image to label with the table; check the folder.")
    table = table.beside(root)
    rejected: tuple[tuple[str, str], ...] = ()
    if table.key == "path":
        table, rejected = _with_files(table, match(table.table["path"].drop_nulls(), files), files)
    patients = _patients(table)
    tops = {file.split("/")[0] if "/" in file else "" for file in files}
    parts = {top: part_of(top) for top in tops} if all(map(part_of, tops)) else {}
    entries = tuple(
        _named(Entry(file, patient=patients.get(file), part=parts.get(file.split("/")[0])), pattern) for file in files
    )
    layout = f"files labelled by {table.key}"
    return Listing(root, entries, table=table, layout=layout, rejected=rejected, notes=table.notes)


def _with_files(
    table: LabelTable, matched: Matches, files: list[str]
) -> tuple[LabelTable, tuple[tuple[str, str], ...]]:
    """The table with the files that its paths mean, and the paths that mean none, or none alone, with the reason."""
    paths = table.table["path"].drop_nulls().unique(maintain_order=True)
    lost = [path for path in paths if path not in matched.found]
    unclear = [path for path in lost if path in matched.several]
    if not matched.found:
        values = f"{len(paths)} value{'s' if len(paths) > 1 else ''}"
        advice = "Check the column, or name another with a usual name."
        if unclear:
            advice = (
                f"{matched.several[unclear[0]]} files are called '{unclear[0]}': put their folders before the names."
            )
        raise DataError(
            f"{table.source} matches none of the {len(files)} images: its column path has {values}, such as '{lost[0]}', and"
            f" none is the path of one image, such as '{files[0]}'. {advice}"
        )
    notes = [*table.notes]
    if absent := len(lost) - len(unclear):
        notes.append(f"{absent} paths of {Path(table.source).name} name no file")
    if unclear:
        notes.append(
            f"{len(unclear)} paths of {Path(table.source).name} are the names of several files each and label none: put"
            " their folders before the names"
        )
    rejected = tuple(
        (path, f"is the name of {matched.several[path]} files; the table must say its folder" if path in matched.several
         else "does not exist")
        for path in lost
    )  # fmt: skip
    column = pl.col("path").replace_strict(matched.found, default=None, return_dtype=pl.String)
    return replace(table, table=table.table.with_columns(column).drop_nulls("path"), notes=tuple(notes)), rejected


def _patients(table: LabelTable) -> dict[str, str]:
    """The patient of each file as the table says it by path; known before the join, it is struck from the case's name."""
    if table.key != "path" or "patient" not in table.columns:
        return {}
    return dict(table.table.select("path", "patient").drop_nulls().iter_rows())
