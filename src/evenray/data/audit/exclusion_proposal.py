"""What to leave out: a proposal for the user to edit, made from the findings. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from evenray.core.findings import SEVERITIES, Finding
from evenray.core.texts import Texts
from evenray.core.types import PARTS, Dataset

from ._cases import column

__all__ = ["propose_exclusions"]

_UNUSABLE = ("blank", "label_conflicts")
_MISMARKED = (
    ("annotation_size", "shape"), ("annotation_size", "boxes"), ("annotation_classes", "unmarked"), ("mask_grid", "turned"),
)  # fmt: skip
_KEEP_ONE = ("duplicates", "leakage_duplicates", "leakage_near_duplicates", "near_duplicates")
_KEEP_TEST = ("leakage_patients",)
COLUMNS = ("case", "check", "severity", "reason", "action")


def propose_exclusions(findings: Sequence[Finding], dataset: Dataset, language: str = "en") -> pl.DataFrame:
    """What to do with each case found: case, check, severity, reason, action; in the order of the data set.

    The action is "exclude" or "review". Excluded: blank images, whole groups of identical images whose labels conflict,
    all but one of identical or nearly identical images (the one in the test part stays), and outside the test part the
    images of patients who are in it; images whose mask or boxes are of another image's shape, whose mask is turned against
    them, or which lack a class that nearly all others have. Every other finding that names cases is to be reviewed. The user
    edits the file; `run --exclude` honours what is left in it as "exclude". It holds no path: a path may name a patient.
    """
    say = Texts(language)
    parts: dict[str, str | None] = dict(zip(dataset.cases["case"], column(dataset.cases, "part"), strict=True))
    excluded: set[str] = set()
    reasons: dict[str, list[Finding]] = {}
    for finding in findings:
        own = set(_excluded(finding, parts))
        excluded |= own
        # The copy that stays is not to be reviewed.
        for name in own if finding.check in (*_KEEP_ONE, *_KEEP_TEST) else finding.cases:
            reasons.setdefault(name, []).append(finding)
    rows = [
        {
            "case": name,
            "check": "; ".join(dict.fromkeys(finding.check for finding in reasons[name])),
            "severity": min((finding.severity for finding in reasons[name]), key=SEVERITIES.index),
            "reason": "; ".join(dict.fromkeys(say.message(finding.title) for finding in reasons[name])),
            "action": "exclude" if name in excluded else "review",
        }
        for name in parts
        if name in reasons
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String))


def _excluded(finding: Finding, parts: dict[str, str | None]) -> Iterator[str]:
    if finding.check in _UNUSABLE or (finding.check, finding.variant) in _MISMARKED:
        yield from finding.cases
    elif finding.check in _KEEP_TEST:
        yield from (name for name in finding.cases if parts.get(name) != "test")
    elif finding.check in _KEEP_ONE:
        for group in finding.groups:
            yield from sorted(group, key=lambda name: (-_rank(parts.get(name)), name))[1:]


def _rank(part: str | None) -> int:
    """Of copies the one of the highest rank stays: test before validation before train."""
    return PARTS.index(part) if part in PARTS else -1
