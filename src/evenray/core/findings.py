"""What the audit found, as a code with its evidence, and its table in a run folder; texts are made where it is shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from .display import Displayed
from .errors import DataError
from .messages import Message

__all__ = ["SEVERITIES", "Finding", "Findings", "Severity", "findings_of", "table_of"]

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # the gravest first
COLUMNS: dict[str, Any] = {
    "check": pl.String, "variant": pl.String, "severity": pl.String, "cases": pl.List(pl.String),
    "groups": pl.List(pl.List(pl.String)), "evidence": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found.

    `check` is the name in the registry, and `variant` says which of several things that check found. `cases` are case
    names, the worst first; a finding about the whole data set has none. `groups` are the cases that belong together, such
    as copies. `evidence` maps names to numbers, short texts from the data, lists, or tables of such.

    >>> from evenray.core.texts import Texts
    >>> Texts("en").message(Finding("drift", "info", evidence={"part": "test"}, variant="slight").title)
    'Grey levels differ slightly between parts'
    """

    check: str
    severity: Severity
    cases: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""

    @property
    def title(self) -> Message:
        """A short sentence without numbers: what was found."""
        return Message(f"finding.{self.check}.title", {"variant": self.variant})

    @property
    def advice(self) -> Message:
        """What it does to a study, and what to do about it."""
        return Message(f"finding.{self.check}.advice", {**self.evidence, "variant": self.variant})


class Findings(list[Finding], Displayed):
    """Findings, errors first; in a notebook they show themselves as a table.

    >>> Findings([Finding("blank", "warning", ("a.png",))])
    0 errors, 1 warning, 0 remarks
      warning blank (1 image)
    """

    def __repr__(self) -> str:
        count = Counter(finding.severity for finding in self)
        words = zip(SEVERITIES, ("error", "warning", "remark"), strict=True)
        return ", ".join(_counted(count[severity], word) for severity, word in words) + "".join(
            f"\n  {finding.severity} {finding.check}"
            + (f" ({_counted(len(finding.cases), 'image')})" if finding.cases else "")
            for finding in self
        )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def table_of(findings: Iterable[Finding]) -> pl.DataFrame:
    """The table that a run folder keeps, evidence as JSON text; `findings_of` reads it back.

    >>> found = [Finding("duplicates", "info", ("a", "b"), (("a", "b"),), {"counts": {"x": 2}}, "one_patient")]
    >>> findings_of(table_of(found)) == found
    True
    """
    rows = [
        {
            "check": f.check, "variant": f.variant, "severity": f.severity, "cases": list(f.cases),
            "groups": [list(group) for group in f.groups], "evidence": json.dumps(dict(f.evidence), ensure_ascii=False),
        }
        for f in findings
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS)


def findings_of(table: pl.DataFrame) -> list[Finding]:
    """The findings of a table that `table_of` made; DataError where an earlier version made it."""
    if set(table.columns) != set(COLUMNS):
        raise DataError("The table of findings was made by an earlier version; 'evenray audit' makes it anew.")
    try:
        return [
            Finding(
                row["check"], _known(row["severity"]), tuple(row["cases"]), tuple(map(tuple, row["groups"])),
                dict(json.loads(row["evidence"])), row["variant"],
            )
            for row in table.iter_rows(named=True)
        ]  # fmt: skip
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"The table of findings was changed or damaged ({error}); 'evenray audit' makes it anew."
        ) from None


def _known(severity: str) -> Severity:
    found: Severity = SEVERITIES[SEVERITIES.index(severity)]
    return found
