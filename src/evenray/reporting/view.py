"""A run as its pages show it: each artefact as its type, None where it has not been made yet, or of other cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import DatasetRecord
from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.drawn import Overlays
from evenray.core.artefacts.explained import Attributions, Previews
from evenray.core.artefacts.scores import Figure, PartScores, ScoresRecord
from evenray.core.facts import Facts
from evenray.core.run import Run
from evenray.core.sketches import Rows, open_sketches
from evenray.core.spec import Step
from evenray.core.types import PARTS, Predictions
from evenray.metrics.operating import LOOKING_AT_NO_CASE

from .class_sums import class_sums, numbers_of
from .figures.svg import OTHERS

__all__ = ["RunView"]

TITLED = 4  # classes in the title of a page
MOST_DRAWN = len(OTHERS) + 1  # classes that colours tell apart


class RunView(Run):
    """What pages show of a run; images without labels are shown as those of one class, called `nameless`.

    Nothing is written and nothing is needed. Raises DataError where the folder does not exist.

    >>> RunView(".").results is None
    True
    """

    def __init__(self, path: str | Path, nameless: str = "unlabelled", together: str = "all") -> None:
        super().__init__(path)
        self.nameless, self.together = nameless, together

    @cached_property
    def _evaluated(self) -> ScoresRecord | None:
        """The results, of whichever cases."""
        return self._record(ScoresRecord, "evaluate")

    @cached_property
    def current(self) -> bool:
        """Whether the predictions are of the cases that stand here and of their parts."""
        results, table = self._evaluated, self._whatever("predictions.parquet")
        if results is not None and self.about is not None and results.classes != self.about.classes:
            return False
        if "evaluate" in self.ledger.stages:
            return not self.folder.stale("evaluate")
        if table is None or self.cases is None or not {"part", "label"} <= set(self.cases.columns):
            return True
        columns = ["case", "part"] if self.tags else ["case", "part", "label"]
        if self.nested is not None:  # what was held out stands in other parts of the model for use
            table = table.filter(pl.col("part") != "test")
        here = self.cases.select(columns).filter(pl.col("part").is_in(table["part"].unique().to_list()))
        return here.sort("case").equals(table.select(columns).sort("case"))

    def _whatever(self, name: str) -> pl.DataFrame | None:
        """A table, of whichever cases."""
        return self.folder.read_table(name) if self.folder.has(name) else None

    @cached_property
    def about(self) -> DatasetRecord | None:
        """Classes, positive class and facts."""
        return DatasetRecord.read(self.path) if self.folder.has(DatasetRecord.file) else None

    @property
    def facts(self) -> Facts:
        return self.about.facts if self.about else Facts()

    @property
    def names_files(self) -> bool:
        """Whether cases are called by their files, as --names asked; otherwise no page names a file or a folder."""
        return bool(self.facts.names_files)

    @property
    def title(self) -> str:
        """What the page is called: the run folder where files are named, else the classes."""
        some = " / ".join(self.classes[:TITLED]) + (" / ..." if len(self.classes) > TITLED else "")
        return self.name if self.names_files else some or "evenray"

    @cached_property
    def told(self) -> Asked | None:
        """What was asked for, as it may be shown."""
        return self.asked if self.asked is None or self.names_files else self.asked.without_paths()

    @cached_property
    def results(self) -> ScoresRecord | None:
        return self._evaluated if self.current else None

    @property
    def test(self) -> PartScores | None:
        """The scores of the test part."""
        return self.results.parts.get("test") if self.results else None

    @cached_property
    def rejected(self) -> pl.DataFrame | None:
        return self._whatever("rejected.csv")

    @cached_property
    def ratings(self) -> pl.DataFrame | None:
        """What each of several readers said of the cases: case, reader, and label or findings."""
        return self._whatever("ratings.parquet")

    @cached_property
    def attributions(self) -> Attributions | None:
        return self._record(Attributions, "explain") if self.current else None

    @cached_property
    def overlays(self) -> Overlays | None:
        """Cases with the outlines of what is true and of what was called."""
        return self._record(Overlays, "explain") if self.current else None

    @cached_property
    def previews(self) -> Previews | None:
        return self._record(Previews, "explain") if self.current else None

    @cached_property
    def cases(self) -> pl.DataFrame | None:
        """The case table; the part of split.parquet wins over that of cases.parquet."""
        table = self._whatever("cases.parquet")
        if table is None:
            return None
        if "label" in table.columns and (self.unlabelled or self.tags):
            table = table.with_columns(label=pl.lit(self.together if self.tags else self.nameless))
        split = self._whatever("split.parquet")
        if split is None:
            return table
        joined = table.join(split.select("case", split="part"), on="case", how="left", maintain_order="left")
        return joined.with_columns(part=pl.coalesce("split", pl.col("part") if "part" in table.columns else None)).drop(
            "split"
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        known = self.about or self._evaluated
        return (self.nameless,) if self.unlabelled else known.classes if known else ()

    @property
    def tags(self) -> bool:
        """Whether an image may have several classes: findings, or what masks and boxes mark; where classes have colours, all images
        are one then."""
        return self.facts.task != "classify"

    @property
    def marked(self) -> str:
        """By what classes are marked in images: masks, boxes, or "" where they are of whole images."""
        return {"segment": "masks", "detect": "boxes"}.get(self.facts.task, "")

    @cached_property
    def unlabelled(self) -> bool:
        """Whether the images have no labels; they are shown as those of one class then, which is called `nameless`."""
        return self.about is not None and not self.about.classes

    @cached_property
    def positive(self) -> str:
        known = self.about or self._evaluated
        return known.positive if known else ""

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The classes of figures that draw each: all that colours tell apart, else the positive one and the most frequent."""
        table = self.cases if self.cases is not None else self._whatever("predictions.parquet")
        if self.tags:
            return (self.together,)
        if len(self.classes) <= MOST_DRAWN or table is None:
            return self.classes
        counts = dict(table["label"].value_counts().iter_rows())
        others = sorted((c for c in self.classes if c != self.positive), key=lambda name: -counts.get(name, 0))
        shown = {self.positive, *others[: MOST_DRAWN - 1]}
        return tuple(name for name in self.classes if name in shown)

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2 and not self.tags

    @property
    def negative(self) -> str:
        """The other class of two."""
        return next(name for name in self.classes if name != self.positive)

    @cached_property
    def nested(self) -> DesignRecord | None:
        """The design, where the whole procedure was cross-validated and there is no test part."""
        design = self._record(DesignRecord, "split")
        return design if design is not None and design.nested else None

    @property
    def tested(self) -> pl.DataFrame:
        """Those of `used` that figures are of: the test part, or where it was cross-validated all."""
        return self.used if self.nested is not None else self.used.filter(part="test")

    @cached_property
    def predictions(self) -> Predictions | None:
        """Those of the validation part and of the test part; of a cross-validation the first repeat, where each case stands once."""
        table = self._whatever("predictions.parquet") if self.current else None
        if table is not None and "repeat" in table.columns:
            table = table.filter(pl.col("repeat").fill_null(1) == 1)
        return None if table is None else Predictions(table, self.classes, self.positive, self.facts.task)

    @cached_property
    def prevalence(self) -> dict[str, float] | None:
        """The share of each class that the evaluation was asked for; None where figures are for those of the cases."""
        asked = self.results.prevalence if self.results else None
        if asked is None:
            return None
        if not isinstance(asked, Mapping):
            asked = {name: asked if name == self.positive else 1 - asked for name in self.classes}
        if self.tags:
            return dict(asked)
        return {name: asked[name] / sum(asked.values()) for name in self.classes}

    @property
    def given(self) -> bool:
        """Whether the rule of the threshold looks at no case, so that nothing was chosen."""
        rule = self.results.threshold_rule if self.results else None
        return rule is not None and Step.of(rule).name in LOOKING_AT_NO_CASE

    @property
    def chosen(self) -> bool:
        """Whether there is a threshold that the validation part chose."""
        return self.results is not None and (self.binary or self.tags) and not self.given

    @property
    def shares(self) -> list[float] | None:
        """`prevalence` in the order of the classes."""
        return None if self.prevalence is None else list(self.prevalence.values())

    @property
    def parts(self) -> list[str]:
        """The parts that hold cases, in order; empty before the split."""
        if self.cases is None or "part" not in self.cases.columns:
            return []
        held = set(self.cases["part"].drop_nulls().unique())
        return [part for part in PARTS if part in held]

    @property
    def auroc(self) -> Figure | None:
        """The test AUROC with its interval; None where it is not there or not defined."""
        found = self.test.metrics.get("auroc") if self.test else None
        return None if found is None or np.isnan([found.low, found.high]).any() else found

    @property
    def used(self) -> pl.DataFrame:
        """Part and patient of every case that is in a part; no row where either is not told."""
        if self.cases is None or not {"part", "patient"} <= set(self.cases.columns):
            return pl.DataFrame(schema={"part": pl.String, "patient": pl.String})
        return self.cases.filter(pl.col("part").is_in(PARTS)).select("part", "patient")

    @property
    def torn(self) -> list[str]:
        """The patients that have cases in several parts."""
        by_patient = self.used.drop_nulls("patient").group_by("patient").agg(parts=pl.col("part").n_unique())
        return by_patient.filter(pl.col("parts") > 1)["patient"].sort().to_list()

    @cached_property
    def sketches(self) -> Mapping[str, Rows]:
        """What the scan kept of the pixels, a row a case; none where a table came from elsewhere."""
        if self.cases is None or "sketch" not in self.cases.columns:
            return {}
        return open_sketches(self.path / "sketches", self.cases.height)

    def histograms(self) -> dict[str, NDArray[np.int64]]:
        """The summed pixel histogram of each class that is drawn, int64 (256,) over the unit range; excluded cases do not count."""
        return {name: total for name, (total, _) in self._sums("histogram").items()}

    def mean_thumbnails(self) -> dict[str, NDArray[np.uint8]]:
        """The mean thumbnail of each class that is drawn, uint8 (32, 32); excluded cases do not count."""
        return {name: (total / n).round().astype(np.uint8) for name, (total, n) in self._sums("thumbnail").items()}

    def thumbnails(self, cases: Iterable[str]) -> dict[str, NDArray[np.uint8]]:
        """The thumbnails of the named cases, uint8 (32, 32); cases without one are left out."""
        if self.cases is None or "thumbnail" not in self.sketches:
            return {}
        chosen = self.cases.filter(pl.col("case").is_in(list(set(cases)))).select("case", "sketch")
        return dict(zip(chosen["case"], self.sketches["thumbnail"][numbers_of(chosen)], strict=True))

    def _sums(self, name: str) -> dict[str, tuple[NDArray[np.int64], int]]:
        if self.cases is None or name not in self.sketches:
            return {}
        return class_sums(self.cases, self.sketches[name], self.drawn)
