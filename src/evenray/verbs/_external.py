"""evaluate on another set: read it, match its labels, look for copies, predict and measure it, and write what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from evenray.core.artefacts import RunFolder, file_digest, now
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import SKETCHES, save, with_own_sketches
from evenray.core.artefacts.external import FOLDER, Copies, DriftRecord, ExternalRecord
from evenray.core.artefacts.lock import alone
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import DataError, EvenrayError, UsageError
from evenray.core.events import Events, Listener, Understanding, watched
from evenray.core.recipe import ExclusionSettings, Machine, ReportSettings, ScanSettings
from evenray.core.run import Run
from evenray.core.types import Dataset
from evenray.data.exclusions import EXCLUSIONS, check_exclusions, read_exclusions, without
from evenray.data.external.classes import as_trained
from evenray.data.external.copies import Shared, key_of, patients_under, shared
from evenray.data.external.drift import drifted
from evenray.learning.predict.about import About
from evenray.learning.tasks import task_of
from evenray.reporting import external_page, language_of
from evenray.scale import is_url
from evenray.stages.external import External, tested
from evenray.stages.line import Job, run_stage, stage_of
from evenray.stages.recalibrating import recalibrated, require_halves
from evenray.stages.source import Source
from evenray.stages.up_to_date import require_up_to_date

from ._line import Settings, job, one_training

__all__ = ["external_test", "test_name"]

READ = (set(ScanSettings.model_fields) - {"task", "ordered", "positive", "names"}) | set(ExclusionSettings.model_fields)
ALLOWED = ("leakage_duplicates", "leakage_patients")
STRAY = 0.01  # the share of copies up to which they are left out without asking, as a run does with its test part
NAMED = 5
NAME = re.compile(r"[\w][\w .\-]{0,80}")


def external_test(
    target: str | Path | Dataset, on: str | Path | Dataset, name: str | Path | None, *, recalibrate: bool,
    listener: Listener | None, settings: Settings,
) -> Run:  # fmt: skip
    """Test the network of a run folder on a set that it has never seen (`run.external`). See `evaluate`."""
    if isinstance(target, Dataset) or (not is_url(target) and not (Path(target) / Asked.file).is_file()):
        raise UsageError(
            f"'{target if not isinstance(target, Dataset) else target.root}' is no run folder; --on tests a finished run."
        )
    asked, machine = _settings(settings)
    with job(str(target), None, None, machine, listener) as work, one_training():
        require_up_to_date(work.folder)
        run = Run(work.folder.path)
        about = About.of_run(run.path)
        if recalibrate and about.task not in ("classify", "tag"):
            raise UsageError(
                "--recalibrate is about the probabilities of cases; masks and boxes are called pixel by pixel and box by box. Leave"
                " it out."
            )
        place = RunFolder(run.path / FOLDER / test_name(on, name))
        with alone(run.path), TemporaryDirectory(dir=run.path) as scanned:
            record = _test(work, run, about, place, on, asked, Path(scanned), recalibrate=recalibrate)
            record.write(place.path)
            external_page(place.path, language=work.lang)
            if run.folder.has("report.html"):
                work.lang = language_of(run.path / "report.html")
                run_stage(work, stage_of("report"))
        _tell(record, work.events)
        return Run(run.path)


def _settings(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the set is read, and with what machine; UsageError for what is the run's own."""
    given = {name: value for name, value in settings.items() if value is not None}
    machine = {n: v for n, v in given.items() if n in Machine.model_fields or n in ReportSettings.model_fields}
    for name in given:
        if name not in READ and name not in machine and name != "allow":
            raise UsageError(
                f"{name} is a setting of the run, which is tested as it is; with --on these say how the other set is read:"
                f" {', '.join(sorted(READ))}, and allow."
            )
    allow = (given["allow"],) if isinstance(given.get("allow"), str) else tuple(given.get("allow", ()))
    for one in allow:
        if one not in ALLOWED:
            raise UsageError(f"allow is '{one}'; give {' or '.join(ALLOWED)}.")
    return {n: v for n, v in given.items() if n in READ} | {"allow": allow}, machine


def test_name(on: str | Path | Dataset, name: str | Path | None) -> str:
    """What an external test is called: as asked, else as its data; UsageError for what is no name of a folder."""
    data = on.root if isinstance(on, Dataset) else str(on)
    path = Path(data.partition("?")[0].rstrip("/").rsplit("/", 1)[-1] if is_url(data) else data)
    found = str(name) if name is not None else path.resolve().name.removesuffix(path.suffix) or "data"
    if not NAME.fullmatch(found):
        raise UsageError(f"'{found}' cannot be the name of an external test; give a word with -o.")
    return found


def _test(
    work: Job, run: Run, about: About, place: RunFolder, on: str | Path | Dataset, asked: Mapping[str, Any], scanned: Path, *,
    recalibrate: bool,
) -> ExternalRecord:  # fmt: skip
    """Nothing of a former test in `place` is touched before the set is known to be one; until then its sketches are in `scanned`."""
    own = run.dataset
    assert own is not None
    seed = run.recipe.seed if run.recipe else 0
    source = _source(on, about, own, asked)
    whole = _scanned(work, source, scanned)
    other, matched = as_trained(_labelled(whole), about.classes, about.positive, about.task, ordered=own.facts.ordered)
    if asked.get("exclude"):
        other = without(other, check_exclusions(other, read_exclusions(asked["exclude"])))
    other, copies = _without_copies(other, _shared(run, own, other, source), place, str(source.data), asked["allow"])
    other = other.with_cases(other.cases.with_columns(part=pl.lit("test")))
    if not len(other):
        raise DataError(f"No case of '{source.data}' is left to test on.")
    if about.task == "tag":
        other.to_learn_from()  # of no other set can anything be told either
    if recalibrate:
        require_halves(other, seed=seed)
    (place / ExternalRecord.file).unlink(missing_ok=True)
    other = with_own_sketches(other, place / SKETCHES)  # of the cases that are left alone
    save(other, place)
    place.note(lambda ledger: ledger.begun(str(Path.cwd())))
    testing = External(run, about, other)
    drift = drifted(testing.training, other, seed=seed)
    work.events.tell("external.told.begun", images=len(other), patients=_patients(other), run=run.name)
    found = tested(testing, drift, replace(work.tools, folder=place.path), seed=seed)
    target = task_of(about.task).target(found.scores.prevalence, about.classes, about.positive)
    place.write_table("predictions.parquet", found.predictions.table)
    found.scores.write(place.path)
    return ExternalRecord(
        name=place.path.name, made=now(), task=about.task, network=about.weights, scores=file_digest(run.path / ScoresRecord.file),
        seed=seed, cases=len(other), patients=found.scores.parts["test"].patients, names=matched.names, missing=matched.missing,
        aside=matched.aside, unlabelled=whole.facts.unlabelled + len(whole) - len(_labelled(whole)), rejected=whole.rejected.height,
        copies=copies, flagged=found.flagged,
        false_flags=None if about.training_images is None else about.training_images.false_flags,
        drift=tuple(DriftRecord(**vars(one), shown=one.shown, clear=one.clear) for one in drift),
        prevalence=found.prevalence, changes=found.changes, over=found.over,
        units=(found.scores.unit, testing.scores.unit) if found.scores.unit else None,
        main=found.main, total=found.total, parts=found.parts, light=found.light, causes=found.causes,
        recalibrated=recalibrated(found.predictions, found.scores, about.cuts, target, seed=seed) if recalibrate else None,
    )  # fmt: skip


def _source(on: str | Path | Dataset, about: About, own: Dataset, asked: Mapping[str, Any]) -> Source:
    """Where the set is and how it is read: its task is that of the run, and so is the grey range of files that declare none."""
    if isinstance(on, Dataset):
        return Source(on.root, ScanSettings(), on)
    if not is_url(on) and (Path(on) / Asked.file).is_file():
        raise UsageError(f"'{on}' is a run folder; give the images of the other set to --on.")
    how = {name: value for name, value in asked.items() if name in ScanSettings.model_fields}
    how.setdefault("value_range", own.facts.value_range)
    return Source(str(on), ScanSettings(**how, task=about.task, names=bool(own.facts.names_files)))


def _scanned(work: Job, source: Source, sketches: Path) -> Dataset:
    from evenray.data.scan.scanning import scan_listed

    if source.given is not None:
        return source.given
    listed, settings = source.listed, source.settings
    work.events.send(Understanding(source.understood))
    with work.events.task("task.scan", len(listed.entries)) as tick:
        return scan_listed(
            listed, value_range=settings.value_range, names=settings.names,
            map=watched(work.map, tick, lambda task: len(task.entries)), sketches=sketches,
        )  # fmt: skip


def _labelled(whole: Dataset) -> Dataset:
    """The cases that have a label."""
    if whole.facts.task != "classify" or not whole.classes:
        return whole
    return whole.with_cases(whole.cases.filter(pl.col("label").is_not_null()))


def _patients(dataset: Dataset) -> int:
    known = dataset.cases["patient"].drop_nulls().n_unique() if "patient" in dataset.cases.columns else 0
    return int(known)


def _shared(run: Run, own: Dataset, other: Dataset, source: Source) -> Shared:
    """What the set shares with the run; patients by the run's key, where its images are there to draw it from."""
    patients = None
    if source.given is None and run.asked is not None:
        ledger, recipe = run.ledger, run.asked.recipe
        with suppress(EvenrayError, OSError):
            typed = {n: ledger.from_here(getattr(recipe, n)) for n in ("labels", "masks", "boxes")}
            again = Source(str(ledger.from_here(run.asked.data)), ScanSettings.of(recipe).but(**typed))
            key = key_of(own, [entry.file for entry in again.listed.entries])
            if key is not None:
                patients = patients_under(other, source.listed, key)
    return shared(other, own, patients)


def _without_copies(
    other: Dataset, found: Shared, place: RunFolder, data: str, allow: tuple[str, ...]
) -> tuple[Dataset, Copies]:
    """The set without a few stray copies; DataError where it has many, or patients of the run, that nobody allowed."""
    same = (*found.pixels, *found.tested, *found.near)
    stray = bool(same) and len(same) <= STRAY * len(other)
    people = [name for name in found.patients if name not in set(same)]
    refused = []
    if same and not stray and "leakage_duplicates" not in allow:
        refused.append(("leakage_duplicates", same))
    if people and "leakage_patients" not in allow:
        refused.append(("leakage_patients", tuple(people)))
    if refused:
        raise DataError(_refusal(refused, found, len(other), place, data))
    if stray:
        other = without(other, pl.DataFrame({"case": list(same)}))
    return other, Copies(
        pixels=found.pixels, tested=found.tested, near=found.near, patients=tuple(people), compared=found.compared,
        left_out=len(same) if stray else 0, allowed=tuple(one for one in allow if (same if one == ALLOWED[0] else people)),
    )  # fmt: skip


def _refusal(
    refused: Sequence[tuple[str, tuple[str, ...]]], found: Shared, images: int, place: RunFolder, data: str
) -> str:
    """What is wrong with the set, and the two ways on; the cases are written into a file that --exclude takes."""
    kinds = {
        "that it learnt from": found.pixels,
        "of its test part": found.tested,
        "of either changed a little": found.near,
    }
    counts = ", ".join(f"{len(cases)} {what}" for what, cases in kinds.items() if cases)
    whys = {
        "leakage_duplicates": f"images of '{data}' are images of the run ({counts})",
        "leakage_patients": f"images of '{data}' are of patients whom the run learnt from (where both sets number their patients anew"
        " these are other people)",
    }
    told = [
        f"{len(cases)} of the {images} {whys[check]}, such as {', '.join(cases[:NAMED])}" for check, cases in refused
    ]
    rows = [(case, check) for check, cases in refused for case in cases]
    table = pl.DataFrame(rows, schema=EXCLUSIONS, orient="row").unique("case", maintain_order=True)
    place.write_table("copies.csv", table)
    return (
        f"{'; '.join(told)}. That is no external test. To leave them out: --exclude {place / 'copies.csv'}. To go on with them, the"
        f" report saying so at its top: --allow {','.join(check for check, _ in refused)}."
    )


def _tell(record: ExternalRecord, events: Events) -> None:
    for one in record.drift:
        if one.shown:
            events.tell(
                "external.told.drift",
                "warning" if one.clear else "note",
                drift=one.name,
                before=one.before,
                after=one.after,
            )
    if record.flagged:
        events.tell("external.told.flagged", "note", count=record.flagged, images=record.cases)
    fall = record.fall
    if fall is None:
        events.tell(
            "external.verdict.unknown" if record.changes else "external.over.none", "warning", metric=record.main
        )
        return
    if record.over:
        events.tell("external.told.over", "note", classes=", ".join(record.over))
    events.tell("external.told.figure", metric=record.main, figure=vars(fall.external), internal=vars(fall.internal))
    events.tell("external.told.change", metric=record.main, value=fall.value, low=fall.low, high=fall.high)
    nothing = "none" if record.total is not None else "none_marked"
    events.tell(f"external.cause.{record.causes[0] if record.causes else nothing}")
