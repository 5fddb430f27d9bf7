"""Who the patients of each part are, as papers tell in their first table."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["KNOWN", "Characteristics", "characteristics"]

KNOWN = ("age_band", "sex", "site", "manufacturer")  # columns that tell of patients
MOST = 12  # values of a column that are told one by one


@dataclass(frozen=True)
class Characteristics:
    """`parts` are those that hold cases, each with how many are counted in it; `rows` has of each column its values, with the count
    and share in each part."""

    of_patients: bool
    parts: list[tuple[str, str]]
    rows: list[tuple[str, list[tuple[str, list[str]]]]]


def characteristics(run: RunView, say: Language) -> Characteristics | None:
    """Of patients where all are known, else of images; None where the table of cases tells nothing of them, or nothing is divided."""
    if run.cases is None or not run.parts:
        return None
    known = [name for name in KNOWN if name in run.cases.columns and run.cases[name].null_count() < run.cases.height]
    if not known:
        return None
    cases = run.cases.filter(pl.col("part").is_in(run.parts))
    of_patients = "patient" in cases.columns and not cases["patient"].null_count()
    if of_patients:
        cases = cases.group_by("part", "patient", maintain_order=True).agg(pl.col(known).drop_nulls().first())
    parts = {part: cases.filter(part=part) for part in run.parts}
    rows = []
    for name in known:
        counts = {part: dict(own[name].cast(pl.String).value_counts().iter_rows()) for part, own in parts.items()}
        values = cases[name].cast(pl.String).value_counts(sort=True)[name].to_list()
        several = [value for value in values if value is not None]
        frequent, others = sorted(several[:MOST]), several[MOST:]
        named = [(say.word("group", value), [value]) for value in frequent]
        named += [(say("data.others", n=len(others)), others)] if others else []
        named += [(say("data.unknown"), [None])] if None in values else []
        cells = []
        for label, own in named:
            held = {part: sum(found.get(value, 0) for value in own) for part, found in counts.items()}
            told = [f"{say.count(n)} ({say.percent(n / max(parts[part].height, 1), 0)})" for part, n in held.items()]
            cells.append((label, told))
        rows.append((say.name("group", name), cells))
    return Characteristics(of_patients, [(say(f"part.{part}"), say.count(parts[part].height)) for part in parts], rows)
