"""What the audit found: the gravest first, with the evidence, the advice and the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from evenray.core.findings import SEVERITIES, Finding
from evenray.reporting.figures.svg import png_uri
from evenray.reporting.findings import findings_of
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

Picture = tuple[str, str, str]  # case, thumbnail, label

PICTURES = 16  # thumbnails a finding
NAMES = 300  # case names a finding
VALUES = 6  # of a table in the evidence


@dataclass(frozen=True)
class Entry:
    id: str
    severity: str
    title: str
    advice: str
    evidence: list[tuple[str, str]]
    groups: list[list[Picture]]
    shown: int
    names: Sequence[str]
    count: int
    more: int


@dataclass(frozen=True)
class Shown:
    findings: list[Entry]
    tally: Sequence[tuple[str, int]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.findings is None:
        return None
    numbered = sorted(enumerate(run.findings), key=lambda pair: SEVERITIES.index(pair[1].severity))
    pictures = run.thumbnails(case for finding in run.findings for case in finding.cases[:PICTURES])
    uris = {case: png_uri(pixels) for case, pixels in pictures.items()}
    labels: dict[str, str] = {}
    if run.cases is not None and not run.unlabelled and "label" in run.cases.columns:
        shown = run.cases.filter(pl.col("case").is_in(list(pictures)))
        labels = dict(shown.select("case", "label").iter_rows()) if not run.tags else findings_of(shown, run.classes)
    found = [_finding(number, finding, uris, labels, say) for number, finding in numbered]
    tally = [(s, sum(finding.severity == s for finding in run.findings)) for s in SEVERITIES]
    return Shown(findings=found, tally=tally)


def _finding(number: int, finding: Finding, uris: dict[str, str], labels: dict[str, str], say: Language) -> Entry:
    groups = _groups(
        finding, {case: (case, uris[case], labels.get(case, "")) for case in finding.cases if case in uris}
    )
    evidence = ({"groups": len(finding.groups)} if finding.groups else {}) | dict(finding.evidence)
    return Entry(
        id=f"finding-{number}",
        severity=finding.severity,
        title=say.message(finding.title),
        advice=say.message(finding.advice),
        evidence=[(say.name("evidence", name), _shown(name, value, say)) for name, value in evidence.items()],
        groups=groups,
        shown=sum(map(len, groups)),
        names=finding.cases[:NAMES],
        count=len(finding.cases),
        more=max(0, len(finding.cases) - NAMES),
    )


def _groups(finding: Finding, pictures: Mapping[str, Picture]) -> list[list[Picture]]:
    """The first pictures, group by group, but no part of a last group; a single group where there are none."""
    shown = finding.cases[:PICTURES]
    held = [
        [pictures[case] for case in group if case in pictures and case in shown] for group in finding.groups or [shown]
    ]
    held = [group for group in held if group]
    cut = len(held) > 1 and len(shown) < len(finding.cases) and len(held[-1]) < len(finding.groups[len(held) - 1])
    return held[:-1] if cut else held


def _shown(name: str, value: Any, say: Language) -> str:
    """A value of the evidence in words; of a table the first entries, and how many there are more.

    >>> _shown("values", {"MR": 3, "CT": 1}, Language("en")), _shown("counts", {"A": {"sick": 2, "well": 1}}, Language("en"))
    ('MR 3, CT 1', 'A: sick 2, well 1')
    """
    if not isinstance(value, Mapping):
        return say.word(name, value) if isinstance(value, str) else say.value(value)
    nested = any(isinstance(item, Mapping) for item in value.values())
    entries = [f"{say.word(name, key)}{':' if nested else ''} {_shown(name, item, say)}" for key, item in value.items()]
    shown = ("; " if nested else ", ").join(entries[:VALUES])
    return say("evidence.more", shown=shown, more=len(entries) - VALUES) if len(entries) > VALUES else shown
