"""What there is to scan: files and what the layout says of them, before any is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import regex

from evenray.core.errors import DataError, UsageError
from evenray.core.facts import PatientPattern
from evenray.core.messages import Message
from evenray.core.understood import Understood, UnderstoodRow
from evenray.data.annotations.box_tables import is_box_table
from evenray.data.annotations.finding import Beside, Wanted, annotations_of
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.run_tables import is_run_table
from evenray.data.tables.expressions import Asked
from evenray.data.tables.file_kinds import refuse_table
from evenray.data.tables.folder_table import FolderTable, table_in_folder
from evenray.data.tables.grades import grades, look_ordered
from evenray.data.tables.labels import Choices, LabelTable
from evenray.data.tables.positive import healthy
from evenray.data.tables.raw_table import read_raw_table
from evenray.data.tables.seen import Seen

from .annotating import with_annotations
from .entries import Entry, Listing
from .file_names import name_levels, persons_in_paths
from .files import list_files, without_answers
from .folders import list_folders
from .medmnist import list_archive
from .part_lists import with_part_lists, without_lists
from .patient_pattern import compiled, patient_of
from .persons_in_tables import persons_in_tables
from .sorting import sorted_out
from .table_listing import list_table, list_tree, named_as_folders

__all__ = ["listing"]

SHOWN = 4
FOLDER = re.compile(r"folder ?\d+|name-?\d", re.IGNORECASE)
PatientOf = Callable[[str], str | None]  # the patient that a path names


def listing(
    data: str | Path, *, labels: str | Path | None = None, patient: str | None = None, choices: Choices | None = None,
    wanted: Wanted | None = None,
) -> Listing:  # fmt: skip
    """List what DATA holds: folders of classes, a label table beside images, a MedMNIST file, or a tree of DICOM files.

    `labels` is a CSV or Parquet table; `patient` a regular expression whose groups, joined, are the patient, searched
    in the path relative to DATA; `choices` what columns and values mean; `wanted` the task and where masks or boxes are. Raises
    DataError for an empty or unusable folder, and where data can be read in two ways; UsageError for a wrong pattern.
    """
    choices = choices or Choices()
    wanted = replace(wanted or Wanted(), columns=choices.asked)
    path = Path(data)
    if not path.exists():
        raise DataError(
            f"There is no '{data}'; give a folder of images, a label table (.csv, .parquet) or a .npz file."
        )
    pattern = compiled(patient)
    if path.is_dir():
        found = _list_folder(path, labels, partial(patient_of, pattern), choices, wanted)
    elif path.suffix.lower() == ".npz":
        found = list_archive(path)
        unused = (Message("scan.pattern_unused", {"file": path.name}),) if pattern else ()
        return _graded(replace(found, notes=(*unused, *found.notes)), choices)
    elif refused := refuse_table(path):
        raise DataError(f"'{data}' {refused[0]}; {refused[1]}.")
    else:
        found = _list_table(path, partial(patient_of, pattern), choices, wanted)
    found = _graded(found, choices)
    return _with_persons(found, choices, labels) if pattern is None else _with_pattern(found, pattern)


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


def _with_persons(found: Listing, choices: Choices, labels: str | Path | None) -> Listing:
    """The listing with the patients that another table, folders or names of files tell, where neither the table of labels nor
    --patient does."""
    told = found.table is not None and "patient" in found.table.table.columns
    if told or any(entry.patient or entry.folder for entry in found.entries):
        return found
    files = [entry.file for entry in found.entries]
    beside = [found.root / name for name in found.tables]
    beside += sorted(Path(labels).parent.glob("*.[ct]sv")) if labels is not None else []
    used = {Path(found.table.source).resolve()} if found.table is not None else set()
    tables = [path for path in dict.fromkeys(path.resolve() for path in beside) if path not in used]
    persons = persons_in_tables(found.root, tables, files) or persons_in_paths(files)
    if persons is None or persons.place in choices.asked.columns.get("ignore", ()):
        return found
    count = len(set(persons.of.values()))
    row = UnderstoodRow(place=persons.place, meaning="patient", how="values", matched=count, of=count)
    entries = tuple(replace(entry, folder=persons.of.get(entry.file)) for entry in found.entries)
    understood = found.understood.model_copy(update={"rows": (*found.understood.rows, row)})
    return replace(found, entries=entries, understood=understood)


def _with_pattern(found: Listing, pattern: regex.Pattern[str]) -> Listing:
    """The listing with how often the pattern of patients was found, where that was not in every path that needs it."""
    files = {entry.file: entry.patient for entry in found.entries}
    without = next((file for file, patient in files.items() if patient is None), None)
    if without is None:
        return found
    matched = sum(patient_of(pattern, file) is not None for file in files)
    return replace(found, pattern=PatientPattern(paths=len(files), matched=matched), without_pattern=without)


def _list_folder(
    path: Path, labels: str | Path | None, patient: PatientOf, choices: Choices, wanted: Wanted
) -> Listing:
    files, answers = without_answers(path, list_files(path), wanted.masks)
    asked, choices = choices, without_lists(choices, files.others)
    kept = sorted_out(path, files.paths, _told_masks(path, wanted, files.paths), like=wanted.masks_like)
    try:
        if labels is not None:
            seen = Seen(path, lambda: kept.images, patient)
            found = list_tree(path, LabelTable.read(Path(labels), seen, choices), kept.images, patient)
        else:
            unlearnt = wanted.asked in ("segment", "detect")
            plain = unlearnt or (wanted.asked is None and any(kept.masks.values()))
            marked = [path / name for name in files.tables]
            marked += [
                Path(place) for place in (wanted.masks, wanted.boxes) if place is not None and Path(place).is_file()
            ]
            found = _list_unnamed(
                path, files.tables, kept.images, patient, choices, marked, plain=plain, unlearnt=unlearnt
            )
    except DataError as error:
        if not files.unopened:
            raise
        folder, why = files.unopened[0]
        raise DataError(f"{error} Besides, '{folder}' is a folder that cannot be opened: {why}.") from None
    count = len(files.unopened)
    notes = [*answers, *([Message("scan.folders_unopened", {"count": count})] if count else [])]
    notes += [Message(f"scan.aside_{kind}", {"count": number}) for kind, number in kept.aside.items()]
    understood = found.understood.model_copy(update={"set_aside": {**kept.aside, **found.understood.set_aside}})
    found = replace(
        found, rejected=(*files.rejected, *found.rejected), notes=(*found.notes, *notes), unopened=files.unopened,
        understood=understood, tables=files.tables,
    )  # fmt: skip
    images = [entry.file for entry in found.entries]
    beside = Beside(kept.masks, files.others, _files_of)
    annotations, unused = annotations_of(path, images, beside, wanted, labelled=_are_labelled(found))
    told = {note.code for note in unused} | ({"annotations.masks_unused"} if annotations is not None else set())
    if "annotations.masks_unused" in told:  # which says more
        found = replace(found, notes=tuple(note for note in found.notes if note.code != "scan.aside_mask"))
    if annotations is not None and wanted.asked is None:
        _check_names(path, images, annotations)
    if annotations is None:
        of_boxes = [name for name in found.boxes if is_box_table(path / name)]
        tables = (
            [Message("annotations.boxes_unused", {"count": len(of_boxes), "file": of_boxes[0]})] if of_boxes else []
        )
        found = replace(found, notes=(*found.notes, *unused, *tables))
        return with_part_lists(found, files.others, asked)
    aside = {kind: count for kind, count in found.understood.set_aside.items() if kind != "mask"}
    found = replace(found, understood=found.understood.model_copy(update={"set_aside": aside}))
    return with_part_lists(with_annotations(found, annotations, wanted), files.others, asked)


def _check_names(path: Path, images: list[str], annotations: Annotations) -> None:
    """DataError where images have masks or boxes, and names that tell healthy from sick."""
    if level := next((level for level in name_levels(images) if level.tells_health), None):
        classes = ", ".join(sorted(set(level.shown.values())))
        raise DataError(
            f"The images of '{path}' have {'masks' if annotations.task == 'segment' else 'boxes'}, and words of their names may be"
            f" classes ({classes}): say --task {annotations.task}, or --column label={level.place}."
        )


def _check_folders(path: Path, folders: Listing, labelled: Listing) -> None:
    """DataError where folders tell healthy from sick, and the table that lies among them says something else in columns that are
    not called labels."""
    table = labelled.table
    words = [label for label in folders.labels if not label.isdecimal()]  # numbers may count folders
    told_by_name = any(row.meaning in ("label", "findings") and row.how == "name" for row in labelled.understood.rows)
    if table is None or table.key != "path" or told_by_name or len(folders.labels) < 2 or not any(map(healthy, words)):
        return
    folder = {entry.file: str(entry.label) for entry in folders.entries}
    told = table.table.select("path", table.said).drop_nulls()
    rows = [(folder[file], said) for file, said in told.iter_rows() if file in folder]
    if table.names:  # healthy folders are those without findings
        agree = {healthy(name) != any(said) for name, said in rows} == {True}
    else:
        agree = len(set(rows)) == len({said for _, said in rows})
    if not agree:
        place = next((row.place for row in folders.understood.rows if row.meaning == "label"), "folder1")
        raise DataError(
            f"The folders of '{path}' tell classes ({', '.join(sorted(folders.labels)[:SHOWN])}), and the table '{table.source}' says"
            f" something else: say --column label={place} for the folders, or --labels '{table.source}' for the table."
        )


def _are_labelled(found: Listing) -> bool:
    """Whether the images have labels that can be learnt: several, and of folders not nearly one for each image."""
    return len(found.labels) > 1 and (found.table is not None or 2 * len(found.labels) <= max(4, len(found.entries)))


def _list_table(path: Path, patient: PatientOf, choices: Choices, wanted: Wanted) -> Listing:
    """A table as DATA: of labels, or, where it has none or the task says so, of the boxes or masks of the images beside it."""
    if wanted.asked not in ("segment", "detect"):
        try:
            return list_table(path, patient, choices)
        except DataError:
            if wanted.asked is not None or not (is_box_table(path) or is_run_table(path)):
                raise
    place = str(path)
    if wanted.masks is None and wanted.boxes is None:
        masks = wanted.asked == "segment" or (wanted.asked is None and is_run_table(path))
        wanted = replace(wanted, masks=place) if masks else replace(wanted, boxes=place)
    return _list_folder(path.parent, None, patient, choices, wanted)


def _files_of(folder: Path) -> tuple[list[str], list[str]]:
    files = list_files(folder)
    return files.paths, files.others


def _told_masks(path: Path, wanted: Wanted, files: list[str]) -> list[str] | None:
    """The files that are masks as the user said, None where that is to be found out."""
    if wanted.masks is None or wanted.masks_like is not None:
        return None
    folder = Path(wanted.masks).resolve()
    if not folder.is_relative_to(path.resolve()):
        return None
    above = folder.relative_to(path.resolve()).as_posix()
    return [file for file in files if file.startswith(f"{above}/")]


def _list_unnamed(
    path: Path, tables: tuple[str, ...], files: list[str], patient: PatientOf, choices: Choices,
    marked: Sequence[Path], *, plain: bool, unlearnt: bool,
) -> Listing:  # fmt: skip
    """A folder without --labels: a table in it, or beside it, labels the files, or the folders that they lie in. With `plain` the
    files need no label, and folders that can be read in two ways say nothing; where labels are `unlearnt`, the folders and the
    table may say different things. `marked` are tables that may be of masks or boxes, of whose columns --column speaks too."""
    asked = choices.asked
    if not files and (inside := next((name for name in tables if name.lower().endswith(".parquet")), None)):
        raise DataError(
            f"The folder '{path}' holds no image but the table '{inside}'; images inside a table are not read: write them out as"
            f" files, and say --labels '{path / inside}'."
        )
    if asked.columns and all(FOLDER.fullmatch(name) for names in asked.columns.values() for name in names):
        return list_folders(path, files, patient, asked)
    try:
        found, error = list_folders(path, files, patient, Asked()), None
    except DataError as raised:  # a table may still label them
        found, error = Listing(path, ()), raised
    seen = Seen(path, lambda: files, patient)
    beside: FolderTable = table_in_folder(path, tables, seen, found.labels, choices)
    if beside.table is not None:
        labelled = list_tree(path, named_as_folders(beside.table, found), files, patient)
        if not asked.columns and not unlearnt:
            _check_folders(path, found, labelled)
        found = labelled
    elif beside.refused is not None and (asked.columns or (len(found.labels) < 2 and not plain)):
        raise beside.refused
    elif error is not None:
        if not plain or not files:
            raise error
        entries = tuple(Entry(file, patient=patient(file)) for file in files)
        found = Listing(path, entries, layout="file", understood=Understood(source=path.resolve().name))
    elif asked.columns:
        found = list_folders(path, files, patient, asked.without(_columns_of_marks(marked)))
    places = map(Path, beside.boxes)
    boxes = (place.relative_to(path).as_posix() if place.is_relative_to(path) else place.name for place in places)
    return replace(found, notes=(*beside.notes, *found.notes), boxes=tuple(boxes))


def _columns_of_marks(tables: Sequence[Path]) -> set[str]:
    """The columns of those tables that are of boxes or of masks as runs."""
    of_marks = (table for table in tables if is_box_table(table) or is_run_table(table))
    return {column for table in of_marks for column in read_raw_table(table).columns}
