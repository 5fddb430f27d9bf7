"""The whole demo archive: films, label table, the truth about lesions and faults, and a note that all of it is invented."""

from __future__ import annotations

import builtins
import csv
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import polars as pl

from evenray.core.errors import StorageError, UsageError
from evenray.images.writers.boxes import write_boxes

from .dicom import encode, uid
from .film import KINDS, Mark, Picture, anatomy_of, picture
from .plan import CROP, FAULTS, Film, plan

__all__ = ["Archive", "make"]

Teaches = Literal["classify", "segment", "detect"]
HEALTHY_PER_MARKED = 1  # where lesions are to be outlined; the pixels are unbalanced enough
VERSION = 2  # of the drawing; a folder with another one is not reused


@dataclass(frozen=True)
class Archive:
    """What `make` wrote, and where: `folder` is the DICOM tree with its tables, `labels` the label table.

    Counts are those of the drawing: sick are the patients and films with lesions; `faults` says how many films carry
    which planted fault. `task` says what the archive teaches: labels.csv, masks/ or boxes.json lies beside the films.
    """

    folder: Path
    seed: int
    patients: int
    images: int
    sick_patients: int
    sick_images: int
    faults: dict[str, int]
    task: Teaches = "classify"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"

    @property
    def lesions(self) -> Path:
        return self.folder / "lesions.csv"

    @property
    def planted(self) -> Path:
        return self.folder / "planted.json"

    @property
    def counts(self) -> dict[str, int | str]:
        """The seed, the task and the counts, with the version of the drawing; they tell one archive from another."""
        names = ("seed", "patients", "images", "sick_patients", "sick_images")
        return {"version": VERSION, "task": self.task, **{name: getattr(self, name) for name in names}}


def make(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    patients: int = 500,
    images: int = 620,
    task: Teaches = "classify",
    map: Callable[[Callable[[Film], Any], Sequence[Film]], Iterable[Any]] = builtins.map,
) -> Archive:
    """Write the demo archive into `folder`, which must be new, empty, or hold the same archive already.

    To classify, the films have a table of labels, and one patient in thirteen is sick; to segment or detect lesions, they have
    masks or boxes in place of it, and every other patient has lesions.
    The folder appears when it is complete, never half-written. The same seed and counts give the same bytes. `map`
    draws the films; it keeps their order and may use several processes. UsageError: the folder holds something else,
    or the counts do not fit. StorageError: the disk is full or not writable.

    >>> make("archive", patients=12, images=15)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: patients is 12; the planted faults need at least 60.
    """
    folder = Path(folder)
    films = plan(seed, patients, images, *(() if task == "classify" else (HEALTHY_PER_MARKED,)))
    sick = [film.patient for film in films if film.sick]
    archive = Archive(
        folder,
        seed,
        patients,
        images,
        len(set(sick)),
        len(sick),
        {name: n for name, (n, _) in FAULTS.items()},
        task,
    )
    if _is_there(archive, films):
        return archive
    partly = folder.absolute().with_name(f".{folder.absolute().name}.part")
    try:
        shutil.rmtree(partly, ignore_errors=True)  # what a killed run left
        partly.mkdir(parents=True)
        _write(partly, archive, films, map)
        partly.replace(folder)
    except OSError as error:
        raise StorageError(f"The demo archive cannot be written to {folder}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(partly, ignore_errors=True)
    return archive


def _is_there(archive: Archive, films: list[Film]) -> bool:
    """Whether the folder holds this archive already; UsageError if it holds anything else."""
    if not archive.folder.exists() or (archive.folder.is_dir() and not any(archive.folder.iterdir())):
        return False
    try:
        found = json.loads(archive.planted.read_text(encoding="utf-8"))
        same = {key: found[key] for key in archive.counts} == archive.counts
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if same and all((archive.folder / film.path).is_file() for film in films):
        return True
    raise UsageError(f"{archive.folder} exists and is not this demo archive; give a new folder, or remove it first.")


def _write(folder: Path, archive: Archive, films: list[Film], map: Callable[..., Iterable[Any]]) -> None:
    for film in films:
        (folder / film.path).parent.mkdir(parents=True, exist_ok=True)
    drawn = list(map(partial(_write_film, folder=folder, seed=archive.seed, task=archive.task), films))
    marks = [found for found, _ in drawn]

    def uid_of(film: Film) -> str:
        return str(uid(archive.seed, "image", film.patient, film.number))

    if archive.task == "classify":
        labels = sorted((uid_of(film), film.label, film.site) for film in films)
        _write_csv(folder / "labels.csv", ("sop_instance_uid", "label", "site"), labels)
    elif archive.task == "segment":
        (folder / "masks" / "classes.txt").write_text("background\nlesion\n", encoding="utf-8")
    else:
        write_boxes(folder / "boxes.json", *_boxes(films, drawn), KINDS)
    lesions = [
        (
            uid_of(film),
            film.path,
            mark.kind,
            *(f"{v:.2f}" for v in (mark.row, mark.column, mark.radius, mark.contrast)),
        )
        for film, found in zip(films, marks, strict=True)
        for mark in found
    ]
    header = ("sop_instance_uid", "file", "kind", "row", "column", "radius", "contrast")
    _write_csv(folder / "lesions.csv", header, lesions)
    faulty = [film for fault in FAULTS for film in sorted(films, key=lambda film: film.path) if film.fault == fault]
    faults = []
    for film in faulty:
        fault = {
            "fault": film.fault,
            "file": film.path,
            "sop_instance_uid": uid_of(film),
            "what": FAULTS[film.fault][1],
        }
        if film.source:
            fault |= {"source_file": film.source.path, "source_sop_instance_uid": uid_of(film.source)}
        faults.append(fault)
    planted = {"synthetic": True, **archive.counts, "faults": faults}
    (folder / "planted.json").write_text(json.dumps(planted, indent=2) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(README.format(**archive.counts), encoding="utf-8")


def _boxes(
    films: list[Film], drawn: list[tuple[tuple[Mark, ...], tuple[int, int]]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The films with their sizes, and the boxes of the lesions in them."""
    images = pl.DataFrame(
        [(film.path, *shape) for film, (_, shape) in zip(films, drawn, strict=True)],
        ["name", "rows", "columns"],
        orient="row",
    )
    marked = [(film.path, mark) for film, (marks, _) in zip(films, drawn, strict=True) for mark in marks]
    rows = [(path, KINDS.index(mark.kind), *map(float, mark.box)) for path, mark in marked]
    boxes = pl.DataFrame(rows, ["name", "class", "x0", "y0", "x1", "y1"], orient="row")
    return images, boxes


def _write_film(film: Film, folder: Path, seed: int, task: Teaches) -> tuple[tuple[Mark, ...], tuple[int, int]]:
    """One file, and its mask where that is learnt; returns the lesions in it and the shape of the picture."""
    drawn = _with_fault(film, picture(film.source or film, seed))
    data = encode(film, drawn, anatomy_of(film.patient, seed).sex, seed)
    if film.fault == "truncated_file":
        data = data[: int(0.55 * len(data))]
    (folder / film.path).write_bytes(data)
    if task == "segment":
        mask = (folder / film.path.replace("films/", "masks/", 1)).with_suffix(".png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.write_bytes(cv2.imencode(".png", drawn.mask)[1].tobytes())
    return drawn.marks, (drawn.pixels.shape[0], drawn.pixels.shape[1])


def _with_fault(film: Film, drawn: Picture) -> Picture:
    """What a planted fault does to the pixels; compression and bit depth are the encoder's part."""
    if film.fault == "blank_image":
        return replace(drawn, pixels=np.zeros_like(drawn.pixels), marks=(), mask=np.zeros_like(drawn.mask))
    if film.fault == "near_duplicate_intensity":
        return replace(drawn, pixels=np.clip(drawn.pixels * 0.94 + 120.0, 1, 4095).round().astype(np.uint16))
    if film.fault == "near_duplicate_cropped":
        inner = np.s_[CROP:-CROP, CROP:-CROP]  # of healthy films only, so no box has to move
        return replace(
            drawn, pixels=np.ascontiguousarray(drawn.pixels[inner]), mask=np.ascontiguousarray(drawn.mask[inner])
        )
    return drawn


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


README = """\
SYNTHETIC PHANTOMS - no image here shows a person

evenray drew these {images} chest-like radiographs of {patients} invented patients (seed {seed}). Names, identifiers,
dates and hospitals are made up. They serve to try and to test software; nothing medical can be learnt
from them.

films/        DICOM files, 12 bits stored in 16, one folder for each patient
labels.csv    sop_instance_uid, label (sick or healthy), site; the patient stands in the file's header; or in its place
masks/        PNG, one a film: 0 background, 1 lesion
boxes.json    COCO: the boxes of consolidations and nodules
lesions.csv   the truth: where lesions were drawn (row, column and radius in pixels, from 0 at the centre
              of the first pixel), and how much brighter each makes its disc (grey levels of 4095, before
              noise)
planted.json  the truth: the faults that were planted on purpose

{sick_patients} patients with {sick_images} films are sick: they have one to three lesions in the lungs. Nipple shadows, vessels
that run along the rays, pacemakers and marker letters occur in sick and healthy alike. There are two sites
with different machines; half of the films of the site south are over-exposed, in the sense that their grey
levels crowd at the bright end.
"""
