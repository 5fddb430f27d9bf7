"""The labels of another set as the classes that a network tells apart; what has no counterpart is asked about, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from evenray.core.annotations import Task
from evenray.core.errors import DataError
from evenray.core.marks import with_classes
from evenray.core.tags import realigned
from evenray.core.types import Dataset
from evenray.core.understood import UnderstoodRow
from evenray.data.tables.words import quoted

__all__ = ["Matched", "as_trained"]

SHOWN = 8


@dataclass(frozen=True)
class Matched:
    """`names` are the classes of the set by those that the network has for them, where they are written in another way; `missing` are
    classes of the network that no case of the set has; `aside` are findings, or classes of marks, that the network does not
    know, with the cases that have them."""

    names: dict[str, str]
    missing: tuple[str, ...]
    aside: dict[str, int]


def as_trained(
    dataset: Dataset, classes: Sequence[str], positive: str, task: Task, *, ordered: bool
) -> tuple[Dataset, Matched]:
    """The data set with the classes of a network, in its order, and what became of its own.

    Names that differ in case, spaces or the way of writing are the same. A class of whole images that the network does not know
    may be another word for one of its classes, or something that it never saw: DataError says with which option to tell. Of
    findings, masks and boxes each is asked by itself, so that what the network does not know is set aside and counted. DataError
    as well where the labels are of another task, or nothing is known to the network.
    """
    if dataset.facts.task != task:
        raise DataError(
            f"The run is of the task {task}, and '{dataset.root}' was read as {dataset.facts.task}; say where its labels are with"
            f" {_where(task)}."
        )
    if not dataset.classes:
        raise DataError(
            f"The {len(dataset)} images of '{dataset.root}' have no labels; say where these are with {_where(task)}."
        )
    known = {_plain(name): name for name in classes}
    own = {name: known.get(_plain(name)) for name in dataset.classes}
    strange = [name for name, ours in own.items() if ours is None]
    if len(strange) == len(own) or (strange and task == "classify"):
        raise DataError(_question(dataset, strange, classes, task))
    names = {name: ours for name, ours in own.items() if ours is not None and ours != name}
    counts = dataset.counts
    cases = _renamed(dataset, own, classes, task)
    facts = dataset.facts.model_copy(update={"ordered": ordered})
    found = replace(dataset, cases=cases, classes=tuple(classes), positive=positive, facts=facts)
    met = {ours for name, ours in own.items() if counts[name]}
    missing = tuple(name for name in classes if name not in met)
    return found, Matched(names, missing, {name: counts[name] for name in strange})


def _renamed(dataset: Dataset, own: dict[str, str | None], classes: Sequence[str], task: Task) -> pl.DataFrame:
    cases = dataset.cases
    if task == "classify":
        return cases.with_columns(pl.col("label").replace_strict(own, return_dtype=pl.String))
    ours = [name or f"\0{theirs}" for theirs, name in own.items()]  # a name that no class has
    if task == "tag":
        return cases.with_columns(realigned(cases["findings"], ours, classes).alias("findings"))
    # What is not known keeps a place behind the others until it is taken away again: boxes go, and pixels become what lies below
    # them, a disc where a cup in it is not known, or background.
    wide = [*classes, *(name for name in ours if name not in classes)]
    cases = with_classes(cases, ours, wide)
    return cases if len(wide) == len(classes) else _without_unknown(cases, len(classes))


def _without_unknown(cases: pl.DataFrame, K: int) -> pl.DataFrame:
    """`mask_pixels` stay as they were counted, when what is not known still hid what lies below it: of such classes they are too few.
    Figures are of the masks themselves; to count these again all of them would have to be read twice."""
    changed = [pl.col("findings").list.head(K)]
    if "mask_pixels" in cases.columns:
        changed.append(pl.col("mask_pixels").list.head(K))
    if "boxes" in cases.columns:
        boxes = [None if own is None else [b for b in own if b["class"] < K] for own in cases["boxes"].to_list()]
        cases = cases.with_columns(pl.Series("boxes", boxes, cases.schema["boxes"]))
    if "masks" in cases.columns:
        masks = [
            None
            if own is None
            else [m | {"indices": [i if i <= K or i == 255 else 0 for i in m["indices"]]} for m in own]
            for own in cases["masks"].to_list()
        ]
        cases = cases.with_columns(pl.Series("masks", masks, cases.schema["masks"]))
    return cases.with_columns(changed)


def _plain(name: str) -> str:
    """A name without what is only a way of writing it.

    >>> _plain("Pleural_Effusion") == _plain(" pleural effusion "), _plain("NORMAL") == _plain("normal")
    (True, True)
    """
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", name)).strip().casefold()


def _question(dataset: Dataset, strange: Sequence[str], classes: Sequence[str], task: Task) -> str:
    counts = dataset.counts
    theirs = ", ".join(f"'{name}' ({counts[name]} cases)" for name in strange[:SHOWN])
    more = f" and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
    several = "es" if len(strange) > 1 else ""
    ours = ", ".join(classes[:SHOWN])
    start = f"'{dataset.root}' has the class{several} {theirs}{more}, and the run tells {ours} apart"
    if task in ("segment", "detect"):
        return (
            f"{start}; give the same class the same name in the annotations (a classes.txt beside them names numbers)."
        )
    place, meaning = _place(dataset), "findings" if task == "tag" else "label"
    example = ",".join(
        f"{quoted(name)}={quoted(classes[min(k, len(classes) - 1)])}" for k, name in enumerate(strange[:2])
    )
    if task == "tag" and len({row.place for row in _labelling(dataset)}) > 1:
        return f"{start}; call the columns of the table as the run does."
    dropped = (
        f"; what the run never saw goes with nothing behind the sign, as in '{meaning}={place}:{quoted(strange[0])}='"
    )
    return f"{start}. Say which is which with --column, such as --column '{meaning}={place}:{example}'{dropped}."


def _labelling(dataset: Dataset) -> list[UnderstoodRow]:
    understood = dataset.facts.understood
    return [row for row in (understood.rows if understood else ()) if row.meaning in ("label", "findings")]


def _place(dataset: Dataset) -> str:
    rows = _labelling(dataset)
    return quoted(rows[0].place) if rows else "COLUMN"


def _where(task: Task) -> str:
    return {"segment": "--masks", "detect": "--boxes"}.get(task, "--labels, --column, or a folder a class")
