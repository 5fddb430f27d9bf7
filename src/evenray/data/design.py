"""The design of a study: one test part, or a nested cross-validation by patient where patients are few; and its outer folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.plan import ASKED
from evenray.core.errors import DataError, UsageError
from evenray.core.messages import Message
from evenray.core.patient_groups import patient_groups
from evenray.core.recipe import SplitSettings
from evenray.core.types import Dataset

from .split import folds, groups, split

__all__ = ["OuterFold", "designed", "outer_folds", "rarest"]

FEW = 50  # patients of a class below which one test part is too small to tell much
LEAST = 8  # patients of a class from which on every fold leaves enough to compare and to validate on
LARGE = 3000  # images from which on a training costs more than the effort stands for
FOLDS = 5
REPEATS = 3  # fewer tell too little of how much trainings differ (decision 28)
TASKS = ("classify", "tag")


@dataclass(frozen=True)
class OuterFold:
    """A data set whose test part is one fold: `repeat` and `fold` count from 0, `seed` is that of its repeat."""

    repeat: int
    fold: int
    seed: int
    dataset: Dataset


def designed(dataset: Dataset, settings: SplitSettings) -> DesignRecord:
    """The design of a data set without its excluded cases, with the reason.

    UsageError where `nested` is asked for and the data bring a test part, or their task has no cross-validation; DataError where a
    class has fewer than three patients.
    """
    task, given = dataset.facts.task, bool((dataset.cases["part"] == "test").any())
    if settings.design == "nested":
        return _nested(_asked(dataset, given=given), ASKED)
    named = settings.test != SplitSettings().test  # who names its share wants a test part
    if settings.design == "split" or (named and not given):
        return DesignRecord(name="split", why=ASKED.as_json())
    if task not in TASKS:
        return DesignRecord(name="split", why=Message("plan.design.task", {"task": task}).as_json())
    name, patients = rarest(dataset)
    reason = (
        "given" if given
        else "enough" if patients >= FEW
        else "few" if patients < LEAST
        else "large" if len(dataset) > LARGE
        else "quick" if settings.effort == "quick"
        else "small"
    )  # fmt: skip
    why = Message(f"plan.design.{reason}", {"name": name, "patients": patients, "images": len(dataset)})
    return _nested(patients, why) if reason == "small" else DesignRecord(name="split", why=why.as_json())


def _nested(patients: int, why: Message) -> DesignRecord:
    return DesignRecord(name="nested", folds=min(FOLDS, patients), repeats=REPEATS, why=why.as_json())


def _asked(dataset: Dataset, *, given: bool) -> int:
    """The patients of the rarest class, where the data can be cross-validated."""
    if given:
        raise UsageError(
            "design is nested, but the data bring a test part of their own, and to train on it would spoil it; leave --design out,"
            " or give data without a test part."
        )
    if dataset.facts.task not in TASKS:
        raise UsageError(
            f"design is nested, which is not there yet for the task {dataset.facts.task}; leave --design out for one test part."
        )
    name, patients = rarest(dataset)
    if patients < 3:
        raise DataError(
            f"'{name}' has {patients} patients; a nested cross-validation needs three or more of every class, to train, validate and"
            " test on. Add cases, or leave it out."
        )
    return patients


def rarest(dataset: Dataset) -> tuple[str, int]:
    """The class that fewest patients have, and how many; of findings the one that fewest have or lack, among those that LEAST
    have and lack where there are any.

    >>> table = pl.DataFrame({"label": ["sick", "sick", "well", "well", "well"], "patient": list("aabcd")})
    >>> rarest(Dataset(table, ("sick", "well"), "sick", "."))
    ('sick', 1)
    """
    names = patient_groups(dataset.cases).to_list()
    who = np.unique([name if name is not None else f"\0{i}" for i, name in enumerate(names)], return_inverse=True)[1]
    targets, counts = dataset.targets, dict[str, int]()
    for k, name in enumerate(dataset.classes):
        if targets.ndim == 1:
            counts[name] = len(np.unique(who[targets == k]))
        else:
            counts[name] = min(len(np.unique(who[targets[:, k] == said])) for said in (0, 1))
    if targets.ndim == 2:
        counts = {name: n for name, n in counts.items() if n >= LEAST} or counts
    fewest = min(counts, key=counts.__getitem__)
    return fewest, counts[fewest]


def outer_folds(
    dataset: Dataset, design: DesignRecord, settings: SplitSettings, together: Sequence[Sequence[str]]
) -> Iterator[OuterFold]:
    """The data set once for every fold of every repeat: the fold is its test part, and a validation part is drawn from the rest
    as from any training part.

    Patients, copies and the cases of `together` never stand on two sides. Every repeat has a seed of its own, the first that of
    `settings`.
    """
    group = groups(dataset, together)
    for repeat in range(design.repeats):
        seed = settings.seed if repeat == 0 else int(np.random.default_rng([settings.seed, 17, repeat]).integers(2**31))
        fold_N = folds(dataset, group, design.folds, seed)
        for fold in range(design.folds):
            part = [("test" if own == fold else None) for own in fold_N.tolist()]
            held = replace(dataset, cases=dataset.cases.with_columns(part=pl.Series(part, dtype=pl.String)))
            divided = split(held, validation=settings.validation, seed=seed, together=together)
            yield OuterFold(repeat, fold, seed, divided)
