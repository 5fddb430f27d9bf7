"""What there is to scan: files and what the layout says of them, before any is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import regex

from evenray.core.errors import DataError
from evenray.core.facts import PatientPattern
from evenray.core.messages import Message
from evenray.data.tables.file_kinds import refuse_table
from evenray.data.tables.folder_table import FolderTable, table_in_folder
from evenray.data.tables.join import one_row_each
from evenray.data.tables.labels import LabelTable, exists
from evenray.data.tables.match_paths import PathMatches, match_paths
from evenray.data.tables.parts import part_of

from .entries import Entry, Listing, Rejected
from .files import list_files
from .folders import list_folders
from .medmnist import list_archive
from .patient_pattern import compiled, patient_of

__all__ = ["listing"]

ABSOLUTE = r"^([A-Za-z]:)?[/\\]"
PatientOf = Callable[[str], str | None]  # the patient that a path names


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
    pattern = compiled(patient)
    if path.is_dir():
        found = _list_folder(path, labels, partial(patient_of, pattern))
    elif path.suffix.lower() == ".npz":
        found = list_archive(path)
        unused = (Message("scan.pattern_unused", {"file": path.name}),) if pattern else ()
        return replace(found, notes=(*unused, *found.notes))
    elif refused := refuse_table(path):
        raise DataError(f"'{data}' {refused[0]}; {refused[1]}.")
    else:
        found = _list_table(path, partial(patient_of, pattern))
    return found if pattern is None else _with_pattern(found, pattern)


def _with_pattern(found: Listing, pattern: regex.Pattern[str]) -> Listing:
    """The listing with how often the pattern of patients was found, where that was not in every path that needs it."""
    files = {entry.file: entry.patient for entry in found.entries}
    without = next((file for file, patient in files.items() if patient is None), None)
    if without is None:
        return found
    matched = sum(patient_of(pattern, file) is not None for file in files)
    return replace(found, pattern=PatientPattern(paths=len(files), matched=matched), without_pattern=without)


def _list_folder(path: Path, labels: str | Path | None, patient: PatientOf) -> Listing:
    files = list_files(path)
    try:
        if labels is not None:
            found = _list_tree(path, LabelTable.read(Path(labels)), files.paths, patient)
        else:
            found = _list_unnamed(path, files.paths, patient)
    except DataError as error:
        if not files.unopened:
            raise
        folder, why = files.unopened[0]
        raise DataError(f"{error} Besides, '{folder}' is a folder that cannot be opened: {why}.") from None
    count = len(files.unopened)
    notes = (Message("scan.folders_unopened", {"count": count}),) if count else ()
    return replace(
        found, rejected=(*files.rejected, *found.rejected), notes=(*found.notes, *notes), unopened=files.unopened
    )


def _list_unnamed(path: Path, files: list[str], patient: PatientOf) -> Listing:
    """A folder without --labels: a table in it labels the files, or the folders that they lie in."""
    try:
        found, error = list_folders(path, files, patient), None
    except DataError as raised:  # a table may still label them
        found, error = Listing(path, ()), raised
    beside: FolderTable = table_in_folder(path, files, found.labels, patient)
    if beside.table is not None:
        found = _list_tree(path, beside.table, files, patient)
    elif error is not None:
        raise error
    return replace(found, notes=(*beside.notes, *found.notes), boxes=beside.boxes)


def _list_tree(root: Path, table: LabelTable, files: list[str], patient: PatientOf) -> Listing:
    """Any tree of files, labelled by a table after they are read."""
    if not files:
        raise DataError(f"The folder '{root}' holds no image to label with the table; check the folder.")
    table = table.beside(root)
    rejected: Rejected = ()
    if table.key == "path":
        table, rejected = _with_files(table, match_paths(table.table["path"].drop_nulls(), files), files)
    tops = {file.split("/")[0] if "/" in file else "" for file in files}
    parts = {top: part_of(top) for top in tops} if all(map(part_of, tops)) else {}
    patients = _patients(table, patient)
    entries = tuple(Entry(file, patient=patients(file), part=parts.get(file.split("/")[0])) for file in files)
    layout = f"files labelled by {table.key}"
    return Listing(root, entries, table=table, layout=layout, rejected=rejected, notes=table.notes)


def _list_table(path: Path, patient: PatientOf) -> Listing:
    """A table as DATA, whose column of paths names the images beside it; images without a label are not read."""
    table = LabelTable.read(path)
    if "path" not in table.table.columns:
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
    labelled = replace(table, table=one_row_each(named.drop_nulls("label"), "path", table))
    patients = _patients(labelled, patient)
    return Listing(
        path.parent,
        tuple(Entry(file, patient=patients(file)) for file in labelled.table["path"]),
        table=labelled,
        layout="table of paths",
        unlabelled=named["path"].n_unique() - labelled.table.height,
        rejected=rejected,
        notes=table.notes,
    )


def _found_below(table: LabelTable, root: Path, exact: set[str]) -> tuple[LabelTable, Rejected]:
    """The table whose paths that are no files as written are those of the files below its folder that they name.

    Paths in `exact` were written in full and name no other file: nothing is searched for them.
    """
    paths = table.table["path"].drop_nulls().unique(maintain_order=True).to_list()
    kept = {path: path for path in paths if path in exact or exists(root / path)}
    if len(kept) == len(paths) or not (files := list_files(root).paths):
        return table, ()
    below = match_paths([path for path in paths if path not in kept], files, below=True)
    found, rejected = _with_files(table, PathMatches(kept | below.found, below.ambiguous), files)
    if not below.found:
        return found, rejected
    note = Message("scan.paths_below", {"count": len(below.found), "file": Path(table.source).name})
    return replace(found, notes=(note, *found.notes)), rejected


def _with_files(table: LabelTable, matches: PathMatches, files: list[str]) -> tuple[LabelTable, Rejected]:
    """The table with files in place of its paths, and the paths that name no file, or several, with the reason."""
    paths = table.table["path"].drop_nulls().unique(maintain_order=True)
    lost = [path for path in paths if path not in matches.found]
    ambiguous = [path for path in lost if path in matches.ambiguous]
    if not matches.found:
        values = f"{len(paths)} value{'s' if len(paths) > 1 else ''}"
        advice = "Check the column, or name another with a usual name."
        if ambiguous:
            count = matches.ambiguous[ambiguous[0]]
            advice = f"{count} files are called '{ambiguous[0]}': put their folders before the names."
        raise DataError(
            f"{table.source} matches none of the {len(files)} images: its column path has {values}, such as '{lost[0]}', and"
            f" none is the path of one image, such as '{files[0]}'. {advice}"
        )
    counts = {"scan.paths_absent": len(lost) - len(ambiguous), "scan.paths_ambiguous": len(ambiguous)}
    name = Path(table.source).name
    notes = [Message(code, {"count": count, "file": name}) for code, count in counts.items() if count]
    several = "is the name of {} files; the table must say its folder"
    rejected = tuple(
        (path, several.format(matches.ambiguous[path]) if path in matches.ambiguous else "does not exist")
        for path in lost
    )
    column = pl.col("path").replace_strict(matches.found, default=None, return_dtype=pl.String)
    found = table.table.with_columns(column).drop_nulls("path")
    return replace(table, table=found, notes=(*table.notes, *notes)), rejected


def _patients(table: LabelTable, patient: PatientOf) -> PatientOf:
    """The patient of a file: as the table says it by path, else as its path does.

    The table is joined later, but a name that is known now is struck from the name of the case.
    """
    known: dict[str, str] = {}
    if table.key == "path" and "patient" in table.table.columns:
        known = dict(table.table.select("path", "patient").drop_nulls().iter_rows())
    return lambda file: known.get(file) or patient(file)
