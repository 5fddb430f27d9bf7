"""YOLO: a text file an image, a line an object: the number of its class, then the centre and the sides as shares of the image's."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from evenray.core.messages import Message
from evenray.core.names import as_path

from .found import Annotated, Annotations, Box, MaskFile
from .joining import Joined
from .pairing import Twins
from .runs import outlines
from .yolo_rows import LONGEST_BOX, begin_with_boxes

__all__ = ["are_outlines", "is_yolo", "read_yolo"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
LINE = re.compile(rf"\d+(?:[ \t]+{NUMBER}){{4,}}[ \t]*")
MOST_BYTES = 2**22
MOST = 2.0  # what reaches farther beyond its image is in pixels
Row = tuple[int, list[float]]  # a class and the numbers behind it


def is_yolo(path: Path) -> bool:
    """Whether a text file is of the format by its first line; an empty one may be, of an image with nothing in it.

    >>> LINE.fullmatch("0 0.5 0.5 0.25 1.0") is not None, LINE.fullmatch("0 patient") is not None
    (True, False)
    """
    with path.open("rb") as file:
        first = file.readline(4096).decode("utf-8", "replace").strip()
    return not first or LINE.fullmatch(first) is not None


def are_outlines(root: Path, files: Sequence[str], poses: Collection[int] = ()) -> bool:
    """Whether the lines of some files are outlines: a class with three points or more, and not a box with key points, which has as
    many numbers as `poses` where a file tells that."""
    for file in files:
        with as_path(root / file).open("rb") as opened:
            words = opened.readline(2**16).split()
        if words:
            long = len(words) - 1 > LONGEST_BOX and len(words) % 2 == 1
            return long and not begin_with_boxes(_long(list(_read(root, files)[0].values())), poses)
    return False


def read_yolo(
    root: Path,
    files: Sequence[str],
    images: Sequence[str],
    task: Literal["segment", "detect"] = "detect",
    poses: Collection[int] = (),
) -> Annotations:
    """The boxes, or the outlines as masks, of some text files, each of the image of its name. Of an outline its extent is the box;
    what follows the box in lines of poses, which have as many numbers as `poses` where a file tells that, and of trackers is left out.

    A file with a line that is none of the format is set aside. Classes are called by their numbers.
    """
    twins, joined, lost = Twins(images), Joined(), 0
    highest = -1
    read, rejected = _read(root, files)
    begin = begin_with_boxes(_long(list(read.values())), poses)
    for file, rows in read.items():
        boxes, masks = _objects(rows, begin)
        image = twins.of(file)
        if image is None:
            lost += 1
            continue
        highest = max([highest, *(box.index for box in boxes)])
        joined.add(image, Annotated(boxes=boxes) if task == "detect" else Annotated(masks), file)
    classes = tuple(str(number) for number in range(highest + 1))
    notes = (*([Message("annotations.files_absent", {"count": lost})] if lost else []), *joined.notes)
    shares = task == "detect"
    return Annotations(task, "yolo", joined.images, classes, shares=shares, notes=notes, rejected=tuple(rejected))


def _read(root: Path, files: Sequence[str]) -> tuple[dict[str, list[Row]], list[tuple[str, str]]]:
    """The lines of each file, and those files that cannot be read with the reason."""
    read, rejected = {}, []
    for file in files:
        try:
            read[file] = _rows(as_path(root / file))
        except (ValueError, OSError) as error:
            rejected.append((file, f"is no YOLO file that can be read: {error}"))
    return read, rejected


def _long(files: Sequence[Sequence[Row]]) -> list[list[float]]:
    """The numbers of lines that have more of them than boxes have."""
    return [values for rows in files for _, values in rows if len(values) > LONGEST_BOX]


def _rows(path: Path) -> list[Row]:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        if LINE.fullmatch(line.strip()) is None:
            raise ValueError(f"line {number} is no class with four numbers")
        kind, *rest = line.split()
        values = [float(value) for value in rest]
        if max(values[:4]) > MOST:
            raise ValueError(
                f"line {number} has the number {max(values[:4]):g}; expected shares of the image's sides, from 0 to 1"
            )
        found.append((int(kind), values))
    return found


def _objects(rows: Sequence[Row], begin: bool) -> tuple[tuple[Box, ...], tuple[MaskFile, ...]]:
    found, masks = [], []
    for kind, values in rows:
        if len(values) > LONGEST_BOX and len(values) % 2 == 0 and not begin:
            xs, ys = values[0::2], values[1::2]
            found.append(Box(kind, min(xs), min(ys), max(xs), max(ys)))
            masks.append(MaskFile(runs=outlines([list(zip(xs, ys, strict=True))], shares=True), index=kind + 1))
        else:
            x, y, width, height = values[:4]
            found.append(Box(kind, x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return tuple(found), tuple(masks)
