"""Lists that name the images of each part of a split: train.txt and val.txt of Pascal VOC and YOLO, COCO files of parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.core.understood import UnderstoodRow
from evenray.data.annotations.cell_lists import CELL_LISTS
from evenray.data.annotations.coco import is_coco
from evenray.data.annotations.own_answers import are_answers
from evenray.data.tables.labels import Choices
from evenray.data.tables.match_paths import match_paths
from evenray.data.tables.parts import part_of

from .entries import Listing

__all__ = ["PartLists", "part_lists", "with_part_lists", "without_lists"]

THINGS = re.compile(r"[-_ ](?:lists?|files?|file_?names?|names?|images?|ids?|paths?|split)$", re.IGNORECASE)
BOTH = re.compile(r"train.*val", re.IGNORECASE)  # the lists of training and validation together


@dataclass(frozen=True)
class PartLists:
    """The lists of one folder, each with the part that its name says; `place` is what --column calls them."""

    place: str
    parts: dict[str, str]
    of: dict[str, str] = field(default_factory=dict)  # the part of each image
    notes: tuple[Message, ...] = ()


def part_lists(others: Sequence[str]) -> list[PartLists]:
    """The lists among files that are no images, by their names alone.

    >>> [found.place for found in part_lists(["x/Main/train.txt", "x/Main/cat_train.txt", "instances_val2017.json"])]
    ['x/Main/*.txt', '*.json']
    """
    found: dict[str, dict[str, str]] = {}
    for file in others:
        path = PurePosixPath(file)
        part = {".txt": _of_list, ".json": _of_coco}.get(path.suffix.lower(), lambda _: None)(path.stem)
        if part is not None:
            found.setdefault((path.parent / f"*{path.suffix}").as_posix(), {})[file] = part
    return [PartLists(place, parts) for place, parts in found.items()]


def without_lists(choices: Choices, others: Sequence[str]) -> Choices:
    """The choices without the lists that --column names: what is left is of tables and folders."""
    return replace(choices, asked=choices.asked.without({lists.place for lists in part_lists(others)}))


def with_part_lists(found: Listing, others: Sequence[str], choices: Choices) -> Listing:
    """The listing with the parts that lists give its images, where --column does not leave them out.

    DataError where two lists, or a list and the folders or the table, have an image in different parts.
    """
    asked, ignored = choices.asked.columns.get("split", ()), choices.asked.columns.get("ignore", ())
    files = [entry.file for entry in found.entries]
    lists = [each for each in part_lists(others) if each.place not in ignored and (not asked or each.place in asked)]
    lists = [read for each in lists if (read := _read(found.root, each, files)).of]
    told: dict[str, tuple[str, str]] = {} if asked else _given(found)
    of: dict[str, str] = {}
    for each in lists:
        of |= each.of
    if not asked and len(set(of.values())) < 2 and len(of) == len(files):
        return found  # one part of all images is no split
    for each in lists:
        _check(found, each, told)
        told |= {image: (part, each.place) for image, part in each.of.items()}
    if not lists:
        return found
    entries = tuple(replace(entry, part=of.get(entry.file, None if asked else entry.part)) for entry in found.entries)
    table = found.table
    if asked and table is not None and "part" in table.table.columns:
        table = replace(table, table=table.table.drop("part"))
    rows = [row for row in found.understood.rows if not (asked and row.meaning == "split")]
    rows += [
        UnderstoodRow(
            place=each.place, meaning="split", how="asked" if asked else "values", matched=len(each.of), of=len(files),
            examples=tuple(sorted(PurePosixPath(file).stem for file in each.parts)),
        )
        for each in lists
    ]  # fmt: skip
    understood = found.understood.model_copy(update={"rows": tuple(rows)})
    notes = (*found.notes, *(note for each in lists for note in each.notes))
    return replace(found, entries=entries, table=table, understood=understood, notes=notes)


def _of_list(stem: str) -> str | None:
    return part_of(stem) or part_of(THINGS.sub("", stem))


def _of_coco(stem: str) -> str | None:
    """The part in the name of a COCO file, such as instances_train2017."""
    words = [re.sub(r"\d{1,4}$", "", word) for word in re.split(r"[\W_]+", stem)]
    told = {part for word in words if (part := part_of(word))}
    return told.pop() if len(told) == 1 else None


def _read(root: Path, lists: PartLists, files: Sequence[str]) -> PartLists:
    """The lists with the images that they name. Of what is listed as training and validation together the lists of each say more.
    DataError where they have an image in two parts."""
    of: dict[str, str] = {}
    loose: set[str] = set()
    notes: list[Message] = []
    used: dict[str, str] = {}
    both = {file for file in lists.parts if BOTH.search(PurePosixPath(file).stem)}
    for file in sorted(lists.parts, key=lambda file: (file not in both, file)):
        part, names = lists.parts[file], list(dict.fromkeys(_named(as_path(root / file))))
        matches = match_paths(names, files, root=root.resolve().name)
        if not matches.found:
            continue
        used[file] = part
        for image in matches.found.values():
            if of.get(image, part) != part and not (image in loose and part == "validation"):
                raise DataError(
                    f"The lists {lists.place} of '{root}' have an image in two parts of the split, {of[image]} and {part}: '{image}'."
                    f" Keep it in one of them, or say --column 'ignore={lists.place}'."
                )
            of[image] = part
            if file in both:
                loose.add(image)
        lost = len(names) - len(matches.found) - len(matches.ambiguous)
        counts = {"scan.paths_absent": lost, "scan.paths_ambiguous": len(matches.ambiguous)}
        notes += [Message(code, {"count": n, "file": PurePosixPath(file).name}) for code, n in counts.items() if n]
    return replace(lists, parts=used, of=of, notes=tuple(notes))


def _named(path: Path) -> Iterator[str]:
    """The images that a list names: a line each, or those of a COCO file or of a list of cells."""
    try:
        if path.suffix.lower() == ".txt":
            lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            yield from (re.sub(r"^(?:\./)+", "", line.strip().replace("\\", "/")) for line in lines if line.strip())
        elif is_coco(path) and not are_answers(path):
            whole = json.loads(path.read_text(encoding="utf-8-sig"))
            yield from (str(image["file_name"]) for image in whole.get("images", ()))
        elif CELL_LISTS.files(path.parent, [path.name]):
            yield from (drawn.image for drawn in CELL_LISTS.read(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # whoever reads its annotations says what is wrong


def _given(found: Listing) -> dict[str, tuple[str, str]]:
    """The part that the table, else the folders, give each image, with what gives it."""
    if found.table is None or "part" not in found.table.table.columns:
        return {entry.file: (entry.part, "the folders") for entry in found.entries if entry.part is not None}
    key, source = found.table.key, f"the table '{Path(found.table.source).name}'"
    if key != "path":  # which image a row is of will be known once the headers are read
        return {entry.file: ("?", source) for entry in found.entries}
    return {file: (part, source) for file, part in found.table.table.select("path", "part").drop_nulls().iter_rows()}


def _check(found: Listing, lists: PartLists, told: dict[str, tuple[str, str]]) -> None:
    for image, part in lists.of.items():
        other, source = told.get(image, (part, ""))
        if other != part:
            ways = f"--column 'split={lists.place}' for these lists, or --column 'ignore={lists.place}' for {source}"
            raise DataError(
                f"The lists {lists.place} of '{found.root}' give other parts of the split than {source}, such as {part} for '{image}':"
                f" say {ways}."
            )
