"""Findings on the pages: each by itself as two classes, and how many images have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.tags import ABSENT, PRESENT
from evenray.core.types import Predictions

from .language import Language
from .view import RunView

__all__ = ["Count", "FindingView", "counts", "finding_views", "findings_of", "having"]


@dataclass(frozen=True)
class Count:
    """Of how many images a finding is known to be present, to be absent, and not known at all."""

    present: int
    absent: int
    unknown: int


def counts(cases: pl.DataFrame, names: tuple[str, ...]) -> dict[str, Count]:
    """How many of some cases have each finding."""
    found = {}
    for k, name in enumerate(names):
        has = cases["findings"].list.get(k)
        present = int(has.sum() or 0)
        found[name] = Count(present, len(has) - has.null_count() - present, has.null_count())
    return found


def having(cases: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """A row for each finding of each case, its name in the column `label`."""
    found = [
        cases.filter(pl.col("findings").list.get(k)).with_columns(label=pl.lit(name)) for k, name in enumerate(names)
    ]
    return pl.concat(found)


def findings_of(cases: pl.DataFrame, names: tuple[str, ...]) -> dict[str, str]:
    """The findings that each case has, in a line."""
    rows = cases.select("case", "findings").iter_rows()
    return {case: ", ".join(name for name, has in zip(names, told, strict=True) if has) for case, told in rows}


def finding_views(run: RunView, say: Language) -> dict[str, FindingView]:
    """A view of the run for each finding that has been evaluated."""
    return {name: FindingView(run, name, say) for name in run.results.findings} if run.results else {}


class FindingView(RunView):
    """A run as if it had one finding alone: the classes are the finding and its absence, in the words of the page."""

    def __init__(self, run: RunView, name: str, say: Language) -> None:
        super().__init__(run.path, run.nameless, run.together)
        self.run, self.finding = run, name
        self.words = {ABSENT: say("findings.absent", name=name), PRESENT: name}

    @cached_property
    def about(self) -> DatasetRecord | None:
        whole = self.run.about
        facts = whole and whole.facts.model_copy(update={"task": "classify"})
        update = {"classes": tuple(self.words.values()), "positive": self.finding, "facts": facts}
        return whole and whole.model_copy(update=update)

    @cached_property
    def cases(self) -> pl.DataFrame | None:
        """Those of whom it is known."""
        if self.run.cases is None:
            return None
        has = pl.col("findings").list.get(self.run.classes.index(self.finding))
        words = pl.when(has).then(pl.lit(self.words[PRESENT])).otherwise(pl.lit(self.words[ABSENT]))
        return self.run.cases.filter(has.is_not_null()).with_columns(label=words)

    @cached_property
    def current(self) -> bool:
        return self.run.current

    @cached_property
    def _evaluated(self) -> ScoresRecord | None:
        results = self.run.results
        if results is None:
            return None
        own = results.findings[self.finding]
        parts = {name: part.model_copy(update={"counts": self._named(part.counts)}) for name, part in own.parts.items()}
        update = {"classes": tuple(self.words.values()), "positive": self.finding, "parts": parts}
        return own.model_copy(update=update | {"prevalence": self._prevalence(results)})

    def _named(self, counted: Mapping[str, int]) -> dict[str, int]:
        return {self.words[name]: count for name, count in counted.items()}

    def _prevalence(self, results: ScoresRecord) -> dict[str, float] | None:
        asked = results.prevalence if isinstance(results.prevalence, Mapping) else {}
        if self.finding not in asked:
            return None
        share = asked[self.finding]
        return dict(zip(self.words.values(), (1 - share, share), strict=True))

    @cached_property
    def predictions(self) -> Predictions | None:
        whole = self.run.predictions
        if whole is None:
            return None
        own = whole.finding(self.finding)
        table = own.table.with_columns(pl.col("label").replace(self.words))
        return replace(own, table=table, classes=tuple(self.words.values()), positive=self.finding)
