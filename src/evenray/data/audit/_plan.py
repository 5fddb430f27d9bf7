"""What to leave out: a proposal for the user to edit, made from the findings. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from evenray.core.types import SEVERITIES, Dataset, Finding

from ._table import column

__all__ = ["plan"]

_ALL = ("blank", "label_conflicts")  # what cannot be used at all
_KEEP_ONE = ("duplicates", "leakage_duplicates", "leakage_near_duplicates", "near_duplicates")
_OUTSIDE_TEST = ("leakage_patients",)
COLUMNS = ("case", "check", "severity", "reason", "action")
_PREFERRED = ("test", "validation", "train")  # the copy that stays


def plan(findings: Sequence[Finding], dataset: Dataset) -> pl.DataFrame:
    """What to do with each accused case: case, check, severity, reason, action; in the order of the data set.

    The action is "exclude" or "review". Excluded: blank images, whole groups of identical images whose labels conflict,
    all but one of identical or nearly identical images (the one in the test part stays), and outside the test part the
    images of patients who are in it. Every other finding that names cases is to be reviewed. The user edits the file;
    `run --exclude` honours what is left in it as "exclude". It holds no path: a path may name a patient.
    """
    parts = dict(zip(dataset.cases["case"], column(dataset.cases, "part"), strict=True))
    proposed: dict[str, tuple[str, list[Finding]]] = {}
    for finding in findings:
        excluded = set(_excluded(finding, parts))
        for name in finding.cases:
            action = "exclude" if name in excluded else "review"
            if action == "review" and finding.check in (*_KEEP_ONE, *_OUTSIDE_TEST):
                continue  # the copy that stays
            before, reasons = proposed.get(name, ("review", []))
            reasons.append(finding)
            proposed[name] = ("exclude" if "exclude" in (action, before) else "review", reasons)
    rows = [
        {
            "case": name,
            "check": _joined(finding.check for finding in why),
            "severity": min((finding.severity for finding in why), key=SEVERITIES.index),
            "reason": _joined(finding.title for finding in why),
            "action": action,
        }
        for name, (action, why) in ((name, proposed[name]) for name in parts if name in proposed)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))


def _excluded(finding: Finding, parts: dict[str, str | None]) -> Iterator[str]:
    if finding.check in _ALL:
        yield from finding.cases
    elif finding.check in _OUTSIDE_TEST:
        yield from (name for name in finding.cases if parts.get(name) != "test")
    elif finding.check in _KEEP_ONE:
        for group in _groups(finding):
            yield from sorted(group, key=lambda name: (_rank(parts.get(name)), name))[1:]


def _rank(part: str | None) -> int:
    return _PREFERRED.index(part) if part in _PREFERRED else len(_PREFERRED)


def _groups(finding: Finding) -> Iterator[tuple[str, ...]]:
    start = 0
    for size in str(finding.evidence["group_sizes"]).split(","):
        yield finding.cases[start : start + int(size)]
        start += int(size)
