"""What was found to annotate the images, before any of them is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evenray.core.messages import Message
from evenray.core.understood import UnderstoodRow

__all__ = ["Annotated", "Annotations", "Box", "MaskFile"]


@dataclass(frozen=True, slots=True)
class MaskFile:
    """One mask of an image: a file (relative to the root of the data), or `runs` of a table. `index` is that of its class (from 1),
    UNKNOWN_PIXEL of what counts neither way; None where the values of its pixels say the class. `fragment` is None where it is the
    image's own. `frames` are the numbers of the image's frames (from 0) that it is of, () where it is of all.
    """

    file: str = ""
    fragment: str | None = None
    runs: str = ""
    index: int | None = None
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A box with the index of its class (from 0): half-open, in pixels of the image or in shares of its sides."""

    index: int
    x0: float
    y0: float
    x1: float
    y1: float
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Annotated:
    """What annotates one image; nothing in it where neither masks nor boxes are. `size` is that of the image (rows, columns) as the
    annotation has it, None where it does not say.
    """

    masks: tuple[MaskFile, ...] = ()
    boxes: tuple[Box, ...] = ()
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Annotations:
    """The masks or boxes of images, by file. `kind` is how they are written; `classes` their classes, () where only the
    values of masks will say; `shares` says that boxes are in shares of the image's sides. `files` are those that were read;
    `rejected` those that cannot be, each with the reason; `lists` may name the values of masks (see class_names.py). Of tables
    `understood` is the column of classes, and `unused` are columns that say nothing here.
    """

    task: Literal["segment", "detect"]
    kind: str
    images: dict[str, Annotated]
    classes: tuple[str, ...] = ()
    shares: bool = False
    files: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    lists: tuple[Path, ...] = ()
    understood: tuple[UnderstoodRow, ...] = ()
    unused: tuple[str, ...] = ()
