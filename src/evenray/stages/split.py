"""The stage split: the cases are divided into parts by patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from evenray.core.artefacts.design import DesignRecord
from evenray.core.errors import DataError
from evenray.core.recipe import SplitSettings
from evenray.core.types import Dataset
from evenray.data.design import designed, outer_folds, rarest
from evenray.data.exclusions import check_exclusions, without
from evenray.data.split import near_groups_of, why_excluded
from evenray.data.split import split as divide

from .artefacts import CASES, DESIGN, EXCLUDED, EXCLUSIONS_ASKED, PARTS
from .stage import artefact
from .tools import Tools

__all__ = ["SplitInputs", "SplitOutputs", "split"]


@dataclass(frozen=True)
class SplitInputs:
    cases: Dataset = artefact(CASES)
    exclusions: pl.DataFrame = artefact(EXCLUSIONS_ASKED)


@dataclass(frozen=True)
class SplitOutputs:
    parts: pl.DataFrame = artefact(PARTS)
    excluded: pl.DataFrame = artefact(EXCLUDED)
    design: DesignRecord = artefact(DESIGN)


def split(inputs: SplitInputs, settings: SplitSettings, tools: Tools) -> SplitOutputs:
    """The part of every case, the reason of each that has none, and the design: a nested one has no test part."""
    whole = inputs.cases
    asked = check_exclusions(whole, inputs.exclusions)
    left = without(whole, asked)
    design, together = designed(left, settings), near_groups_of(left)
    done = divide(
        left, test=None if design.nested else settings.test, validation=settings.validation, seed=settings.seed,
        together=together,
    )  # fmt: skip
    by_user = asked.select("case", by=pl.lit("user"), reason="reason")
    if design.nested:
        _require_folds(done, design, settings, together)
    parts = pl.concat([done.cases.select("case", "part"), by_user.select("case", part=pl.lit("excluded"))])
    count = dict(parts["part"].value_counts().iter_rows())
    order = ("train", "validation", "test", "excluded")
    tools.events.tell("split.parts", parts={name: count[name] for name in order if name in count})
    if design.nested or design.reason.code == "plan.design.quick":
        name, patients = rarest(left)
        tools.events.tell(
            "split.nested" if design.nested else "split.small", "note", folds=design.folds, repeats=design.repeats, name=name,
            patients=patients,
        )  # fmt: skip
    table = whole.cases.select("case").join(parts, on="case", how="left", maintain_order="left")
    return SplitOutputs(table, pl.concat([by_user, why_excluded(done)]), design)


def _require_folds(
    done: Dataset, design: DesignRecord, settings: SplitSettings, together: Sequence[Sequence[str]]
) -> None:
    """DataError before anything is trained where an outer fold leaves too few to train and validate on."""
    used = replace(done, cases=done.cases.filter(pl.col("part") != "excluded"))
    try:
        for _ in outer_folds(used, design, settings, together):
            pass
    except DataError as error:
        raise DataError(
            f"{error} That is so of an outer fold of the cross-validation ({design.folds} folds, {design.repeats} times); --design"
            " split makes one test part in their place. Nothing was trained."
        ) from None
