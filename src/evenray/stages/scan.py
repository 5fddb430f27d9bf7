"""The stage scan: every image is read once, and becomes one row of the table of cases."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.cases import SKETCHES
from evenray.core.events import Told, Understanding, watched
from evenray.core.recipe import ScanSettings
from evenray.core.types import Dataset
from evenray.data.scan.scanning import scan_listed

from .artefacts import CASES
from .source import Source
from .stage import Artefact, artefact
from .tools import Tools

__all__ = ["SOURCE", "ScanInputs", "ScanOutputs", "scan"]

NAMED = 20  # classes that are counted one by one
SOURCE: Artefact[Source] = Artefact((), lambda folder: Source("", ScanSettings()))  # the line gives the one of the run


@dataclass(frozen=True)
class ScanInputs:
    source: Source = artefact(SOURCE)


@dataclass(frozen=True)
class ScanOutputs:
    cases: Dataset = artefact(CASES)


def scan(inputs: ScanInputs, settings: ScanSettings, tools: Tools) -> ScanOutputs:
    """Read every image; what cannot be read is set aside with its reason, and the rest goes on."""
    source, events = inputs.source, tools.events
    if source.given is not None:
        return ScanOutputs(source.given)
    listed = source.listed
    events.send(Understanding(source.understood))
    with events.task("task.scan", len(listed.entries)) as tick:
        dataset = scan_listed(
            listed, value_range=settings.value_range, positive=settings.positive, names=settings.names,
            map=watched(tools.map, tick, lambda task: len(task.entries)), sketches=tools.folder / SKETCHES,
        )  # fmt: skip
    many = len(dataset.classes)
    code = "scan.read_unlabelled" if not many else "scan.read_many" if many > NAMED else "scan.read"
    classes = many if many > NAMED else dict(dataset.counts)
    events.tell(code, images=len(dataset), classes=classes, rejected=dataset.rejected.height)
    for note in [*([listed.pattern_note] if listed.pattern_note else []), *dataset.facts.notes]:
        events.send(Told(note, "note"))
    if dataset.facts.unlabelled and dataset.classes and listed.annotations is None:
        events.tell("scan.unlabelled", "note", count=dataset.facts.unlabelled)
    if len(dataset.classes) > 1 and dataset.facts.positive_why is not None:
        events.tell("scan.positive", "note", name=dataset.positive, why=dataset.facts.positive_why)
    return ScanOutputs(dataset)
