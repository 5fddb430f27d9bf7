"""Tables with columns for each reader or each visit, made to ones with a row for each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from evenray.core.messages import Message

from .meanings import meaning_of

__all__ = ["Repeated", "a_row_each", "repeated_columns"]

READER = (
    r"(?:r|rad|reader|rater|radiologist|pathologist|dermatologist|ophthalmologist|endoscopist|specialist|examiner|annotator|grader"
    r"|observer|expert|doctor|판독의|판독자|전문의|평가자)[ _-]?(?:\d{1,2}|[a-h])"
)
AGREED = re.compile(r"(.*[\W_])?(majority|consensus|final|agreed|adjudicated|합의|최종)([\W_].*)?", re.IGNORECASE)
VISIT = r"(?:v|t|tp|visit|time|timepoint|ses|session|exam|scan|방문)[ _-]?\d{1,2}|pre|post|baseline|followup|follow-up"
SHOWN = 4


@dataclass(frozen=True)
class Repeated:
    """Columns of several readers or visits: by what they are called but for these, "" where nothing else, and by reader or visit the
    name. `kind` is "reader" or "visit"."""

    kind: str
    columns: dict[str, dict[str, str]]

    @property
    def used(self) -> list[str]:
        """All these columns, as the table has them."""
        return [name for each in self.columns.values() for name in each.values()]


def repeated_columns(raw: pl.DataFrame) -> Repeated | None:
    """The columns of several readers or visits; None where there are none, where a column says who read or when, or where one of
    labels is nobody's.

    >>> repeated_columns(pl.DataFrame({"name": ["a", "b"], "R1:ICH": ["0", "1"], "R2:ICH": ["1", "1"]}))
    Repeated(kind='reader', columns={'ICH': {'R1': 'R1:ICH', 'R2': 'R2:ICH'}})
    >>> repeated_columns(pl.DataFrame({"id": ["a", "b"], "grade_visit1": ["2", "1"], "grade_visit2": ["1", "1"]})).columns
    {'grade': {'visit1': 'grade_visit1', 'visit2': 'grade_visit2'}}
    """
    for kind, words in (("reader", READER), ("visit", VISIT)):
        before = re.compile(rf"(?P<who>{words})(?:[\W_]+(?P<rest>.+))?", re.IGNORECASE)
        behind = re.compile(rf"(?P<rest>.+?)[\W_]+(?P<who>{words})", re.IGNORECASE)
        columns: dict[str, dict[str, str]] = {}
        for name in raw.columns:
            if called := before.fullmatch(name) or behind.fullmatch(name):
                columns.setdefault(called["rest"] or "", {})[called["who"]] = name
        found = Repeated(kind, {rest: each for rest, each in columns.items() if len(each) > 1})
        others = [name for name in raw.columns if name not in found.used]
        named = kind == "reader" or "" not in found.columns  # T1 and T2 alone may be sequences
        whole = (
            named
            and len({tuple(sorted(each)) for each in found.columns.values()}) == 1
            and set(found.columns).isdisjoint(others)
        )
        said = kind in others or any(
            meaning_of(name) in ("reader", "label") or AGREED.fullmatch(name) for name in others
        )
        if whole and not said and all(_alike(raw, each) for each in found.columns.values()):
            return found
    return None


def _alike(raw: pl.DataFrame, columns: dict[str, str]) -> bool:
    """Whether any value of one reader or visit is another's too."""
    first, *others = [raw[name].drop_nulls().unique() for name in columns.values()]
    return all(first.is_in(other.implode()).any() for other in others)


def a_row_each(raw: pl.DataFrame, found: Repeated) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """The table with a row a reader or visit, its columns called without it, or `label`, and what is to be said of it."""
    names = sorted(next(iter(found.columns.values())))
    rows = pl.concat(
        raw.select(
            pl.all().exclude(found.used),
            *(pl.col(each[name]).alias(rest or "label") for rest, each in found.columns.items()),
            pl.lit(name).alias(found.kind),
        )
        for name in names
    )
    values = {"columns": found.used[:SHOWN], "count": len(names), "rows": rows.height, "variant": found.kind}
    return rows, (Message("scan.repeated_columns", values),)
