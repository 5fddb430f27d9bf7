"""Folders of images: `class/.../file` or `part/class/.../file`, perhaps inside one folder that holds them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.data.tables.parts import part_of

from .entries import Entry, Listing

__all__ = ["list_folders"]


def list_folders(root: Path, files: list[str], patient_of: Callable[[str], str | None]) -> Listing:
    """The files with the labels and parts that their folders name; files without folders of classes have no label.

    DataError where there is no file, and where folders of parts stand beside folders of classes.
    """
    if not files:
        raise DataError(
            f"The folder '{root}' holds no image; expected class/file, part/class/file, or files and --labels."
        )
    wrapper = _wrapper(files)
    paths = {file: file[len(wrapper) :].split("/") for file in files}
    folders = sorted({steps[0] for steps in paths.values() if len(steps) > 1})
    divided = bool(folders) and all(part_of(name) for name in folders)
    if not divided and (parts := [name for name in folders if part_of(name)]):
        others = ", ".join(name for name in folders if name not in parts)
        raise DataError(
            f"In '{root}' the folders {', '.join(parts)} look like the parts of a split, but {others} like classes; keep"
            " either folders of parts or folders of classes."
        )
    depth = 2 if divided else 1
    labelled = {file: steps[depth - 1] for file, steps in paths.items() if len(steps) > depth}
    entries = tuple(
        Entry(
            file,
            label=labelled.get(file),
            patient=patient_of(file),
            part=part_of(steps[0]) if divided and len(steps) > 1 else None,
        )
        for file, steps in paths.items()
        if file in labelled or not labelled  # an audit does without labels
    )
    above = len(files) - len(labelled)
    notes = (Message("scan.above_classes", {"count": above}),) if above and labelled else ()
    layout = ("part/" if divided else "") + ("class/file" if labelled else "file")
    return Listing(root, entries, layout=layout, unlabelled=above, notes=notes)


def _wrapper(files: list[str]) -> str:
    """The folder that holds everything, as a zip often unpacks into one, with its slash; "" where there is none."""
    first, *others = {file.split("/")[0] if "/" in file else "" for file in files}
    inside = {file.split("/")[1] for file in files if file.count("/") > 1}
    return f"{first}/" if first and not others and not part_of(first) and len(inside) > 1 else ""
