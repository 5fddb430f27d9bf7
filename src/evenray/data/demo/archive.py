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
from typing import Any

import numpy as np

from evenray.core.errors import StorageError, UsageError

from .dicom import encode, uid
from .film import Mark, Picture, anatomy_of, picture
from .plan import FAULTS, Film, plan

__all__ = ["Archive", "make"]

VERSION = 1  # of the drawing; a folder with another one is not reused
CROP = 2  # pixels cut from every side of a cropped near duplicate


@dataclass(frozen=True)
class Archive:
    """What `make` wrote, and where: `folder` is the DICOM tree with its tables, `labels` the label table.

    Counts are those of the drawing: sick are the patients and films with lesions; `faults` says how many films carry
    which planted fault.
    """

    folder: Path
    seed: int
    patients: int
    images: int
    sick_patients: int
    sick_images: int
    faults: dict[str, int]

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"

    @property
    def lesions(self) -> Path:
        return self.folder / "lesions.csv"

    @property
    def planted(self) -> Path:
        return self.folder / "planted.json"


def make(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    patients: int = 500,
    images: int = 620,
    map: Callable[[Callable[[Film], Any], Sequence[Film]], Iterable[Any]] = builtins.map,
) -> Archive:
    """Write the demo archive into `folder`, which must be new, empty, or hold the same archive already.

    The folder appears when it is complete, never half-written. The same seed and counts give the same bytes. `map`
    draws the films; it keeps their order and may use several processes. UsageError: the folder holds something else,
    or the counts do not fit. StorageError: the disk is full or not writable.

    >>> make("archive", patients=12, images=15)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: patients is 12; the planted faults need at least 60.
    """
    folder = Path(folder)
    films = plan(seed, patients, images)
    archive = _described(folder, seed, films)
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


def _described(folder: Path, seed: int, films: list[Film]) -> Archive:
    return Archive(
        folder=folder,
        seed=seed,
        patients=len({film.patient for film in films}),
        images=len(films),
        sick_patients=len({film.patient for film in films if film.sick}),
        sick_images=sum(film.sick for film in films),
        faults=dict(FAULTS),
    )


def _is_there(archive: Archive, films: list[Film]) -> bool:
    """Whether the folder holds this archive already; UsageError if it holds anything else."""
    if not archive.folder.exists() or (archive.folder.is_dir() and not any(archive.folder.iterdir())):
        return False
    try:
        found = json.loads(archive.planted.read_text(encoding="utf-8"))
        same = {key: found[key] for key in _facts(archive)} == _facts(archive)
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if same and all((archive.folder / film.path).is_file() for film in films):
        return True
    raise UsageError(f"{archive.folder} exists and is not this demo archive; give a new folder, or remove it first.")


def _facts(archive: Archive) -> dict[str, Any]:
    names = ("seed", "patients", "images", "sick_patients", "sick_images")
    return {"version": VERSION, **{name: getattr(archive, name) for name in names}}


def _write(folder: Path, archive: Archive, films: list[Film], map: Callable[..., Iterable[Any]]) -> None:
    for film in films:
        (folder / film.path).parent.mkdir(parents=True, exist_ok=True)
    marks = list(map(partial(_write_film, folder=folder, seed=archive.seed), films))
    _write_tables(folder, archive.seed, films, marks)
    faults = [_fault(film, archive.seed) for film in films if film.fault]
    faults.sort(key=lambda fault: (list(FAULTS).index(fault["fault"]), fault["file"]))
    planted = {"synthetic": True, **_facts(archive), "faults": faults}
    (folder / "planted.json").write_text(json.dumps(planted, indent=2) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(_readme(archive), encoding="utf-8")


def _write_film(film: Film, folder: Path, seed: int) -> tuple[Mark, ...]:
    """One file; returns the lesions in it."""
    drawn = _with_fault(film, picture(film.source or film, seed))
    data = encode(film, drawn, anatomy_of(film.patient, seed).sex, seed)
    if film.fault == "truncated_file":
        data = data[: int(0.55 * len(data))]
    (folder / film.path).write_bytes(data)
    return drawn.marks


def _with_fault(film: Film, drawn: Picture) -> Picture:
    """What a planted fault does to the pixels; compression and bit depth are the encoder's part."""
    if film.fault == "blank_image":
        return replace(drawn, pixels=np.zeros_like(drawn.pixels), marks=())
    if film.fault == "near_duplicate_intensity":
        return replace(drawn, pixels=np.clip(drawn.pixels * 0.94 + 120.0, 1, 4095).round().astype(np.uint16))
    if film.fault == "near_duplicate_cropped":
        return replace(drawn, pixels=np.ascontiguousarray(drawn.pixels[CROP:-CROP, CROP:-CROP]))
    return drawn


def _fault(film: Film, seed: int) -> dict[str, str]:
    """One planted fault as planted.json lists it."""
    fault = {
        "fault": film.fault,
        "file": film.path,
        "sop_instance_uid": _image_uid(film, seed),
        "what": WHAT[film.fault],
    }
    if film.source:
        fault |= {"source_file": film.source.path, "source_sop_instance_uid": _image_uid(film.source, seed)}
    return fault


WHAT = {
    "exact_duplicate": "the source's pixels, value for value, under another patient",
    "near_duplicate_intensity": "the source's pixels x 0.94 + 120 grey levels, under another patient",
    "near_duplicate_recompressed": "the source's pixels after lossy JPEG 2000, under another patient",
    "near_duplicate_cropped": f"the source's pixels less {CROP} on every side, under another patient",
    "blank_image": "every pixel is black",
    "eight_bit_stray": "stored in 8 bits among films of 12",
    "truncated_file": "the file ends in the middle of its pixels",
    "label_conflict": "the source's pixels, value for value, of the same patient; labelled sick, the source healthy",
}


def _image_uid(film: Film, seed: int) -> str:
    return str(uid(seed, "image", film.patient, film.number))


def _write_tables(folder: Path, seed: int, films: list[Film], marks: list[tuple[Mark, ...]]) -> None:
    labels = [(_image_uid(film, seed), film.label, film.site) for film in films]
    _write_csv(folder / "labels.csv", ("sop_instance_uid", "label", "site"), sorted(labels))
    lesions = [
        (
            _image_uid(film, seed),
            film.path,
            mark.kind,
            *(f"{v:.2f}" for v in (mark.row, mark.column, mark.radius, mark.contrast)),
        )
        for film, found in zip(films, marks, strict=True)
        for mark in found
    ]
    header = ("sop_instance_uid", "file", "kind", "row", "column", "radius", "contrast")
    _write_csv(folder / "lesions.csv", header, lesions)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _readme(archive: Archive) -> str:
    return README.format(**_facts(archive))


README = """\
SYNTHETIC PHANTOMS - no image here shows a person

evenray drew these {images} chest-like radiographs of {patients} invented patients (seed {seed}). Names, identifiers,
dates and hospitals are made up. They serve to try and to test software; nothing medical can be learnt
from them.

films/        DICOM files, 12 bits stored in 16, one folder for each patient
labels.csv    sop_instance_uid, label (sick or healthy), site; the patient stands in the file's header
lesions.csv   the truth: where lesions were drawn (row, column and radius in pixels, from 0 at the centre
              of the first pixel), and how much brighter each makes its disc (grey levels of 4095, before
              noise)
planted.json  the truth: the faults that were planted on purpose

{sick_patients} patients with {sick_images} films are sick: they have one to three lesions in the lungs. Nipple shadows, vessels
that run along the rays, pacemakers and marker letters occur in sick and healthy alike. There are two sites
with different machines; half of the films of the site south are over-exposed, in the sense that their grey
levels crowd at the bright end.
"""
