"""deidentify: a training set that may leave the house, in a folder of its own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from evenray import scale
from evenray.core.artefacts import atomic
from evenray.core.artefacts.lock import LOCK, alone
from evenray.core.errors import DataError, ReadError, UsageError
from evenray.core.events import Events, Listener, Understanding, watched
from evenray.core.lost import Lost
from evenray.core.names import as_path, as_text
from evenray.core.spreadsheets import to_csv
from evenray.core.types import Dataset
from evenray.data.audit.text import words
from evenray.data.deidentify import METHOD, Names, Person, Secret, deidentified, ending, mixed, person_of
from evenray.data.scan.entries import Listing
from evenray.data.scan.levels import UID
from evenray.data.scan.listing import listing
from evenray.data.scan.scanning import scan_listed
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.identifiers import FEWEST_SHARED, SHARED, canonical
from evenray.data.tables.labels import Choices
from evenray.data.tables.pseudonym import pseudonym

__all__ = ["Deidentified", "deidentify"]

ABOUT, LABELS, IMAGES = "deidentification.json", "labels.csv", "images"
TEXT = "seems to have text burned into it; look at it, and take the text out"
REUSED = (
    "its patient identifier stands for several persons (dates of birth, sexes, issuers or names differ); set it right"
)
DIGITS = 16


@dataclass(frozen=True)
class Deidentified:
    """The new folder, the file with the key, how many images and patients the folder has, and which files were left out, with why."""

    folder: Path
    key: Path
    images: int
    patients: int
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One image to make, from what a scan found."""

    source: Path
    target: Path
    secret: bytes
    patient: str


def deidentify(
    data: str | Path, output: str | Path, *, key: str | Path | None = None, labels: str | Path | None = None,
    patient: str | None = None, column: Sequence[str] = (), uncertain: Literal["ignore", "positive", "negative"] = "ignore",
    reader: str | None = None, jobs: int = 0, listener: Listener | None = None,
) -> Deidentified:  # fmt: skip
    """Copy a training set into the folder `output` without what tells whose images they are, with its labels under new names.

    DICOM follows the Basic Application Level Confidentiality Profile (PS3.15, table E.1-1) and keeps no text but the standard's own
    terms; of PNG and JPEG only the pixels stay. Pixels keep their bytes. Files that seem to have text burned in, whose patients
    cannot be told apart, and of other formats are left out with their reason. `key` is the file of the secret key and of the old
    names [default: OUTPUT.key.json]; with it the same data give the same names, and a call that was stopped goes on. `labels`,
    `patient`, `column`, `uncertain` and `reader` as in `scan`. Raises UsageError where the key or the data would lie in the output,
    or where that holds something else; DataError where nothing is left, or for masks and boxes.
    """
    target = Path(output)
    place = Path(key) if key is not None else target.with_name(f"{target.name}.key.json")
    source = scale.local(data)
    _check(source, target, place)
    choices = Choices(columns_asked(column), uncertain, reader)
    listed = listing(source, labels=None if labels is None else scale.local(labels), patient=patient, choices=choices)
    if listed.annotations is not None:
        raise DataError(
            "The data are masks or boxes; deidentify carries classes and findings alone. Give --labels a table of those, or"
            " --column 'label=...'."
        )
    secret, events = Secret.at(place), Events(listener)
    events.send(Understanding(listed.understood))
    with alone(target):
        _begin(target, secret)
        secret.write(place)
        return _export(listed, target, place, secret, jobs, events)


def _check(source: Path, target: Path, key: Path) -> None:
    data, folder, place = source.resolve(), target.resolve(), key.resolve()
    if scale.is_url(str(target)) or scale.is_url(str(key)):
        raise UsageError("deidentify writes to folders of this machine alone; give one with -o.")
    if place.is_relative_to(folder):
        raise UsageError(f"'{key}' would lie in '{target}', which is handed on; give --key a place elsewhere.")
    if folder == data or folder.is_relative_to(data) or data.is_relative_to(folder):
        raise UsageError(f"'{target}' and the data lie in each other; give a folder elsewhere with -o.")


def _begin(target: Path, secret: Secret) -> None:
    """Say in a new folder what it is and with which key; UsageError for a folder of something else or of another key."""
    about = target / ABOUT
    if about.is_file():
        try:
            mark = json.loads(about.read_text(encoding="utf-8"))["key"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UsageError(f"'{about}' cannot be read; remove the folder, or give a new one with -o.") from None
        if mark != secret.mark:
            raise UsageError(f"'{target}' was made with another key; give that with --key, or a new folder with -o.")
    elif any(path.name != LOCK for path in target.iterdir()):
        raise UsageError(f"'{target}' holds something else; give a new folder with -o.")
    else:
        _tell(target, secret, {})


def _tell(target: Path, secret: Secret, more: Mapping[str, int]) -> None:
    with atomic(target / ABOUT) as path:
        path.write_text(json.dumps({"method": METHOD, "key": secret.mark, **more}, indent=1) + "\n", encoding="utf-8")


def _export(listed: Listing, target: Path, place: Path, secret: Secret, jobs: int, events: Events) -> Deidentified:
    with events.task("task.scan", len(listed.entries)) as tick, scale.engine("local", None, jobs) as engine:
        dataset = scan_listed(
            listed, every_frame=True, key=secret.key, map=watched(engine.map, tick, lambda task: len(task.entries))
        )
    left = {str(row["file"]).partition("#")[0]: str(row["reason"]) for row in dataset.rejected.iter_rows(named=True)}
    cases = dataset.cases.with_columns(words=pl.Series(words(dataset.cases)))
    left |= dict.fromkeys(cases.filter("words")["file"].to_list(), TEXT)
    cases = cases.unique("file", keep="first", maintain_order=True).filter(~pl.col("file").is_in(list(left)))
    root = listed.root
    persons = _persons(root, cases["file"].to_list(), jobs, left)
    _check_labels(dataset, persons.values())
    who, unknown = _patients(cases, persons, secret.key, left)
    tasks: dict[str, Task] = {}
    for row in cases.filter(pl.col("file").is_in(list(who))).iter_rows(named=True):
        file, source = row["file"], as_path(root / row["file"])
        try:
            content = f"{file}\0{row['sha256']}"
            name = f"image-{pseudonym(secret.key, 'image', content)[:DIGITS]}{ending(source)}"
        except ReadError as error:
            left[file] = error.reason
            continue
        tasks[file] = Task(source, target / IMAGES / who[file] / name, secret.key, who[file])
    made = list(tasks.values())
    with events.task("task.deidentify", len(made)) as tick:
        for file, done in zip(tasks, scale.isolated(jobs)(_make, made), strict=True):
            if reason := done.reason if isinstance(done, Lost) else done:
                left[file] = reason
            tick(1)
    kept = {file: task for file, task in tasks.items() if file not in left}
    if not kept:
        why = next(iter(left.values()), "there is none")
        raise DataError(f"None of the {len(listed.entries)} files could be de-identified; the first: {why}.")
    _clear(target, {task.target for task in kept.values()})
    _write_labels(dataset, cases, kept, target)
    _remember(secret, kept, persons, left)
    secret.write(place)
    patients = len({task.patient for task in kept.values()})
    _tell(target, secret, {"images": len(kept), "patients": patients, "left_out": len(left)})
    if unknown:
        events.tell("deidentify.alone", "note", count=unknown)
    events.tell(
        "deidentify.done",
        images=len(kept),
        patients=patients,
        left=len(left),
        place=as_text(target),
        key=as_text(place),
    )
    return Deidentified(target, place, len(kept), patients, dict(sorted(left.items())))


def _persons(root: Path, files: list[str], jobs: int, left: dict[str, str]) -> dict[str, Person]:
    """What the headers say of patients, by file; files whose header cannot be read are left out."""
    found: dict[str, Person] = {}
    paths = [as_path(root / file) for file in files]
    for file, person in zip(files, scale.isolated(jobs)(_person, paths), strict=True):
        if isinstance(person, Lost | str):
            left[file] = person.reason if isinstance(person, Lost) else person
        elif person is not None:
            found[file] = person
    return found


def _check_labels(dataset: Dataset, persons: Iterable[Person]) -> None:
    """DataError where a class is an identifier: it would be handed on."""
    named = {canonical(word) for one in persons for word in (one.identifier, one.name) if word}
    if any(UID.fullmatch(name) or canonical(name) in named for name in dataset.classes):
        raise DataError(
            "A class of the data is an identifier (a UID, or a patient's ID or name), and labels are handed on as they are. Say with"
            " --labels or --column what the classes are; --column ignore=folder1 leaves a level of folders out."
        )


def _person(path: Path) -> Person | str | None:
    try:
        return person_of(path)
    except ReadError as error:
        return error.reason


def _patients(
    cases: pl.DataFrame, persons: Mapping[str, Person], key: bytes, left: dict[str, str]
) -> tuple[dict[str, str], int]:
    """New names of patients by file, and how many images stand for a patient alone, by study, as nobody knows whose they are."""
    groups: dict[str, list[str]] = defaultdict(list)
    unknown: list[tuple[str, str]] = []
    for row in cases.iter_rows(named=True):
        if row["file"] in left:
            continue
        if row["patient"] is None:
            unknown.append((row["file"], row["study"] or row["file"]))
        else:
            groups[row["patient"]].append(row["file"])
    studies = dict(cases.select("file", pl.coalesce("study", "file")).iter_rows())
    who: dict[str, str] = {}
    for patient, files in groups.items():
        said = {persons[file] for file in files if file in persons}
        if mixed(said):
            left |= dict.fromkeys(files, REUSED)
        elif _placeholder(len(files), cases.height, said):
            unknown += [(file, studies[file]) for file in files]
        else:
            who |= dict.fromkeys(files, f"patient-{patient[:DIGITS]}")
    who |= {file: f"patient-{pseudonym(key, 'alone', study)[:DIGITS]}" for file, study in unknown}
    return who, len(unknown)


def _placeholder(count: int, of: int, said: set[Person]) -> bool:
    """Whether an identifier is that of most of many images and no header tells a person: it may stand where one was taken out."""
    return of >= FEWEST_SHARED and count > SHARED * of and bool(said) and not any(one.name or one.birth for one in said)


def _make(task: Task) -> str:
    """Write one image, unless it is there; returns why it cannot be made, "" where it can."""
    if task.target.is_file():
        return ""
    try:
        content = deidentified(task.source, Names(task.secret, task.patient))
    except ReadError as error:
        return error.reason
    with atomic(task.target) as path:
        path.write_bytes(content)
    return ""


def _clear(target: Path, wanted: set[Path]) -> None:
    """Remove images of a former call that the data no longer have, or that are left out now."""
    for path in sorted((target / IMAGES).rglob("*"), reverse=True):
        if path.is_file() and path not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _write_labels(dataset: Dataset, cases: pl.DataFrame, kept: Mapping[str, Task], target: Path) -> None:
    """The table of labels under the new names; `evenray scan` finds it in the folder."""
    rows = cases.filter(pl.col("file").is_in(list(kept)))
    files = [kept[file].target.relative_to(target).as_posix() for file in rows["file"]]
    table = pl.DataFrame({"file": files, "patient": [kept[file].patient for file in rows["file"]]})
    if dataset.facts.task == "tag":
        for number, name in enumerate(dataset.classes):
            table = table.with_columns(rows["findings"].list.get(number).cast(pl.Int8).alias(name))
    elif rows["label"].null_count() < rows.height:
        table = table.with_columns(rows["label"])
    if rows["given_part"].any():
        table = table.with_columns(rows["part"].alias("split"))
    with atomic(target / LABELS) as path:
        path.write_text(to_csv(table.sort("file")), encoding="utf-8")


def _remember(secret: Secret, kept: Mapping[str, Task], persons: Mapping[str, Person], left: Mapping[str, str]) -> None:
    """Note in the key which old names the new ones stand for."""
    for file, task in kept.items():
        secret.images[task.target.name] = file
        known = set(secret.patients.get(task.patient, ()))
        if file in persons and persons[file].identifier:
            known.add(persons[file].identifier)
        secret.patients[task.patient] = sorted(known)
    secret.left_out = dict(left)
