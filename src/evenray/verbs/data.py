"""scan, audit and split: of images or a run folder, and of a data set in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from evenray import scale
from evenray.core.annotations import Task
from evenray.core.artefacts import RunFolder, atomic
from evenray.core.artefacts.cases import load
from evenray.core.errors import UsageError
from evenray.core.events import Events, Listener, watched
from evenray.core.findings import Finding, Findings
from evenray.core.recipe import SplitSettings
from evenray.core.run import Run
from evenray.core.spreadsheets import to_csv
from evenray.core.types import Dataset
from evenray.data import audit as checks
from evenray.data import split as splitting
from evenray.data.annotations.finding import Wanted
from evenray.data.exclusions import check_exclusions, without
from evenray.data.scan.listing import listing
from evenray.data.scan.scanning import scan_listed
from evenray.data.tables.expressions import columns_asked
from evenray.data.tables.labels import Choices
from evenray.reporting import audit_page
from evenray.stages.artefacts import CASES, EXCLUSIONS_ASKED

from ._line import run_until

__all__ = ["audit", "audited", "scan", "split"]


def scan(
    data: str | Path, output: str | Path | None = None, *, labels: str | Path | None = None, patient: str | None = None,
    column: Sequence[str] = (), uncertain: Literal["ignore", "positive", "negative"] = "ignore", reader: str | None = None,
    ordered: bool = False, task: Task | None = None, masks: str | Path | None = None, boxes: str | Path | None = None,
    unannotated: Literal["leave-out", "empty"] = "leave-out", value_range: tuple[float, float] | None = None,
    positive: str | None = None, every_frame: bool = False, names: bool = False, jobs: int = 1, listener: Listener | None = None,
    **settings: Any,
) -> Dataset:  # fmt: skip
    """Read every image once and return the table of cases; with `output` it also stands in that run folder.

    `labels` is a table with a column that finds the images and one of labels, or one a finding; `column` says what columns
    mean ("path=Name", "label=dx:mel+bcc=malignant,*=benign"); `uncertain` what -1 means; `reader` whose labels count; `ordered`
    that classes are grades; `task` what is learnt (without it what lies there says it); `masks` and `boxes` where these are;
    `unannotated` whether images without any are left out or have nothing in them; `patient` a regular expression that finds the
    patient in a path; `value_range` (low, high) the true range of files that declare none; `positive` the positive class. A file
    with many frames gives its middle one, or with `every_frame`, and where it has masks, all; `names` calls the cases by their
    files, not by pseudonyms. What cannot be read is set aside in
    `Dataset.rejected`. Raises DataError where nothing is left to work with.
    """
    if output is not None or (not scale.is_url(data) and (Path(data) / "recipe.json").is_file()):
        if every_frame:
            raise UsageError("every_frame is for a scan in memory; a run takes one frame of each file.")
        asked: dict[str, Any] = {"labels": None if labels is None else str(labels), "patient": patient}
        asked["value_range"] = value_range
        asked |= {"task": task, "unannotated": unannotated}
        asked |= {name: None if place is None else str(place) for name, place in (("masks", masks), ("boxes", boxes))}
        asked |= {"column": tuple(column), "uncertain": uncertain, "reader": reader, "ordered": ordered}
        asked |= {"positive": positive, "names": names, "jobs": jobs, **settings}
        return CASES.read(RunFolder(run_until("scan", data, output, None, asked, listener)))
    if settings:
        raise UsageError(f"{', '.join(settings)}: these settings are those of a run; give output, or leave them out.")
    choices = Choices(columns_asked(column), uncertain, reader, ordered)
    wanted = Wanted(task, None if masks is None else str(masks), None if boxes is None else str(boxes), unannotated)
    listed, events = (
        listing(
            scale.local(data),
            labels=None if labels is None else scale.local(labels),
            patient=patient,
            choices=choices,
            wanted=wanted,
        ),
        Events(listener),
    )
    with events.task("task.scan", len(listed.entries)) as tick, scale.engine("local", None, jobs) as engine:
        return scan_listed(
            listed, value_range=value_range, positive=positive, every_frame=every_frame, names=names,
            map=watched(engine.map, tick, lambda task: len(task.entries)),
        )  # fmt: skip


def audit(
    data: Dataset | str | Path, output: str | Path | None = None, *, only: tuple[str, ...] | None = None,
    propose_exclusions: str | Path | None = None, listener: Listener | None = None, **settings: Any,
) -> Findings:  # fmt: skip
    """What would ruin a study: every check (or those named in `only`), errors first, then warnings, then remarks.

    Of images or a run folder it leaves audit.html and findings.parquet in the run folder; of a data set in memory it only
    returns the findings. `propose_exclusions` writes a CSV that proposes what to leave out, to be edited and given as
    `exclude`.
    """
    if not isinstance(data, Dataset):
        if only is not None:
            raise UsageError("only is for a data set in memory; a run is audited by every check.")
        return Findings(audited(data, output, propose_exclusions, listener, **settings).findings or ())
    proposal = _new_file(propose_exclusions)
    found = checks.audit(data, only)
    if proposal is not None:
        _propose(found, data, proposal, listener)
    return Findings(found)


def audited(
    target: str | Path, output: str | Path | None, propose_exclusions: str | Path | None, listener: Listener | None,
    /, **settings: Any,
) -> Run:  # fmt: skip
    """The run of images that were audited, with its page."""
    proposal = _new_file(propose_exclusions)
    run = Run(run_until("audit", target, output, None, settings, listener))
    audit_page(run.path, language=settings.get("lang") or "en")
    if proposal is not None:
        cases = CASES.read(run.folder)
        cases = without(cases, check_exclusions(cases, EXCLUSIONS_ASKED.read(run.folder)))
        _propose(run.findings or [], cases, proposal, listener)
    return run


def _new_file(name: str | Path | None) -> Path | None:
    path = None if name is None else Path(name)
    if path is not None and path.exists():
        raise UsageError(f"'{path}' exists and may hold what you edited; remove it, or give another name.")
    return path


def _propose(found: Sequence[Finding], cases: Dataset, file: Path, listener: Listener | None) -> None:
    proposed = checks.propose_exclusions(found, cases)
    with atomic(file) as path:
        path.write_text(to_csv(proposed), encoding="utf-8")
    exclude = int((proposed["action"] == "exclude").sum())
    Events(listener).tell("audit.proposal", file=str(file), exclude=exclude, review=proposed.height - exclude)


def split(
    data: Dataset | str | Path, output: str | Path | None = None, *, test: float = 0.2, validation: float = 0.15, seed: int = 0,
    listener: Listener | None = None, **settings: Any,
) -> Dataset:  # fmt: skip
    """Divide the cases into train, validation and test by patient; `test` and `validation` are fractions of the patients.

    Given parts are kept and checked. Of a data set in memory the split one is returned; of images or a run folder, it also
    stands in the run folder, and settings of `run` may be given.
    """
    if isinstance(data, Dataset):
        SplitSettings(test=test, validation=validation, seed=seed)
        return splitting.split(data, test=test, validation=validation, seed=seed)
    asked = {**settings, "test": test, "validation": validation, "seed": seed}
    return load(RunFolder(run_until("split", data, output, None, asked, listener)))
