"""Which annotations a data set is trained with: those that the user names, else masks or boxes beside images without labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from evenray.core.annotations import Task
from evenray.core.errors import DataError, UsageError
from evenray.core.marks import MOST_CLASSES
from evenray.core.messages import Message
from evenray.core.names import as_path
from evenray.data.tables.expressions import Asked

from .dicom_seg import seg_files
from .found import Annotations
from .headless import without_header
from .mask_files import mask_files, masks_in_folder, masks_like
from .pairing import Twins
from .several_kinds import read_kinds
from .sources import Sources, box_kinds, box_sources, mask_sources

__all__ = ["Beside", "Wanted", "annotations_of"]

LISTS = (".txt", ".csv", "dataset.json")  # endings of files that may name the values of masks
DATA = (".mat", ".npy", ".h5", ".hdf5", ".gz", ".xyc", ".geojson")  # what masks and boxes come in, and images seldom do
Unannotated = Literal["leave-out", "empty"]


@dataclass(frozen=True)
class Wanted:
    """What the user says of annotations: the task, where masks or boxes are, what an image without any means, and what the columns of
    a table of them mean."""

    task: Task | None = None
    masks: str | None = None
    boxes: str | None = None
    unannotated: Unannotated = "leave-out"
    columns: Asked = field(default_factory=Asked)

    @property
    def asked(self) -> Task | None:
        """The task that was named, or that follows from the annotations that were. UsageError where they contradict."""
        named = [task for task, place in (("segment", self.masks), ("detect", self.boxes)) if place is not None]
        for task in named:
            if len(named) > 1 or self.task not in (None, task):
                raise UsageError(
                    f"--masks is for --task segment and --boxes for --task detect; here --task is {self.task or 'not given'}, --masks"
                    f" {self.masks or 'not given'} and --boxes {self.boxes or 'not given'}. Give one of them."
                )
        return self.task or (named[0] if named else None)  # type: ignore[return-value]

    @property
    def masks_like(self) -> str | None:
        """The pattern that the user gave in place of a folder of masks."""
        pattern = self.masks is not None and re.search(r"[*?]", self.masks) and not Path(self.masks).exists()
        return self.masks if pattern else None


@dataclass(frozen=True)
class Beside:
    """What lies beside the images of a folder: `masks`, each with its image (None where that was not found), and `others`, files
    that are no images. `files_of` lists a folder's.
    """

    masks: Mapping[str, str | None]
    others: Sequence[str]
    files_of: Callable[[Path], tuple[Sequence[str], Sequence[str]]]  # that may be images, and that are none


def annotations_of(
    root: Path, images: Sequence[str], beside: Beside, wanted: Wanted, *, labelled: bool
) -> tuple[Annotations | None, tuple[Message, ...]]:
    """The masks or boxes to train with, None where labels are; and what is to be said of those that are not used.

    Without a word of the user labels come first, then masks or boxes. DataError where masks and boxes are both there, or
    where those that were asked for are not, which names the option, or where masks have more classes than a pixel can tell apart.
    """
    found, notes = _found(root, images, beside, wanted, labelled)
    if found is not None and found.task == "segment" and len(found.classes) > MOST_CLASSES:
        raise DataError(
            f"The masks of '{root}' have {len(found.classes)} classes, and {MOST_CLASSES} can be told apart; leave some out of the"
            " annotations, or join them under one name."
        )
    return found, notes


def _found(
    root: Path, images: Sequence[str], beside: Beside, wanted: Wanted, labelled: bool
) -> tuple[Annotations | None, tuple[Message, ...]]:
    task = wanted.asked
    if task in ("classify", "tag") or (task is None and labelled):
        return None, _unused(root, images, beside)
    if task == "segment":
        return _masks(root, images, beside, wanted), ()
    if task == "detect":
        return _boxes(root, images, beside, wanted), ()
    pairs = any(beside.masks.values())
    boxes, masks = list(box_kinds(root, beside.others, images)), mask_sources(root, beside.others, images, images)
    if boxes and (pairs or masks):
        raise DataError(
            f"The images of '{root}' have boxes ({boxes[0].shown}) and masks ({masks.shown if masks else 'files of their own'}): say"
            " --task segment or --task detect."
        )
    if boxes:
        return read_kinds(boxes, root, images, wanted.columns), ()
    if masks and not pairs:
        return masks.read(root, images, wanted.columns), ()
    return (_files(root, images, beside), ()) if pairs else (None, ())


def _files(root: Path, images: Sequence[str], beside: Beside) -> Annotations:
    """The masks that lie beside the images; a DICOM SEG says by itself of which image it is."""
    if segs := seg_files(root, list(beside.masks)):
        return Sources("dicom_seg", "segment", root, tuple(segs)).read(root, images)
    return replace(mask_files(root, beside.masks, images), lists=_lists(root, beside.others))


def _lists(above: Path, others: Sequence[str]) -> tuple[Path, ...]:
    """The files that may name the values of masks."""
    return tuple(above / file for file in others if file.lower().endswith(LISTS))


def _unused(root: Path, images: Sequence[str], beside: Beside) -> tuple[Message, ...]:
    found = []
    if count := sum(image is not None for image in beside.masks.values()):
        found.append(Message("annotations.masks_unused", {"count": count}))
    if boxes := box_sources(root, beside.others, images, tables=False):
        found.append(Message("annotations.boxes_unused", {"count": len(boxes.files), "file": boxes.files[0]}))
    return tuple(found)


def _masks(root: Path, images: Sequence[str], beside: Beside, wanted: Wanted) -> Annotations:
    if wanted.masks is None:
        if any(beside.masks.values()):
            return _files(root, images, beside)
        sources = mask_sources(root, beside.others, images, images)
        if sources is None:
            raise DataError(
                f"No masks are found beside the images of '{root}'; say where they are with --masks FOLDER."
                + _called_alike(beside, images)
            )
        return sources.read(root, images, wanted.columns)
    place = Path(wanted.masks)
    if wanted.masks_like is not None:
        every = [*images, *beside.masks]
        found = masks_like(root, wanted.masks_like, every, beside.masks, images)
        return replace(found, lists=_lists(root, beside.others))
    above, files, others = _below(
        place, "--masks names a folder of masks, a COCO JSON file, a DICOM SEG or a table of runs", beside
    )
    if sources := mask_sources(above, others, files, images, _lists_above(root, place, beside)):
        return sources.read(root, images, wanted.columns)
    if place.is_dir():
        lists = (*_lists(above, others), *_lists(root, beside.others))
        return replace(masks_in_folder(root, place, files, images), lists=lists)
    raise DataError(
        f"'{place}' holds no masks that are known; give a folder of masks, a COCO JSON file, a DICOM SEG or a table of runs."
    )


def _boxes(root: Path, images: Sequence[str], beside: Beside, wanted: Wanted) -> Annotations:
    if wanted.boxes is None:
        kinds = list(box_kinds(root, beside.others, images))
        if not kinds:
            raise DataError(
                f"No boxes are found beside the images of '{root}'; say where they are with --boxes FILE or FOLDER."
                + (without_header(as_path(root / file) for file in beside.others) or _called_alike(beside, images))
            )
        return read_kinds(kinds, root, images, wanted.columns)
    place = Path(wanted.boxes)
    above, _, others = _below(
        place, "--boxes names a COCO JSON file, a table, or a folder of XML or text files", beside
    )
    # A folder may hold answers beside the truth; a file that is named is meant, and so is a folder of nothing else.
    kinds = [] if place.is_file() else list(box_kinds(above, others, images))
    kinds = kinds or list(box_kinds(above, others, images, named=True))
    if not kinds:
        raise DataError(
            f"'{place}' holds no boxes that are known; give a COCO JSON file, Pascal VOC XML, YOLO text files or a table of boxes."
            + without_header(as_path(above / file) for file in others)
        )
    lists = _lists_above(root, place, beside)
    return read_kinds([replace(kind, lists=lists) for kind in kinds], root, images, wanted.columns)


def _lists_above(root: Path, place: Path, beside: Beside) -> list[Path]:
    """The files that may name the classes of annotations in a place that has none, or say what their numbers are: those directly above
    it, where YOLO has them, and those beside the images."""
    above: list[Path] = []
    if place.is_dir():
        with suppress(OSError):  # it may not be ours to list
            above = sorted(path for path in place.absolute().parent.iterdir() if path.is_file())
    return [*above, *(as_path(root / file) for file in beside.others)]


def _below(place: Path, expected: str, beside: Beside) -> tuple[Path, Sequence[str], Sequence[str]]:
    """The folder of what the user named, and its files that may be images and that are none; of one file that alone."""
    if not place.exists():
        raise DataError(f"There is no '{place}'; {expected}.")
    if place.is_dir():
        return place, *beside.files_of(place)
    return place.parent, [place.name], [place.name]


def _called_alike(beside: Beside, images: Sequence[str]) -> str:
    """What an error adds of files that are called as the images and may be annotations in a format that is not read."""
    twins = Twins(images)
    endings = Counter(Path(image).suffix.lower() for image in images)
    rare = [image for image in images if 2 * endings[Path(image).suffix.lower()] <= len(images)]
    alike = [
        file for file in (*beside.others, *rare) if file.lower().endswith(DATA) or twins.of(file) not in (None, file)
    ]
    if not alike:
        return ""
    return (
        f" {len(alike)} files such as '{alike[0]}' may be annotations in a format that is not read, or points without a size; write"
        " masks as PNG or TIFF called as their images, boxes as COCO JSON or as a table with xmin, ymin, xmax and ymax."
    )
