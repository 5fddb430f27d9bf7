"""The formats of masks and boxes that are no pictures: which files are of which, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from evenray.core.messages import Message
from evenray.core.names import as_path, as_text
from evenray.data.tables.expressions import Asked

from .box_tables import is_box_table, read_box_table
from .class_names import class_names
from .coco import coco_shapes, is_coco, read_coco
from .dicom_seg import read_seg, seg_files
from .formats import FORMATS
from .found import Annotations
from .own_answers import are_answers
from .pairing import Twins
from .run_tables import is_run_table, read_run_table
from .shapes import read_shapes
from .voc import is_voc, read_voc
from .yolo import are_outlines, is_yolo, read_yolo
from .yolo_rows import lengths_of_poses

ENDINGS = tuple({ending for own in FORMATS.values() for ending in own.endings})
__all__ = ["Sources", "box_kinds", "box_sources", "mask_sources"]

TABLES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Sources:
    """Files of one kind, relative to `above`; `others` lie beside them; `lists`, elsewhere, may say of them what none of these does;
    `answers` are passed over, for a network found what they hold. `kind` is one of those below, or the name of a format."""

    kind: str
    task: Literal["segment", "detect"]
    above: Path
    files: tuple[str, ...]
    others: Sequence[str] = ()
    lists: Sequence[Path] = ()
    answers: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What an error calls them."""
        return f"'{self.files[0]}'" + (f" and {len(self.files) - 1} more files" if len(self.files) > 1 else "")

    @property
    def near(self) -> list[Path]:
        """The files that lie beside them."""
        return [as_path(self.above / other) for other in self.others]

    @property
    def outlined(self) -> bool:
        """Whether they outline objects."""
        if self.kind == "coco":
            return coco_shapes([as_path(self.above / file) for file in self.files])
        if self.kind == "yolo":
            return are_outlines(self.above, self.files, lengths_of_poses([*self.near, *self.lists]))
        own = FORMATS.get(self.kind)
        return own is not None and own.outlines and own.outlined(self.above, self.files)

    def read(self, root: Path, images: Sequence[str], asked: Asked | None = None) -> Annotations:
        """Their annotations of images below `root`; `asked` is what the user says of the columns of tables."""
        paths = [as_path(self.above / file) for file in self.files]
        extra = []
        if self.kind == "voc":
            found = read_voc(self.above, self.files, images)
        elif self.kind == "yolo":
            poses = lengths_of_poses([*self.near, *self.lists])
            found = read_yolo(self.above, self.files, images, self.task, poses)
            names, file = class_names(self.near, self.lists, len(found.classes))
            found = replace(found, classes=(*names, *found.classes[len(names) :]))
            extra = list(dict.fromkeys([*([file] if file is not None else []), *poses.values()]))
        elif self.kind == "dicom_seg":
            own = [image for image in images if (root / image).resolve() not in {path.resolve() for path in paths}]
            found = read_seg(root, paths, own, _relative(root, paths))
        elif self.kind in FORMATS:
            found = read_shapes(FORMATS[self.kind], self.above, self.files, images, self.task)
        elif self.kind == "box_table":
            found = read_box_table(paths, images, root, asked)
        elif self.kind == "run_table":
            found = read_run_table(root, paths[0], images, asked)
        else:
            found = read_coco(root, paths, images, self.task)
        told = {"count": len(self.answers), "file": self.answers[0]} if self.answers else None
        notes = (*found.notes, *([Message("annotations.answers", told)] if told else []))
        return replace(found, files=_relative(root, [*paths, *extra]), notes=notes)


def _relative(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    above = root.resolve()
    return tuple(as_text(Path(os.path.relpath(path.resolve(), above)).as_posix()) for path in paths)


def box_kinds(
    above: Path, others: Sequence[str], images: Sequence[str], *, tables: bool = True, named: bool = False
) -> Iterator[Sources]:
    """The files that hold boxes, kind by kind, each file in the first that it is of; a table only where there is nothing else, and
    without `tables` none. A text file is one where it is called as an image. Boxes that a network found are taken where the user
    `named` them alone."""
    answers = () if named else tuple(file for file in others if are_answers(as_path(above / file)))
    taken = set(answers)
    left = [file for file in others if file not in taken]
    for kind, found in _texts(above, left, images):
        if own := tuple(file for file in found if file not in taken):
            yield Sources(kind, "detect", above, own, others, answers=answers)
            taken.update(own)
    if tables and taken == set(answers) and (sources := _table("box_table", above, left)):
        yield replace(sources, answers=answers)


def box_sources(
    above: Path, others: Sequence[str], images: Sequence[str], *, tables: bool = True, named: bool = False
) -> Sources | None:
    """The first kind of `box_kinds`."""
    return next(box_kinds(above, others, images, tables=tables, named=named), None)


def mask_sources(
    above: Path, others: Sequence[str], files: Sequence[str], images: Sequence[str], lists: Sequence[Path] = ()
) -> Sources | None:
    """The files that hold masks and are no pictures: outlines of any tool, DICOM SEG among `files`, a table of runs. `lists` are files
    elsewhere that may say more of them."""
    for kind, found in _texts(above, others, images):
        sources = Sources(kind, "segment", above, found, others, lists)
        if found and sources.outlined:
            return sources
    if segs := seg_files(above, files):
        return Sources("dicom_seg", "segment", above, tuple(segs))
    return _table("run_table", above, others)


def _texts(above: Path, others: Sequence[str], images: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The kinds of XML, JSON and text files, each with the files that are of it; a text file is one where it is called as an image."""
    yield "voc", tuple(file for file in others if file.lower().endswith(".xml") and is_voc(as_path(above / file)))
    coco = tuple(file for file in others if file.lower().endswith(".json") and is_coco(as_path(above / file)))
    yield "coco", coco
    left = [file for file in others if file not in set(coco) and file.lower().endswith(ENDINGS)]
    yield from ((name, own.files(above, left)) for name, own in FORMATS.items())
    twins = Twins(images)
    texts = (file for file in others if file.lower().endswith(".txt") and twins.of(file) is not None)
    yield "yolo", tuple(file for file in texts if is_yolo(as_path(above / file)))


def _table(kind: Literal["box_table", "run_table"], above: Path, others: Sequence[str]) -> Sources | None:
    """The tables of a kind: of runs the first."""
    is_kind = is_box_table if kind == "box_table" else is_run_table
    tables = [file for file in others if file.lower().endswith(TABLES) and is_kind(as_path(above / file))]
    if not tables:
        return None
    if kind == "run_table":
        return Sources(kind, "segment", above, tuple(tables[:1]))
    return Sources(kind, "detect", above, tuple(tables))
