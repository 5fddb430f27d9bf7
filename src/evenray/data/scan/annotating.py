"""Entries with their masks or boxes, where these are what a data set is trained with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evenray.core.errors import DataError
from evenray.core.marks import UNKNOWN_PIXEL
from evenray.core.messages import Message
from evenray.core.understood import UnderstoodRow
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.found import Annotated, Annotations

from .entries import Listing

__all__ = ["with_annotations"]

EXAMPLES = 3
OBJECTS = ("box_table", "run_table")


def with_annotations(found: Listing, annotations: Annotations, wanted: Wanted) -> Listing:
    """The listing of the images that have an annotation, and with `wanted.unannotated` "empty" of the others as well.

    DataError where no image has one.
    """
    images = annotations.images
    if wanted.unannotated == "empty":
        images = {entry.file: Annotated() for entry in found.entries} | images
    own = set(annotations.files)  # a DICOM SEG among the images is none
    found = replace(found, entries=tuple(entry for entry in found.entries if entry.file not in own))
    entries = tuple(replace(entry, annotated=images[entry.file]) for entry in found.entries if entry.file in images)
    if not entries:
        raise DataError(
            f"None of the {len(found.entries)} images of '{found.root}' has an annotation in {len(annotations.files)} files, such as"
            f" '{annotations.files[0] if annotations.files else ''}'; check that they are called alike."
        )
    left = len(found.entries) - len(entries)
    empty = sum(not entry.annotated.masks and not entry.annotated.boxes for entry in entries if entry.annotated)
    notes = [*annotations.notes, *_spelled_apart(annotations.classes)]
    if left:
        notes.append(Message("annotations.left_out", {"count": left, "variant": annotations.task}))
    if empty:
        notes.append(Message("annotations.empty", {"count": empty, "variant": annotations.task}))
    meaning = {"segment": "masks", "detect": "boxes"}[annotations.task]
    row = UnderstoodRow(
        place=_place(annotations), meaning=meaning, how="values" if wanted.asked is None else "option",
        matched=len(entries), of=len(found.entries), examples=tuple(_apart(annotations.files[:EXAMPLES])),
    )  # fmt: skip
    groups = tuple(each for each in found.understood.rows if each.meaning != "label")
    # A table of objects may have been read as one of labels first, for which its coordinates say nothing.
    before = () if annotations.kind in OBJECTS and found.table is not None else found.understood.unused
    understood = found.understood.model_copy(update={
        "rows": (*groups, row, *annotations.understood), "unused": (*before, *annotations.unused), "counts": _counts(annotations),
    })  # fmt: skip
    return replace(
        found, entries=entries, annotations=replace(annotations, images={}), unlabelled=left, notes=(*found.notes, *notes),
        rejected=(*found.rejected, *annotations.rejected), understood=understood,
    )  # fmt: skip


def _apart(files: Sequence[str]) -> list[str]:
    """The names of files, with their folders where several have one name (Roboflow's train/_annotations.coco.json)."""
    names = [Path(file).name for file in files]
    return names if len(set(names)) == len(names) else ["/".join(Path(file).parts[-2:]) for file in files]


def _spelled_apart(classes: Sequence[str]) -> list[Message]:
    """Of classes whose names differ in capitals and signs alone, which may be slips, that they are told apart."""
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(re.sub(r"[\s_-]+", " ", name).strip().casefold(), []).append(name)
    names = [name for group in alike.values() if len(group) > 1 for name in group]
    return [Message("annotations.spelled_apart", {"names": names})] if names else []


def _place(annotations: Annotations) -> str:
    """What the table calls the files: one table or list by its name, many by their ending."""
    files = [file for file in annotations.files if not file.endswith((".yaml", ".yml"))]
    names = [Path(file).name for file in files]
    if annotations.kind in ("coco", *OBJECTS):
        return ", ".join(_apart(files)[:EXAMPLES])
    return ", ".join(sorted({f"*{Path(name).suffix}" for name in names}))


def _counts(annotations: Annotations) -> dict[str, int]:
    """Objects a class, without those that count neither way; of masks whose values will tell the classes nothing."""
    found: Counter[str] = Counter(dict.fromkeys(annotations.classes, 0))
    for image in annotations.images.values():
        indices = [box.index for box in image.boxes if not box.ignored] + [
            mask.index - 1 for mask in image.masks if mask.index not in (None, UNKNOWN_PIXEL)
        ]
        found.update(annotations.classes[index] for index in indices)
    return dict(found)
