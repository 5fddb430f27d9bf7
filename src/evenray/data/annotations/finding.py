"""Which annotations a data set is trained with: those that the user names, else masks or boxes beside images without labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from evenray.core.annotations import Task
from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.core.names import as_path, as_text

from .coco import coco_shapes, is_coco, read_coco
from .found import Annotations
from .mask_files import mask_files, masks_in_folder
from .voc import is_voc, read_voc

__all__ = ["Beside", "Wanted", "annotations_of"]

Unannotated = Literal["leave-out", "empty"]


@dataclass(frozen=True)
class Wanted:
    """What the user says of annotations: the task, where masks or boxes are, and what an image without any means."""

    task: Task | None = None
    masks: str | None = None
    boxes: str | None = None
    unannotated: Unannotated = "leave-out"

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
    where those that were asked for are not; it names the option.
    """
    task = wanted.asked
    if task in ("classify", "tag") or (task is None and labelled):
        return None, _unused(root, beside)
    if task == "segment":
        return _masks(root, images, beside, wanted), ()
    if task == "detect":
        return _boxes(root, images, beside, wanted), ()
    masks, boxes = any(beside.masks.values()), _box_files(root, beside.others)
    shapes = boxes is not None and boxes.kind == "coco" and coco_shapes(boxes.paths)
    if boxes is not None and (masks or shapes):
        what = f"boxes ({boxes.shown}) and masks" if masks else f"boxes and masks of the same objects ({boxes.shown})"
        raise DataError(f"The images of '{root}' have {what}: say --task segment or --task detect.")
    if boxes is not None:
        return _read_boxes(root, boxes, images), ()
    return (mask_files(beside.masks), ()) if masks else (None, ())


def _unused(root: Path, beside: Beside) -> tuple[Message, ...]:
    found = []
    if count := sum(image is not None for image in beside.masks.values()):
        found.append(Message("annotations.masks_unused", {"count": count}))
    if boxes := _box_files(root, beside.others):
        found.append(Message("annotations.boxes_unused", {"count": len(boxes.files), "file": boxes.files[0]}))
    return tuple(found)


@dataclass(frozen=True)
class BoxFiles:
    """Files of one kind that hold boxes, relative to `root`."""

    kind: str
    root: Path
    files: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        return [as_path(self.root / file) for file in self.files]

    @property
    def shown(self) -> str:
        return f"'{self.files[0]}'" + (f" and {len(self.files) - 1} more files" if len(self.files) > 1 else "")


def _box_files(root: Path, others: Sequence[str]) -> BoxFiles | None:
    """The files that hold boxes, of the first kind of which there are any."""
    for kind, ending, is_kind in (("voc", ".xml", is_voc), ("coco", ".json", is_coco)):
        files = tuple(file for file in others if file.lower().endswith(ending) and is_kind(as_path(root / file)))
        if files:
            return BoxFiles(kind, root, files)
    return None


def _masks(root: Path, images: Sequence[str], beside: Beside, wanted: Wanted) -> Annotations:
    if wanted.masks is not None:
        place = Path(wanted.masks)
        if place.is_dir():
            return masks_in_folder(root, place, beside.files_of(place)[0], images)
        if not place.exists():
            raise DataError(f"There is no '{place}'; --masks names a folder of masks, a COCO JSON file or a table.")
        if is_coco(place):
            return replace(read_coco(root, [place], images, "segment"), files=_relative(root, [place]))
        raise DataError(
            f"'{place}' holds no masks that are known; give a folder of masks, a COCO JSON file or a table."
        )
    if any(beside.masks.values()):
        return mask_files(beside.masks)
    boxes = _box_files(root, beside.others)
    if boxes is not None and boxes.kind == "coco" and coco_shapes(boxes.paths):
        return replace(read_coco(root, boxes.paths, images, "segment"), files=_relative(root, boxes.paths))
    raise DataError(f"No masks are found beside the images of '{root}'; say where they are with --masks FOLDER.")


def _boxes(root: Path, images: Sequence[str], beside: Beside, wanted: Wanted) -> Annotations:
    if wanted.boxes is None:
        boxes = _box_files(root, beside.others)
        if boxes is None:
            raise DataError(
                f"No boxes are found beside the images of '{root}'; say where they are with --boxes FILE or FOLDER."
            )
        return _read_boxes(root, boxes, images)
    place = Path(wanted.boxes)
    if not place.exists():
        raise DataError(
            f"There is no '{place}'; --boxes names a COCO JSON file, a table, or a folder of XML or text files."
        )
    files = beside.files_of(place)[1] if place.is_dir() else [place.name]
    above = place if place.is_dir() else place.parent
    boxes = _box_files(above, files)
    if boxes is None:
        raise DataError(
            f"'{place}' holds no boxes that are known; give a COCO JSON file, Pascal VOC XML, YOLO text files or a table of boxes."
        )
    return _read_boxes(root, boxes, images)


def _read_boxes(root: Path, boxes: BoxFiles, images: Sequence[str]) -> Annotations:
    coco = boxes.kind == "coco"
    found = read_coco(root, boxes.paths, images, "detect") if coco else read_voc(boxes.root, boxes.files, images)
    return replace(found, files=_relative(root, boxes.paths))


def _relative(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    above = root.resolve()
    return tuple(as_text(Path(os.path.relpath(path.resolve(), above)).as_posix()) for path in paths)
