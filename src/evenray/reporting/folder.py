"""The artefacts of one run as the report reads them: each one is None where it has not been made yet, or of other cases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.sketches import Rows, blocks, on_disk
from evenray.core.spec import Step
from evenray.core.types import PARTS, Predictions

from .style import OTHERS

__all__ = ["Run"]

MOST_DRAWN = len(OTHERS) + 1  # classes that colours tell apart

GIVEN = ("fixed", "prevalence")  # rules that look at no case


class Run:
    """A run folder, read lazily; nothing is written and nothing is needed.

    Raises DataError where the folder does not exist.

    >>> Run(".").scores is None
    True
    """

    def __init__(self, folder: str | Path, nameless: str = "unlabelled") -> None:
        self.folder, self.nameless = Path(folder), nameless
        if not self.folder.is_dir():
            raise DataError(f"There is no run folder {self.folder}; give the folder that 'evenray run' made.")

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    def _json(self, name: str) -> Any:
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def _table(self, name: str) -> pl.DataFrame | None:
        path = self.folder / name
        if not path.exists():
            return None
        return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)

    def _of_stage(self, stage: str, found: Any) -> Any:
        """What a stage left; None where that is of other cases, or of another split, than stand here now."""
        return None if self._stale(stage) else found

    def _stale(self, stage: str) -> bool:
        if self.current:
            return False
        return stage in ("evaluate", "explain") or stage not in self._times or self._times[stage] < self._cases_time

    @cached_property
    def current(self) -> bool:
        """Whether the predictions and scores, where there are any, are of the cases that stand here and of their parts."""
        scores, table = self._json("scores.json"), self._table("predictions.parquet")
        if scores is not None and self.dataset is not None and scores["classes"] != self.dataset.get("classes"):
            return False
        if table is None or self.cases is None or not {"part", "label"} <= set(self.cases.columns):
            return True
        if "evaluate" in self._times and self._times["evaluate"] > self._cases_time:
            return True
        columns = ["case", "part", "label"]
        here = self.cases.select(columns).filter(pl.col("part").is_in(table["part"].unique().to_list()))
        return here.sort("case").equals(table.select(columns).sort("case"))

    @cached_property
    def _times(self) -> dict[str, datetime]:
        """When each stage was done, as the ledger has it."""
        done = self.provenance.get("stages", {})
        return {name: datetime.fromisoformat(each["finished"]) for name, each in done.items() if each.get("finished")}

    @property
    def _cases_time(self) -> datetime:
        """When the cases were last scanned or split."""
        long_ago = datetime.min.replace(tzinfo=UTC)
        return max((self._times[name] for name in ("scan", "split") if name in self._times), default=long_ago)

    @cached_property
    def recipe(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._json("recipe.json")
        return found

    @cached_property
    def choices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (self._json("plan.json") or {}).get("choices", [])
        return found

    @cached_property
    def provenance(self) -> dict[str, Any]:
        found: dict[str, Any] = self._json("provenance.json") or {}
        return found

    @cached_property
    def dataset(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._json("dataset.json")
        return found

    @cached_property
    def scores(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._of_stage("evaluate", self._json("scores.json"))
        return found

    @cached_property
    def findings(self) -> pl.DataFrame | None:
        """What the audit found, and the labels that the network contradicts once there is one."""
        found, labels = self._table("findings.parquet"), self._of_stage("evaluate", self._table("label_errors.parquet"))
        return found if found is None or labels is None else pl.concat([found, labels])

    @cached_property
    def grid(self) -> pl.DataFrame | None:
        found: pl.DataFrame | None = self._of_stage("compare", self._table("grid.parquet"))
        return found

    @cached_property
    def ensemble(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._json("ensemble.json")
        return found

    @cached_property
    def table7(self) -> pl.DataFrame | None:
        return self._table("table7.parquet")

    @cached_property
    def table7_about(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._json("table7.json")
        return found

    @cached_property
    def history(self) -> pl.DataFrame | None:
        found: pl.DataFrame | None = self._of_stage("train", self._table("history.csv"))
        return found

    @cached_property
    def rejected(self) -> pl.DataFrame | None:
        return self._table("rejected.csv")

    @cached_property
    def attributions(self) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = self._of_stage("explain", self._json("attributions/index.json"))
        return found

    @cached_property
    def sanity(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._of_stage("explain", self._json("attributions/sanity.json"))
        return found

    @cached_property
    def contrasts(self) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = self._of_stage("explain", self._json("contrast/index.json"))
        return found

    @cached_property
    def cases(self) -> pl.DataFrame | None:
        """The case table; the part of split.parquet wins over that of cases.parquet."""
        table = self._table("cases.parquet")
        if table is None:
            return None
        if "label" in table.columns and self.unlabelled:
            table = table.with_columns(label=pl.lit(self.nameless))
        split = self._table("split.parquet")
        if split is None:
            return table
        joined = table.join(split.select("case", split="part"), on="case", how="left", maintain_order="left")
        return joined.with_columns(part=pl.coalesce("split", pl.col("part") if "part" in table.columns else None)).drop(
            "split"
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        about = self.dataset or self._json("scores.json") or {}
        return (self.nameless,) if self.unlabelled else tuple(about.get("classes", ()))

    @cached_property
    def unlabelled(self) -> bool:
        """Whether the images have no labels; they are shown as those of one class then, which is called `nameless`."""
        return self.dataset is not None and not self.dataset.get("classes")

    @cached_property
    def positive(self) -> str:
        named = (self.dataset or self._json("scores.json") or {}).get("positive")
        return str(named if named is not None else next(reversed(self.classes), ""))

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The classes of figures that draw each: all that colours tell apart, else the positive one and the most frequent."""
        table = self.cases if self.cases is not None else self._table("predictions.parquet")
        if len(self.classes) <= MOST_DRAWN or table is None:
            return self.classes
        counts = dict(table["label"].value_counts().iter_rows())
        others = sorted((c for c in self.classes if c != self.positive), key=lambda name: -counts.get(name, 0))
        shown = {self.positive, *others[: MOST_DRAWN - 1]}
        return tuple(name for name in self.classes if name in shown)

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2

    @property
    def negative(self) -> str:
        """The other class of two."""
        return next(name for name in self.classes if name != self.positive)

    @cached_property
    def predictions(self) -> Predictions | None:
        table = self._of_stage("evaluate", self._table("predictions.parquet"))
        return None if table is None else Predictions(table, self.classes, self.positive)

    @cached_property
    def prevalence(self) -> dict[str, float] | None:
        """The share of each class that the evaluation was asked for; None where figures are for those of the cases."""
        asked = (self.scores or {}).get("prevalence")
        if asked is None:
            return None
        if not isinstance(asked, Mapping):
            asked = {name: asked if name == self.positive else 1 - asked for name in self.classes}
        return {name: asked[name] / sum(asked.values()) for name in self.classes}

    @property
    def given(self) -> bool:
        """Whether the rule of the threshold looks at no case, so that nothing was chosen."""
        rule = (self.scores or {}).get("threshold_rule")
        return rule is not None and Step.of(rule).name in GIVEN

    @property
    def chosen(self) -> bool:
        """Whether there is a threshold that the validation part chose."""
        return self.scores is not None and self.binary and not self.given

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
    def auroc(self) -> dict[str, float] | None:
        """The test AUROC with its interval; None where it is not there or not defined."""
        found = (self.scores or {}).get("parts", {}).get("test", {}).get("metrics", {}).get("auroc")
        known = found is not None and all(
            found[end] is not None and found[end] == found[end] for end in ("low", "high")
        )
        return found if known else None

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
        return on_disk(self.folder / "sketches", self.cases.height)

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
        return dict(zip(chosen["case"], self.sketches["thumbnail"][_numbers(chosen)], strict=True))

    def _sums(self, name: str) -> dict[str, tuple[NDArray[np.int64], int]]:
        """The sum of a sketch over the cases of each class, int64, and their number; by rows that fit."""
        if self.cases is None or name not in self.sketches:
            return {}
        kept = self.cases
        if "part" in kept.columns:
            kept = kept.filter(pl.col("part").fill_null("") != "excluded")
        sums: dict[str, tuple[NDArray[np.int64], int]] = {}
        for (label,), rows in kept.select("label", "sketch").group_by("label"):
            numbers = _numbers(rows)
            parts = [self.sketches[name][numbers[block]].sum(axis=0, dtype=np.int64) for block in blocks(len(numbers))]
            sums[label] = np.sum(parts, axis=0), rows.height
        return {label: sums[label] for label in self.drawn if label in sums}


def _numbers(cases: pl.DataFrame) -> NDArray[np.int64]:
    return cases["sketch"].to_numpy().astype(np.int64)
