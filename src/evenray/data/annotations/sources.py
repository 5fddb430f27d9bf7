"""The formats of masks and boxes that are no pictures: which files are of which, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from evenray.core.names import as_path, as_text

from .class_names import class_names
from .coco import coco_shapes, is_coco, read_coco
from .dicom_seg import read_seg, seg_files
from .found import Annotations
from .pairing import Twins
from .tables import is_box_table, is_run_table, read_box_table, read_run_table
from .voc import is_voc, read_voc
from .yolo import is_yolo, read_yolo

__all__ = ["Sources", "box_sources", "mask_sources"]

TABLES = (".csv", ".tsv", ".parquet")
Kind = Literal["voc", "coco_boxes", "yolo", "box_table", "coco_masks", "run_table", "dicom_seg"]


@dataclass(frozen=True)
class Sources:
    """Files of one kind, relative to `above`; `others` lie beside them."""

    kind: Kind
    above: Path
    files: tuple[str, ...]
    others: Sequence[str] = ()

    @property
    def shown(self) -> str:
        """What an error calls them."""
        return f"'{self.files[0]}'" + (f" and {len(self.files) - 1} more files" if len(self.files) > 1 else "")

    def read(self, root: Path, images: Sequence[str]) -> Annotations:
        """Their annotations of images below `root`."""
        paths = [as_path(self.above / file) for file in self.files]
        extra = []
        if self.kind == "voc":
            found = read_voc(self.above, self.files, images)
        elif self.kind == "yolo":
            names, file = class_names(self.above, self.others)
            found = read_yolo(self.above, self.files, images, names)
            extra = [as_path(self.above / file)] if file else []
        elif self.kind == "dicom_seg":
            own = [image for image in images if (root / image).resolve() not in {path.resolve() for path in paths}]
            found = read_seg(root, paths, own, _relative(root, paths))
        elif self.kind == "box_table":
            found = read_box_table(paths[0], images)
        elif self.kind == "run_table":
            found = read_run_table(root, paths[0], images)
        else:
            found = read_coco(root, paths, images, "segment" if self.kind == "coco_masks" else "detect")
        return replace(found, files=_relative(root, [*paths, *extra]))


def _relative(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    above = root.resolve()
    return tuple(as_text(Path(os.path.relpath(path.resolve(), above)).as_posix()) for path in paths)


def box_sources(above: Path, others: Sequence[str], images: Sequence[str], *, tables: bool = True) -> Sources | None:
    """The files that hold boxes, of the first kind of which there are any, without `tables` of no table; a text file is one where it
    is called as an image."""
    twins = Twins(images)
    texts = [file for file in others if twins.of(file) is not None]
    kinds: list[tuple[Kind, tuple[str, ...], Sequence[str], Callable[[Path], bool]]] = [
        ("voc", (".xml",), others, is_voc), ("coco_boxes", (".json",), others, is_coco), ("yolo", (".txt",), texts, is_yolo),
    ]  # fmt: skip
    for kind, endings, among, is_kind in kinds:
        files = tuple(file for file in among if file.lower().endswith(endings) and is_kind(as_path(above / file)))
        if files:
            return Sources(kind, above, files, others)
    return _table("box_table", above, others, is_box_table) if tables else None


def mask_sources(above: Path, others: Sequence[str], files: Sequence[str]) -> Sources | None:
    """The files that hold masks and are no pictures: COCO JSON with outlines, DICOM SEG among `files`, a table of runs."""
    shapes = tuple(file for file in others if file.lower().endswith(".json") and is_coco(as_path(above / file)))
    if shapes and coco_shapes([as_path(above / file) for file in shapes]):
        return Sources("coco_masks", above, shapes)
    if segs := seg_files(above, files):
        return Sources("dicom_seg", above, tuple(segs))
    return _table("run_table", above, others, is_run_table)


def _table(kind: Kind, above: Path, others: Sequence[str], is_kind: Callable[[Path], bool]) -> Sources | None:
    """The first table of a kind."""
    found = next((file for file in others if file.lower().endswith(TABLES) and is_kind(as_path(above / file))), None)
    return None if found is None else Sources(kind, above, (found,))
