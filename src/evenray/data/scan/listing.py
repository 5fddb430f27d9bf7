"""What there is to scan: files and what the layout says of them, before any is opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError, UsageError
from evenray.core.facts import PatientPattern
from evenray.core.messages import Message
from evenray.data.tables.expressions import Asked
from evenray.data.tables.file_kinds import refuse_table
from evenray.data.tables.folder_table import FolderTable, table_in_folder
from evenray.data.tables.grades import grades, look_ordered
from evenray.data.tables.join import one_row_each
from evenray.data.tables.labels import Choices, LabelTable
from evenray.data.tables.match_paths import PathMatches, match_paths
from evenray.data.tables.parts import part_of
from evenray.data.tables.places import exists
from evenray.data.tables.seen import Seen

from .entries import Entry, Listing, Rejected
from .files import list_files
from .folders import list_folders
from .levels import PATIENT, names_by_depth
from .masks import sorted_out
from .medmnist import list_archive

__all__ = ["listing", "patient_of"]

FOLDER = re.compile(r"folder ?\d+", re.IGNORECASE)
PatientOf = Callable[[str], str | None]  # the patient that a path names


def listing(
    data: str | Path, *, labels: str | Path | None = None, patient: str | None = None, choices: Choices | None = None
) -> Listing:
    """List what DATA holds: folders of classes, a label table beside images, a MedMNIST file, or a tree of DICOM files.

    `labels` is a CSV or Parquet table; `patient` a regular expression whose groups, joined, are the patient, searched
    in the path relative to DATA; `choices` what columns and values mean. Raises DataError for an empty or unusable folder, and
    where data can be read in two ways; UsageError for a wrong pattern.
    """
    choices = choices or Choices()
    path = Path(data)
    if not path.exists():
        raise DataError(
            f"There is no '{data}'; give a folder of images, a label table (.csv, .parquet) or a .npz file."
        )
    pattern = _compiled(patient)
    if path.is_dir():
        found = _list_folder(path, labels, partial(patient_of, pattern), choices)
    elif path.suffix.lower() == ".npz":
        found = list_archive(path)
        unused = (Message("scan.pattern_unused", {"file": path.name}),) if pattern else ()
        return _graded(replace(found, notes=(*unused, *found.notes)), choices)
    elif refused := refuse_table(path):
        raise DataError(f"'{data}' {refused[0]}; {refused[1]}.")
    else:
        found = _list_table(path, partial(patient_of, pattern), choices)
    found = _graded(found, choices)
    return found if pattern is None else _with_pattern(found, pattern)


def _graded(found: Listing, choices: Choices) -> Listing:
    """The listing with its classes as grades where that was asked for, and what there is to say where they look like it."""
    labels = found.labels
    if choices.ordered:
        if found.reading.task == "tag":
            raise UsageError("--ordered is for classes; the images have several findings each, which have no order.")
        grades(labels)
        return replace(found, ordered=True)
    if found.reading.task == "classify" and look_ordered(labels):
        return replace(found, notes=(*found.notes, Message("scan.look_ordered", {"classes": list(grades(labels))})))
    return found


def _compiled(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(
            f"The patient pattern '{text}' is no regular expression: {error}; try '(person[0-9]+)'."
        ) from None


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


def _with_pattern(found: Listing, pattern: re.Pattern[str]) -> Listing:
    """The listing with how often the pattern of patients was found, where that was not in every path that needs it."""
    files = {entry.file: entry.patient for entry in found.entries}
    without = next((file for file, patient in files.items() if patient is None), None)
    if without is None:
        return found
    matched = sum(patient_of(pattern, file) is not None for file in files)
    return replace(found, pattern=PatientPattern(paths=len(files), matched=matched), without_pattern=without)


def _list_folder(path: Path, labels: str | Path | None, patient: PatientOf, choices: Choices) -> Listing:
    files = list_files(path)
    kept = sorted_out(path, files.paths)
    try:
        if labels is not None:
            seen = Seen(path, lambda: kept.images, patient)
            found = _list_tree(path, LabelTable.read(Path(labels), seen, choices), kept.images, patient)
        else:
            found = _list_unnamed(path, kept.images, patient, choices)
    except DataError as error:
        if not files.unopened:
            raise
        folder, why = files.unopened[0]
        raise DataError(f"{error} Besides, '{folder}' is a folder that cannot be opened: {why}.") from None
    count = len(files.unopened)
    notes = [Message("scan.folders_unopened", {"count": count})] if count else []
    notes += [Message(f"scan.aside_{kind}", {"count": number}) for kind, number in kept.aside.items()]
    understood = found.understood.model_copy(update={"set_aside": {**kept.aside, **found.understood.set_aside}})
    return replace(
        found, rejected=(*files.rejected, *found.rejected), notes=(*found.notes, *notes), unopened=files.unopened,
        masks=kept.masks, understood=understood,
    )  # fmt: skip


def _list_unnamed(path: Path, files: list[str], patient: PatientOf, choices: Choices) -> Listing:
    """A folder without --labels: a table in it labels the files, or the folders that they lie in."""
    asked = choices.asked
    if asked.columns and all(FOLDER.fullmatch(name) for names in asked.columns.values() for name in names):
        return list_folders(path, files, patient, asked)
    try:
        found, error = list_folders(path, files, patient, Asked()), None
    except DataError as raised:  # a table may still label them
        found, error = Listing(path, ()), raised
    seen = Seen(path, lambda: files, patient)
    beside: FolderTable = table_in_folder(path, seen, found.labels, choices)
    if beside.table is not None:
        found = _list_tree(path, beside.table, files, patient)
    elif beside.refused is not None and (not found.labels or asked.columns):
        raise beside.refused
    elif error is not None:
        raise error
    elif asked.columns:
        found = list_folders(path, files, patient, asked)
    return replace(found, notes=(*beside.notes, *found.notes), boxes=beside.boxes)


def _list_tree(root: Path, table: LabelTable, files: list[str], patient: PatientOf) -> Listing:
    """Any tree of files, labelled by a table after they are read."""
    if not files:
        raise DataError(f"The folder '{root}' holds no image to label with the table; check the folder.")
    rejected: Rejected = ()
    if table.key == "path":
        table, rejected = _with_files(table, match_paths(table.table["path"].drop_nulls(), files, root=root.resolve().name), files)
    parts = _parts(files) if "part" not in table.table.columns else {}
    patients = _patients(table, patient)
    folders = _patient_folders(files) if "patient" not in table.table.columns else {}
    entries = tuple(
        Entry(file, patient=patients(file), folder=folders.get(file), part=parts.get(file)) for file in files
    )
    layout = f"files labelled by {table.key}"
    boxes = (Path(table.source).name,) if table.boxes else ()
    return Listing(
        root, entries, table=table, layout=layout, rejected=rejected, notes=table.notes, boxes=boxes, understood=table.understood
    )


def _parts(files: list[str]) -> dict[str, str | None]:
    """The part of each file, where a level of its folders names parts alone."""
    paths = {file: file.split("/") for file in files}
    for depth, names in enumerate(names_by_depth(paths.values())):
        if all(part_of(name) for name in names) and all(len(steps) > depth + 1 for steps in paths.values()):
            return {file: part_of(steps[depth]) for file, steps in paths.items()}
    return {}


def _patient_folders(files: list[str]) -> dict[str, str]:
    """The folder of each file that is called as a patient's, such as patient00001 or 환자07, where a level has such names alone."""
    paths = {file: file.split("/") for file in files}
    for depth, names in enumerate(names_by_depth(paths.values())):
        if all(PATIENT.fullmatch(name) for name in names) and len(names) > 1:
            return {file: steps[depth] for file, steps in paths.items() if len(steps) > depth + 1}
    return {}


def _list_table(path: Path, patient: PatientOf, choices: Choices) -> Listing:
    """A table as DATA, whose column of paths names the images beside it; images without a label are not read."""
    aside: dict[str, int] = {}

    def files() -> list[str]:
        kept = sorted_out(path.parent, list_files(path.parent).paths)
        aside.update(kept.aside)
        return kept.images

    seen = Seen(path.parent, files, patient)
    table = LabelTable.read(path, seen, choices)
    if table.key != "path":
        if table.table.height and seen.files:
            found = _list_tree(path.parent, table, seen.files, patient)
            return replace(found, layout=f"table by {table.key}")
        raise DataError(
            f"The table '{path}' has no column of paths, and no images lie beside it; run on the folder of images with --labels"
            f" '{path}', or say --column path=COLUMN."
        )
    if not table.table.drop_nulls(["path", table.said]).height:
        raise DataError(f"The table '{path}' has no row with both a path and a label.")
    table, rejected = _found_below(table, seen)
    named = table.table.drop_nulls("path")
    labelled = replace(table, table=one_row_each(named.drop_nulls(table.said), "path", table))
    patients = _patients(labelled, patient)
    paths = labelled.table["path"].to_list()
    parts = _parts(paths) if "part" not in table.table.columns else {}
    folders = _patient_folders(paths) if "patient" not in table.table.columns else {}
    return Listing(
        path.parent,
        tuple(Entry(file, patient=patients(file), folder=folders.get(file), part=parts.get(file)) for file in paths),
        table=labelled,
        layout="table of paths",
        unlabelled=named["path"].n_unique() - labelled.table.height,
        rejected=rejected,
        notes=table.notes,
        boxes=(path.name,) if table.boxes else (),
        understood=table.understood.model_copy(update={"set_aside": aside}),
    )


def _found_below(table: LabelTable, seen: Seen) -> tuple[LabelTable, Rejected]:
    """The table whose paths that are no files as written are those of the files below its folder that they name.

    Paths that were written in full name no other file: nothing is searched for them.
    """
    paths = table.table["path"].drop_nulls().unique(maintain_order=True).to_list()
    exact = set(table.exact)
    known = set(seen.files) if seen.is_listed else set()
    kept = {path: path for path in paths if path in exact or path in known or exists(seen.root / path)}
    if len(kept) == len(paths) or not (files := seen.files):
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
        column = table.understood.rows[0].place
        values = f"{len(paths)} value{'s' if len(paths) > 1 else ''}"
        advice = "Check the column, or name another with --column path=COLUMN."
        if ambiguous:
            count = matches.ambiguous[ambiguous[0]]
            advice = f"{count} files are called '{ambiguous[0]}': put their folders before the names."
        raise DataError(
            f"{table.source} matches none of the {len(files)} images: its column {column} has {values}, such as '{lost[0]}', and"
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
    files_of_paths = pl.col("path").replace_strict(matches.found, default=None, return_dtype=pl.String)
    found = table.table.with_columns(files_of_paths).drop_nulls("path")
    ratings = table.ratings
    if ratings is not None:
        ratings = ratings.with_columns(files_of_paths).drop_nulls("path")
    understood = table.understood.with_matched(len(matches.found), len(paths))
    return replace(table, table=found, notes=(*table.notes, *notes), ratings=ratings, understood=understood), rejected


def _patients(table: LabelTable, patient: PatientOf) -> PatientOf:
    """The patient of a file: as the table says it by path, else as its path does.

    The table is joined later, but a name that is known now is struck from the name of the case.
    """
    known: dict[str, str] = {}
    if table.key == "path" and "patient" in table.table.columns:
        known = dict(table.table.select("path", "patient").drop_nulls().iter_rows())
    return lambda file: known.get(file) or patient(file)
