"""Boxes that lie beside the images in files of several kinds, such as XML of some images and a COCO file of all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.data.tables.expressions import Asked

from .found import Annotated, Annotations
from .sources import Sources

__all__ = ["read_kinds"]

COMPARED, MOST = 200, 0.9  # images whose boxes are compared, and the share of them whose boxes have to be the same
NEAR, NEAR_SHARE = 2.0, 0.01  # pixels, and share of a side, by which rounding and counting from 0 or 1 move a corner


def read_kinds(
    kinds: Sequence[Sources], root: Path, images: Sequence[str], columns: Asked | None = None
) -> Annotations:
    """The boxes of the kind that covers the most images, the first of equals. UsageError where it does not cover all that another
    does, or says other things of the images of both: images without an annotation are left out."""
    read = [(kinds[0], kinds[0].read(root, images, columns))]
    for kind in kinds[1:]:
        with suppress(DataError):  # what cannot be read, or is of something else, says nothing against the others
            read.append((kind, kind.read(root, images, columns)))
    read = [(kind, found) for kind, found in read if found.images] or read[:1]
    kind, widest = max(read, key=lambda each: len(each[1].images))
    others = [found for _, found in read if found.images.keys() != widest.images.keys()]
    for found in others:
        if not (found.images.keys() <= widest.images.keys() and _say_the_same(widest, found)):
            raise UsageError(_question(read, root))
    if not others:
        return widest
    values = {"kinds": len(read), "file": kind.files[0], "count": len(widest.images)}
    return replace(widest, notes=(*widest.notes, Message("annotations.kinds", values)))


def _say_the_same(one: Annotations, other: Annotations) -> bool:
    """Whether two kinds have the same boxes in nearly all images of both; classes may have other names."""
    both = sorted(one.images.keys() & other.images.keys())
    sample = both[:: max(1, len(both) // COMPARED)][:COMPARED]
    same = [_are_same(one.images[image], other.images[image], shares=(one.shares, other.shares)) for image in sample]
    return sum(same) >= MOST * len(same)


def _are_same(one: Annotated, other: Annotated, *, shares: tuple[bool, bool]) -> bool:
    if len(one.boxes) != len(other.boxes):
        return False
    size = one.size or other.size
    if not one.boxes or (shares[0] != shares[1] and size is None):  # then their number alone can be compared
        return True
    in_shares = shares[0] or shares[1]
    first, second = (
        _corners(own, (1, 1) if kept or not in_shares else size or (1, 1))
        for own, kept in zip((one, other), shares, strict=True)
    )
    near = np.abs(first[:, None] - second).max(axis=2) <= (NEAR_SHARE if in_shares else NEAR)
    return bool(near.any(axis=0).all() and near.any(axis=1).all())


def _corners(own: Annotated, size: tuple[int, int]) -> NDArray[np.float64]:
    down, across = size
    return np.array([[box.x0, box.y0, box.x1, box.y1] for box in own.boxes]) / (across, down, across, down)


def _question(read: Sequence[tuple[Sources, Annotations]], root: Path) -> str:
    covers = ", ".join(f"{kind.shown} of {len(found.images)} images" for kind, found in read)
    places = [place for kind, _ in read if (place := _place(kind, [own for own, _ in read if own is not kind]))]
    ways = " or ".join(f"--boxes '{place}'" for place in places)
    fix = (
        f"say {ways}" if len(places) == len(read) else "move each kind to a folder of its own and name one with --boxes"
    )
    return (
        f"Boxes of the images of '{root}' are in files of several kinds, which are not of the same images or do not say the same:"
        f" {covers}. To choose, {fix}."
    )


def _place(kind: Sources, others: Sequence[Sources]) -> Path | None:
    """The file, or the folder, by which the user can name this kind alone; None where others lie there too."""
    if len(kind.files) == 1:
        return kind.above / kind.files[0]
    in_root = any("/" not in file for file in kind.files)
    folder = "" if in_root else os.path.commonpath([file.rpartition("/")[0] for file in kind.files])
    below = f"{folder}/" if folder else ""
    return None if any(file.startswith(below) for own in others for file in own.files) else kind.above / folder
