"""What the audit found: the gravest first, with the evidence, the advice and the images."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Any

import polars as pl

from evenray.core.types import SEVERITIES
from evenray.reporting.folder import Run
from evenray.reporting.language import Language
from evenray.reporting.pictures import thumbnail

__all__ = ["context"]

Picture = tuple[str, str, str]  # case, thumbnail, label

PICTURES = 16  # thumbnails a finding
NAMES = 300  # case names a finding


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.findings is None:
        return None
    rows = run.findings.with_row_index("row").to_dicts()
    rows.sort(key=lambda row: SEVERITIES.index(row["severity"]))
    pictures = run.thumbnails(case for row in rows for case in row["cases"][:PICTURES])
    uris = {case: thumbnail(pixels) for case, pixels in pictures.items()}
    labels: dict[str, str] = {}
    if run.cases is not None and not run.unlabelled and "label" in run.cases.columns:
        shown = run.cases.filter(pl.col("case").is_in(list(pictures))).select("case", "label")
        labels = dict(shown.iter_rows())
    found = [_finding(row, uris, labels, say) for row in rows]
    tally = [(s, sum(row["severity"] == s for row in rows)) for s in SEVERITIES]
    return {"findings": found, "tally": tally, "archive": _archive(run)}


def _archive(run: Run) -> str:
    """What the names of all cases begin with where one file holds them all; the pictures leave it out."""
    if run.cases is None or "file" not in run.cases.columns or run.cases["file"].n_unique() != 1:
        return ""
    return str(run.cases["case"][0]).partition("#")[0] + "#"


def _finding(row: dict[str, Any], uris: dict[str, str], labels: dict[str, str], say: Language) -> dict[str, Any]:
    cases = list(row["cases"] or [])
    evidence = json.loads(row["evidence"] or "{}")
    sizes = [int(size) for size in str(evidence.pop("group_sizes", "")).split(",") if size]
    pictures = [(case, uris[case], labels.get(case, "")) for case in cases[:PICTURES] if case in uris]
    groups = _groups(cases, sizes, pictures)
    return {
        "id": f"finding-{row['row']}",
        "severity": row["severity"],
        "title": row["title"],
        "advice": row["advice"],
        "evidence": [(name.replace("_", " "), _words(say.value(value), say)) for name, value in evidence.items()],
        "groups": groups,
        "shown": sum(map(len, groups)),
        "names": cases[:NAMES],
        "count": len(cases),
        "more": max(0, len(cases) - NAMES),
    }


def _groups(cases: list[str], sizes: list[int], pictures: list[Picture]) -> list[list[Picture]]:
    """The pictures group by group, as the sizes in the evidence divide the cases; a single group where there are none."""
    if sum(sizes) != len(cases):
        return [pictures] if pictures else []
    group = dict(zip(cases, (n for n, size in enumerate(sizes) for _ in range(size)), strict=True))
    held = [list(found) for _, found in groupby(pictures, key=lambda picture: group[picture[0]])]
    cut = len(held) > 1 and len(pictures) < len(cases) and len(held[-1]) < sizes[len(held) - 1]
    return held[:-1] if cut else held


def _words(value: str, say: Language) -> str:
    """A text of the evidence in the page's language; of lists such as "left (3), right (2)" each name."""
    return re.sub(
        r"[^,()]+(?= \(\d+\))", lambda found: " " * found[0].startswith(" ") + say.sentence(found[0].strip())[0], value
    )
