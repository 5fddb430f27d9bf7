"""The scan: every file is opened once; what is read of it becomes one row of the case table, or a line in rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core import budget
from evenray.core.artefacts.cases import with_own_sketches
from evenray.core.errors import MissingExtra, ReadError
from evenray.core.names import as_path
from evenray.core.sketches import SketchWriter
from evenray.core.types import REJECTED, Dataset, Image
from evenray.data.annotations.finding import Wanted
from evenray.data.annotations.found import Annotations
from evenray.data.annotations.mask_grid import describe_grids
from evenray.data.annotations.measuring import COLUMNS, describe_boxes, describe_masks, with_masks
from evenray.data.audit import measure
from evenray.data.tables.ages import age_band
from evenray.data.tables.identifiers import canonical, is_nobody
from evenray.data.tables.labels import Choices
from evenray.data.tables.positive import no_class
from evenray.data.tables.pseudonym import draw_key, pseudonym
from evenray.data.tables.seen import side_of
from evenray.data.tables.words import composed
from evenray.images.histogram import Histogram
from evenray.images.readers import fragments, identity, middle, read

from .assembling import NO_IMAGES, assemble
from .entries import Entry, Listing
from .listing import listing

__all__ = ["Map", "identities", "scan", "scan_listed"]

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
Column = str | float | NDArray[Any] | None  # what the table, or a sketch, has of one image
CHUNK, FEWEST = 64, 32  # files a task at most; tasks where there are files enough, so that all cores have work
ROWS = 4096  # that wait to become a table
# By which a table of labels may find an image.
KEYS = ("sop_instance", "series", "study", "accession", "patient_side", "patient")

SCHEMA: dict[str, Any] = {
    "file": pl.String, "fragment": pl.String, "label": pl.String, "findings": pl.List(pl.Boolean),
    "patient": pl.String, "patient_side": pl.String, "series": pl.String, "kind": pl.String,
    "study": pl.String, "site": pl.String, "part": pl.String, "sop_instance": pl.String, "accession": pl.String,
    "sex_birth_hash": pl.String,
    "sex": pl.String, "age_band": pl.String, "sha256": pl.String, "pixel_hash": pl.String, "format": pl.String, "modality": pl.String,
    "manufacturer": pl.String, "view": pl.String, "photometric": pl.String, "rows": pl.Int32, "columns": pl.Int32,
    "channels": pl.Int32, "bits": pl.Int32, "dtype": pl.String, "low": pl.Float64, "high": pl.Float64,
    "bits_stored": pl.Int32, "smallest_value": pl.Float64, "largest_value": pl.Float64, "spacing_row": pl.Float64,
    "spacing_column": pl.Float64, "spacing_source": pl.String, "window_center": pl.Float64, "window_width": pl.Float64,
    "slice_position": pl.Float64, "synthetic": pl.Boolean, **COLUMNS,
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What a worker needs to read a chunk of entries; it names no person after the worker is done with it."""

    root: str
    entries: tuple[Entry, ...]
    key: bytes
    value_range: tuple[float, float] | None
    every_frame: bool
    annotations: Annotations | None = None  # without those of the images, which the entries have
    lost: tuple[tuple[int, str], ...] = ()  # numbers of entries that ended the process that read them, each with why

    def without(self, part: int, reason: str) -> Task:
        """The same task with one more entry set aside; with all that are left where it was not for an entry."""
        known = {number for number, _ in self.lost}
        more = [part] if part not in known else [n for n in range(len(self.entries)) if n not in known]
        return replace(self, lost=(*self.lost, *((number, reason) for number in more)))


@dataclass(frozen=True)
class Reading:
    """What was read of some files: a row and the sketches of each image, and the files set aside with the reason and the keys of
    KEYS, if known. Rows, as small tables cost more to send from process to process than what is in them."""

    rows: list[dict[str, Any]]
    rejected: list[dict[str, str | None]]
    sketches: dict[str, NDArray[Any]]


def scan(
    data: str | Path,
    *,
    labels: str | Path | None = None,
    patient: str | None = None,
    value_range: tuple[float, float] | None = None,
    positive: str | None = None,
    every_frame: bool = False,
    names: bool = False,
    choices: Choices | None = None,
    wanted: Wanted | None = None,
    map: Map = map,
) -> Dataset:
    """Read every image of DATA once and return the table of cases; of a folder without labels, their label is null.

    `data`, `labels`, `patient`, `choices` and `wanted` as in `listing`; `value_range` is the true grey range of files
    that do not declare it (16-bit PNG and TIFF); `positive` the positive class. A file with many frames or slices gives its
    middle one, or with `every_frame` all of them; `names` calls the cases by their files, not by pseudonyms. Unreadable
    files are set aside in `Dataset.rejected`. Raises DataError where nothing is left to work with.
    """
    listed = listing(data, labels=labels, patient=patient, choices=choices, wanted=wanted)
    return scan_listed(
        listed, value_range=value_range, positive=positive, every_frame=every_frame, names=names, map=map
    )


def scan_listed(
    listed: Listing,
    *,
    value_range: tuple[float, float] | None = None,
    positive: str | None = None,
    every_frame: bool = False,
    names: bool = False,
    map: Map = map,
    sketches: Path | None = None,
    key: bytes | None = None,
) -> Dataset:
    """The scan of what is listed already; options as in `scan`. A wrong class is refused before any file is opened.

    `key` is a key of pseudonyms other than the data set's own; under it an identifier that most images share is a patient's, too.
    `sketches` is the folder in which the sketches are kept; without one they stay in memory, 2.2 kB a case.
    """
    if positive is not None and positive not in (met := {composed(label) for label in listed.labels}):
        raise no_class(positive, met)
    shared = key is not None
    key = key or draw_key(as_path(listed.root / entry.file) for entry in listed.entries)
    step = min(CHUNK, -(-len(listed.entries) // FEWEST))
    tasks = [
        Task(str(listed.root), listed.entries[start : start + step], key, value_range, every_frame, listed.annotations)
        for start in range(0, len(listed.entries), step)
    ]
    tables: list[pl.DataFrame] = []
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str | None]] = []
    with SketchWriter(sketches) as kept:
        for reading in map(describe, tasks):
            rows += reading.rows
            rejected += reading.rejected
            kept.add(reading.sketches)
            if len(rows) >= ROWS:  # a table takes a tenth of the memory
                tables.append(_table(rows))
                rows.clear()
        cases = pl.concat([*tables, _table(rows)], how="diagonal_relaxed", rechunk=True)
        aside = pl.DataFrame(rejected, schema=REJECTED | dict.fromkeys(KEYS, pl.String))
        dataset = assemble(listed, cases, aside, key, positive, value_range, names, shared)
    # Images that a table of labels does not name are not of the data set, and neither are their pictures.
    return with_own_sketches(replace(dataset, sketches=kept.rows), sketches)


def _table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides=SCHEMA, infer_schema_length=None)


def describe(task: Task) -> Reading:
    """What is read of one chunk of files; sketches are what is an array."""
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str | None]] = []
    lost = dict(task.lost)
    with budget.reading():
        for part, entry in enumerate(task.entries):
            budget.begin_part(part)
            path = as_path(Path(task.root) / entry.file)
            who: dict[str, str | None] = {}
            try:
                if part in lost:
                    raise ReadError(path, lost[part])
                who = _identity(path, entry, task.key)
                if reason := NO_IMAGES.get(who["kind"] or ""):
                    raise ReadError(path, reason)
                names = [entry.fragment] if entry.fragment is not None else fragments(path)
                grids = dict[str, Any]()
                # Of a volume with masks every slice is a case.
                if entry.annotated and entry.annotated.masks:
                    names = list(with_masks(Path(task.root), entry.annotated, names))
                    grids = {**describe_grids(Path(task.root), entry.file, entry.annotated)}
                elif not task.every_frame:
                    names = [middle(names)]
                for number, name in enumerate(names):
                    image = read(path, fragment=name, value_range=task.value_range)
                    row = who | {"fragment": name, "findings": entry.findings} | describe_image(image)
                    rows.append(row | grids | _annotation(task, entry, (number, len(names)), image.shape))
            except (ReadError, MissingExtra, MemoryError) as error:
                place = f"{entry.file}#{entry.fragment}" if entry.fragment else entry.file
                rejected.append({"file": place, "reason": _reason(error), **{name: who.get(name) for name in KEYS}})
    names = [name for name, value in rows[0].items() if isinstance(value, np.ndarray)] if rows else []
    sketches = {name: np.stack([np.asarray(row.pop(name)) for row in rows]) for name in names}
    return Reading(rows, rejected, sketches)


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return budget.NO_MEMORY
    return error.reason if isinstance(error, ReadError) else str(error)


def _annotation(task: Task, entry: Entry, place: tuple[int, int], shape: tuple[int, int]) -> dict[str, Any]:
    """What is kept of the masks or boxes of one image; `place` is the number of its frame and how many there are."""
    if entry.annotated is None or task.annotations is None:
        return {}
    if task.annotations.task == "detect":
        return {**describe_boxes(entry.annotated, task.annotations.shares, shape)}
    return {**describe_masks(Path(task.root), entry.annotated, place, shape)}


def _identity(path: Path, entry: Entry, key: bytes) -> dict[str, str | None]:
    """Whose image it is, as keyed hashes; the raw identifiers end here."""
    raw = identity(path)
    said = (entry.patient, raw.patient_id, entry.folder)
    person = next((who for who in said if who and not is_nobody(who)), None)
    side = raw.laterality or side_of(entry.file)
    sex, birth = raw.sex, raw.birth_year
    study, instance = raw.study_instance_uid, raw.sop_instance_uid
    return {
        "file": entry.file, "label": entry.label, "part": entry.part,
        "patient": pseudonym(key, "patient", person) if person else None,
        "patient_side": pseudonym(key, "patient_side", f"{canonical(person)}|{side}") if person and side else None,
        "series": pseudonym(key, "series", raw.series_instance_uid) if raw.series_instance_uid else None,
        "kind": raw.kind,
        "study": pseudonym(key, "study", study) if study else None,
        "accession": pseudonym(key, "accession", raw.accession_number) if raw.accession_number else None,
        "sop_instance": pseudonym(key, "sop", instance) if instance else None,
        "site": pseudonym(key, "site", raw.site)[:8] if raw.site else None,
        "sex": sex, "age_band": age_band(None if raw.age is None else str(raw.age)),
        "sex_birth_hash": pseudonym(key, "birth", f"{sex}{birth}") if sex or birth is not None else None,
    }  # fmt: skip


def identities(listed: Listing, key: bytes) -> pl.DataFrame:
    """Whose image each listed file is, under a key, from headers and places alone; what cannot be opened is left out."""
    rows: list[dict[str, str | None]] = []
    for entry in listed.entries:
        with suppress(ReadError, MissingExtra, OSError):
            rows.append(_identity(as_path(listed.root / entry.file), entry, key))
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("file", *KEYS), pl.String), infer_schema_length=None)


def describe_image(image: Image) -> dict[str, Column]:
    """What is kept of one image: columns of the case table and, as arrays, its sketches; no name."""
    extremes = {"smallest_value": float(image.pixels.min()), "largest_value": float(image.pixels.max())}
    header = {**extremes, **image.header}
    histogram = Histogram.of(image)
    spacing = image.spacing_mm or (None, None)
    return {
        "sha256": image.sha256, "pixel_hash": pixel_hash(image),
        "rows": image.shape[0], "columns": image.shape[1], "channels": image.channels,
        "bits": image.bits, "dtype": str(image.pixels.dtype), "low": image.value_range[0], "high": image.value_range[1],
        "photometric": header.get("photometric_in_file", image.photometric),
        "spacing_row": spacing[0], "spacing_column": spacing[1], "spacing_source": image.spacing_source,
        "histogram": histogram.rebin(256).counts.astype(np.uint32),
        **{name: header.get(name) for name in HEADER}, **measure(image, histogram),
    }  # fmt: skip


HEADER = ("format", "modality", "manufacturer", "view", "bits_stored", "smallest_value", "largest_value", "window_center",
          "window_width", "slice_position", "synthetic")  # fmt: skip


def pixel_hash(image: Image) -> str:
    """The SHA-256 of shape, grey range and pixels: equal for equal pictures, whatever file holds them."""
    hasher = hashlib.sha256(f"{image.pixels.shape}{image.value_range}".encode())
    hasher.update(np.ascontiguousarray(image.pixels).data)
    return hasher.hexdigest()
