"""A run folder, opened: every artefact as its type, None where it has not been made yet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import polars as pl

from .artefacts import Ledger, Record, RunFolder, file_digest
from .artefacts.asked import Asked
from .artefacts.cases import load
from .artefacts.choice import Choice
from .artefacts.ensemble import EnsembleRecord
from .artefacts.explained import Attributions, Previews
from .artefacts.external import ExternalRecord, names_of
from .artefacts.groups import GroupsRecord
from .artefacts.model import ModelRecord
from .artefacts.plan import Planned
from .artefacts.robustness import RobustnessRecord
from .artefacts.scores import ScoresRecord
from .artefacts.table7 import Table7Record
from .artefacts.uncertainty import UncertaintyRecord
from .boundary import checked_class
from .display import Displayed
from .errors import DataError
from .findings import Finding, findings_of
from .recipe import Recipe
from .types import Dataset, Predictions, Scores

__all__ = ["Run"]

R = TypeVar("R", bound=Record)


@checked_class
class Run(Displayed):
    """What stands in a run folder. Nothing is written; what a stage left of other cases than stand there now is None.

    `run.scores["test"].auroc` is an Estimate. Raises DataError where the folder does not exist, another version made it, or
    one of its files is damaged.

    >>> Run("no-such-run")
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: There is no run folder no-such-run; give the folder that 'evenray run' made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise DataError(f"There is no run folder {self.path}; give the folder that 'evenray run' made.")
        self.folder = RunFolder(self.path)
        _ = self.ledger  # another version's folder is told before one of its files is taken for damaged

    def __repr__(self) -> str:
        done = ", ".join(self.ledger.stages) or "no stage"
        chosen = ", ".join(f"{name} {value}" for name, value in self.choice.named.items()) if self.choice else ""
        test = self.scores.get("test")
        lines = [f"Run {self.name}: {done} done", f"  chosen: {chosen}" if chosen else ""]
        first = [name for name in ("auroc", "auprc", "dice", "iou", "map50", "map") if test and name in test.estimates]
        lines += [f"  test {name} {test.estimates[name]}" for name in first] if test else []
        return "\n".join(filter(None, lines))

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @cached_property
    def ledger(self) -> Ledger:
        """Where and with what the run was made, its stages, and when the test part was opened."""
        return self.folder.ledger

    @cached_property
    def asked(self) -> Asked | None:
        """The data as it was named, and the recipe."""
        return Asked.read(self.path) if self.folder.has(Asked.file) else None

    @property
    def recipe(self) -> Recipe | None:
        return self.asked.recipe if self.asked else None

    @cached_property
    def dataset(self) -> Dataset | None:
        """The cases, with the parts of the split where there is one; excluded ones are in the part "excluded"."""
        if not (self.folder.has("cases.parquet") and self.folder.has("dataset.json")):
            return None
        found = load(self.folder, split=False)
        parts = self._table("split.parquet", "split")
        if parts is None:
            return found
        joined = found.cases.join(parts.select("case", split="part"), on="case", how="left", maintain_order="left")
        return found.with_cases(joined.with_columns(part=pl.coalesce("split", "part")).drop("split"))

    @cached_property
    def findings(self) -> list[Finding] | None:
        """What the audit found, and the labels that the network contradicts once there is one."""
        found, labels = self._table("findings.parquet", "audit"), self._table("label_errors.parquet", "evaluate")
        if found is None:
            return None
        return findings_of(found) + (findings_of(labels) if labels is not None else [])

    @cached_property
    def planned(self) -> Planned | None:
        return self._record(Planned, "plan")

    @cached_property
    def choice(self) -> Choice | None:
        return self._record(Choice, "compare")

    @cached_property
    def grid(self) -> pl.DataFrame | None:
        """The cells of the comparison; None where nothing was compared."""
        return self._table("grid.parquet", "compare")

    @cached_property
    def model(self) -> ModelRecord | None:
        return self._record(ModelRecord, "train")

    @cached_property
    def history(self) -> pl.DataFrame | None:
        return self._table("history.csv", "train")

    @cached_property
    def results(self) -> ScoresRecord | None:
        """Everything that is told of the probabilities."""
        return self._record(ScoresRecord, "evaluate")

    @cached_property
    def uncertainty(self) -> UncertaintyRecord | None:
        """Prediction sets and abstention; None of masks and boxes."""
        return self._record(UncertaintyRecord, "evaluate")

    @cached_property
    def groups(self) -> GroupsRecord | None:
        """Differences between groups of patients; None where nothing tells groups apart."""
        return self._record(GroupsRecord, "evaluate")

    @cached_property
    def robustness(self) -> RobustnessRecord | None:
        """The figures under corruptions; None where nobody asked for them."""
        return self._record(RobustnessRecord, "robustness")

    @property
    def scores(self) -> Mapping[str, Scores]:
        """The scores of the validation and test parts; empty before the evaluation."""
        return {name: self.results.part(name) for name in self.results.parts} if self.results else {}

    @cached_property
    def predictions(self) -> Predictions | None:
        table = self._table("predictions.parquet", "evaluate")
        if table is None or self.results is None:
            return None
        results = self.results
        return Predictions(table, results.classes, results.positive, results.task)

    @cached_property
    def attributions(self) -> Attributions | None:
        return self._record(Attributions, "explain")

    @cached_property
    def previews(self) -> Previews | None:
        return self._record(Previews, "explain")

    @cached_property
    def table7(self) -> pl.DataFrame | None:
        return self._table("table7.parquet", "table7")

    @cached_property
    def table7_record(self) -> Table7Record | None:
        return self._record(Table7Record, "table7")

    @cached_property
    def ensemble(self) -> EnsembleRecord | None:
        return self._record(EnsembleRecord, "ensemble")

    @cached_property
    def external(self) -> Mapping[str, ExternalRecord]:
        """The external tests of this network with these scores, by their names; those of a former one are left out."""
        if self.results is None:
            return {}
        now = tuple(
            file_digest(self.path / name) if self.folder.has(name) else ""
            for name in ("model.safetensors", ScoresRecord.file)
        )
        found = {name: ExternalRecord.of(self.path, name) for name in names_of(self.path)}
        return {name: one for name, one in found.items() if (one.network, one.scores) == now}

    @cached_property
    def report(self) -> Path | None:
        """The page, where it is written."""
        return self.path / "report.html" if self.folder.has("report.html") else None

    def _record(self, kind: type[R], stage: str) -> R | None:
        return kind.read(self.path) if self.folder.has(kind.file) and not self.folder.stale(stage) else None

    def _table(self, name: str, stage: str) -> pl.DataFrame | None:
        return self.folder.read_table(name) if self.folder.has(name) and not self.folder.stale(stage) else None
