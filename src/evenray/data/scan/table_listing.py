"""Files that a table labels: those of a tree that are joined after they are read, or those that its column of paths names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.data.tables.join import one_row_each
from evenray.data.tables.label_columns import option
from evenray.data.tables.labels import Choices, LabelTable
from evenray.data.tables.match_paths import PathMatches, match_paths
from evenray.data.tables.parts import parts_of
from evenray.data.tables.places import exists
from evenray.data.tables.seen import Seen

from .entries import Entry, Listing, Rejected
from .files import list_files
from .levels import names_by_depth
from .sorting import sorted_out

__all__ = ["list_table", "list_tree", "named_as_folders"]

FEW_AMBIGUOUS, SHARE_AMBIGUOUS = 4, 0.1  # of a table's paths
PatientOf = Callable[[str], str | None]  # the patient that a path names


def list_tree(root: Path, table: LabelTable, files: list[str], patient: PatientOf) -> Listing:
    """Any tree of files, labelled by a table after they are read."""
    if not files:
        raise DataError(f"The folder '{root}' holds no image to label with the table; check the folder.")
    rejected: Rejected = ()
    if table.key == "path":
        table, rejected = _with_files(
            table, match_paths(table.table["path"].drop_nulls(), files, root=root.resolve().name), files
        )
    parts = _parts(files) if "part" not in table.table.columns else {}
    patients = _patients(table, patient)
    entries = tuple(Entry(file, patient=patients(file), part=parts.get(file)) for file in files)
    layout = f"files labelled by {table.key}"
    boxes = (Path(table.source).name,) if table.boxes else ()
    return Listing(
        root,
        entries,
        table=table,
        layout=layout,
        rejected=rejected,
        notes=table.notes,
        boxes=boxes,
        understood=table.understood,
    )


def named_as_folders(table: LabelTable, folders: Listing) -> LabelTable:
    """The table with the names of the folders in place of numbers, where each number stands for the images of one folder of
    classes."""
    if table.names or table.key != "path" or not all(map(str.isdecimal, table.labels)):
        return table
    classes = {entry.file: entry.label for entry in folders.entries if entry.label is not None}
    found = match_paths(table.table["path"].drop_nulls(), classes).found
    rows = table.table.select("path", "label").drop_nulls().iter_rows()
    pairs = {(label, classes[found[path]]) for path, label in rows if path in found}
    names = dict(pairs)
    if not len(pairs) == len(names) == len(set(names.values())) == len(table.labels):
        return table
    counts = {names[label]: count for label, count in table.understood.counts.items() if label in names}
    understood = table.understood.model_copy(update={"counts": dict(sorted(counts.items()))})
    return replace(table, table=table.table.with_columns(pl.col("label").replace(names)), understood=understood)


def _parts(files: list[str]) -> dict[str, str | None]:
    """The part of each file, where a level of its folders names parts alone."""
    for depth, names in enumerate(names_by_depth(files)):
        parts = parts_of(names)
        if parts is not None and all(file.count("/") > depth for file in files):
            return {file: parts[file.split("/")[depth]] for file in files}
    return {}


def list_table(path: Path, patient: PatientOf, choices: Choices) -> Listing:
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
            found = list_tree(path.parent, table, seen.files, patient)
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
    return Listing(
        path.parent,
        tuple(Entry(file, patient=patients(file), part=parts.get(file)) for file in paths),
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
    kept = {path: path for path in paths if path in exact or path in known or exists(as_path(seen.root / path))}
    if exact and not any(exists(as_path(seen.root / path)) for path in paths):
        raise DataError(
            f"None of the {len(paths)} files that the column {table.understood.rows[0].place} of '{table.source}' names exists here,"
            f" such as '{paths[0]}': its paths are those of another machine. Give the folder that holds the images, with --labels"
            f" '{table.source}': they are then found by the ends of their paths."
        )
    if len(kept) == len(paths):
        return table, ()
    if not (files := seen.files):
        if not kept:
            raise DataError(
                f"None of the {len(paths)} files that the column {table.understood.rows[0].place} of '{table.source}' names could be"
                f" read; the first: {paths[0]}: does not exist. Give the folder that holds the images, with --labels"
                f" '{table.source}'; images inside the table itself are not read: write them out as files."
            )
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
            if 3 * len({file.rpartition("/")[0] for file in files}) <= len(paths):  # folders of views or sequences
                advice += f" Where these are views of one patient, who has one label, say {option('patient', column)}."
        raise DataError(
            f"{table.source} matches none of the {len(files)} images: its column {column} has {values}, such as '{lost[0]}', and"
            f" none is the path of one image, such as '{files[0]}'. {advice}"
        )
    counts = {"scan.paths_absent": len(lost) - len(ambiguous), "scan.paths_ambiguous": len(ambiguous)}
    if len(ambiguous) > max(FEW_AMBIGUOUS, SHARE_AMBIGUOUS * len(paths)):
        raise DataError(
            f"{len(ambiguous)} of the {len(paths)} images that '{table.source}' names have the name of several files, such as"
            f" '{ambiguous[0]}' of {matches.ambiguous[ambiguous[0]]}: put their folders before the names, or give the folder that"
            " holds them alone as DATA."
        )
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
