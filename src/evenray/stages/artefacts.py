"""What stands in a run folder, each with the stage that makes it and the type that its readers get."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from evenray.core.artefacts import Record, RunFolder, atomic
from evenray.core.artefacts.cases import load, save
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.drawn import DrawnMasks, Overlays
from evenray.core.artefacts.explained import Attributions, Gallery, Previews
from evenray.core.artefacts.groups import GroupsRecord
from evenray.core.artefacts.model import ModelRecord
from evenray.core.artefacts.plan import Planned
from evenray.core.artefacts.robustness import RobustnessRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.artefacts.table7 import Table7Record
from evenray.core.artefacts.uncertainty import UncertaintyRecord
from evenray.core.findings import Finding
from evenray.core.recipe import STAGES
from evenray.core.run import Run
from evenray.core.types import Dataset, Predictions
from evenray.data.exclusions import EXCLUSIONS

from .stage import Artefact

if TYPE_CHECKING:
    from evenray.learning.networks import Classifier

R = TypeVar("R", bound=Record)
ORDER = tuple(STAGES)


def _record(kind: type[R], stage: str) -> Artefact[R]:
    def read(folder: RunFolder) -> R:
        folder.needed(kind.file)
        return kind.read(folder.path)

    return Artefact((stage,), read, lambda folder, value: value.write(folder.path))


def _optional_record(kind: type[R], stage: str) -> Artefact[R | None]:
    """A record that not every task has; a former one is removed then."""

    def write(folder: RunFolder, value: R | None) -> list[str]:
        if value is not None:
            return value.write(folder.path)
        (folder / kind.file).unlink(missing_ok=True)
        return []

    return Artefact((stage,), lambda folder: kind.read(folder.path) if folder.has(kind.file) else None, write)


def _table(name: str, *stages: str) -> Artefact[pl.DataFrame]:
    def write(folder: RunFolder, table: pl.DataFrame) -> list[str]:
        folder.write_table(name, table)
        return [name]

    return Artefact(stages, lambda folder: folder.read_table(name), write)


def _optional(name: str, stage: str) -> Artefact[pl.DataFrame | None]:
    """A table that a stage may have no need of; a former one is removed then."""

    def write(folder: RunFolder, table: pl.DataFrame | None) -> list[str]:
        if table is None:
            (folder / name).unlink(missing_ok=True)
            return []
        folder.write_table(name, table)
        return [name]

    return Artefact((stage,), lambda folder: folder.read_table(name) if folder.has(name) else None, write)


def _text(name: str, stage: str) -> Artefact[str]:
    def write(folder: RunFolder, text: str) -> list[str]:
        with atomic(folder / name) as path:
            path.write_text(text, encoding="utf-8")
        return [name]

    return Artefact((stage,), lambda folder: folder.needed(name).read_text(encoding="utf-8"), write)


def _exclusions(folder: RunFolder) -> pl.DataFrame:
    name = "exclusions.csv"
    return folder.read_table(name) if folder.has(name) else pl.DataFrame(schema=EXCLUSIONS)


def _findings(name: str, stage: str) -> Artefact[list[Finding]]:
    def read(folder: RunFolder) -> list[Finding]:
        from evenray.core.findings import findings_of

        return findings_of(folder.read_table(name)) if folder.has(name) else []

    def write(folder: RunFolder, findings: list[Finding]) -> list[str]:
        from evenray.core.findings import table_of

        folder.write_table(name, table_of(findings))
        return [name]

    return Artefact((stage,), read, write)


def _network_read(folder: RunFolder) -> Classifier:
    from evenray.learning import networks

    return networks.load(folder.needed("model.safetensors"))


def _network_write(folder: RunFolder, network: Classifier) -> list[str]:
    from evenray.learning import networks

    with atomic(folder / "model.safetensors", durable=True) as path:
        networks.save(network, path)
    return ["model.safetensors"]


def _predictions_read(folder: RunFolder) -> Predictions:
    scores = ScoresRecord.read(folder.path)
    return Predictions(folder.read_table("predictions.parquet"), scores.classes, scores.positive, scores.task)


def _predictions_write(folder: RunFolder, predictions: Predictions) -> list[str]:
    folder.write_table("predictions.parquet", predictions.table)
    return ["predictions.parquet"]


G = TypeVar("G", DrawnMasks, Overlays)


def _optional_gallery(kind: type[G], stage: str) -> Artefact[Gallery[G] | None]:
    """Pictures that not every task has; former ones are removed then."""

    def read(folder: RunFolder) -> Gallery[G] | None:
        return Gallery(kind.read(folder.path), {}) if folder.has(kind.file) else None

    def write(folder: RunFolder, gallery: Gallery[G] | None) -> list[str]:
        if gallery is not None:
            return gallery.write(folder)
        shutil.rmtree((folder / kind.file).parent, ignore_errors=True)
        return []

    return Artefact((stage,), read, write)


def _gallery(index: Callable[[RunFolder], Attributions | Previews], stage: str) -> Artefact[Gallery]:  # type: ignore[type-arg]
    return Artefact((stage,), lambda folder: Gallery(index(folder), {}), lambda folder, gallery: gallery.write(folder))


CASES: Artefact[Dataset] = Artefact(
    ("scan",), lambda folder: load(folder, split=False), lambda folder, cases: save(cases, folder)
)
EXCLUSIONS_ASKED = Artefact((), _exclusions, files=("exclusions.csv",))
FINDINGS = _findings("findings.parquet", "audit")
PARTS = _table("split.parquet", "split")
EXCLUDED = _table("excluded.csv", "split")
DESIGN = _record(DesignRecord, "split")
SPLIT_CASES: Artefact[Dataset] = Artefact(("scan", "split"), load)
PLANNED = _record(Planned, "plan")
GRID = _optional("grid.parquet", "compare")
OUT_OF_FOLD = _optional("out_of_fold.parquet", "compare")
CHOICE = _record(Choice, "compare")
NETWORK = Artefact(("train",), _network_read, _network_write)
MODEL = _record(ModelRecord, "train")
HISTORY = _table("history.csv", "train")
OUTER_FOLDS = _optional("outer_folds.parquet", "nested")
PREDICTIONS = Artefact(("evaluate",), _predictions_read, _predictions_write)
SCORES = _record(ScoresRecord, "evaluate")
UNCERTAINTY = _optional_record(UncertaintyRecord, "evaluate")
GROUP_GAPS = _optional_record(GroupsRecord, "evaluate")
LABEL_ERRORS = _findings("label_errors.parquet", "evaluate")
ATTRIBUTIONS: Artefact[Gallery[Attributions]] = _gallery(lambda folder: Attributions.read(folder.path), "explain")
OVERLAYS: Artefact[Gallery[Overlays] | None] = _optional_gallery(Overlays, "explain")
MASKS: Artefact[Gallery[DrawnMasks] | None] = _optional_gallery(DrawnMasks, "evaluate")
PREVIEWS: Artefact[Gallery[Previews]] = _gallery(lambda folder: Previews.read(folder.path), "explain")
ROBUSTNESS = _optional_record(RobustnessRecord, "robustness")
RUN = Artefact(
    ORDER[:-1],
    lambda folder: Run(folder.path),
    files=("table7.parquet", "external/*/external.json", RobustnessRecord.file),
)
REPORT = _text("report.html", "report")
TABLE7 = _table("table7.parquet", "table7")
TABLE7_CSV = _table("table7.csv", "table7")
TABLE7_MARKDOWN = _text("table7.md", "table7")
TABLE7_RECORD = _record(Table7Record, "table7")
TABLE7_PREDICTIONS = _table("table7/predictions.parquet", "table7")
