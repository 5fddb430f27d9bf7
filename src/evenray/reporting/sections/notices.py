"""The loud notices on top of the page: everything that makes the numbers mean less than they seem to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["Notice", "notices"]

WIDE = 0.15  # width of the 95 % interval of the test AUROC above which little can be told apart
SHOWN = 6


@dataclass(frozen=True)
class Notice:
    """One notice; `target` is the part of the page that says more."""

    severity: str
    title: str
    text: str
    target: str = ""
    foreign: bool = False  # the words come from an artefact, which is written in English
    more: str = ""  # what the run did about it


def notices(run: Run, say: Language) -> list[Notice]:
    """All that apply, the gravest first."""
    found = [*_errors(run, say), *_data(run, say), *_test(run, say)]
    return sorted(found, key=lambda notice: ("error", "warning", "info").index(notice.severity))


def _errors(run: Run, say: Language) -> list[Notice]:
    if run.findings is None:
        return []
    allowed = list((run.recipe or {}).get("allow") or [])
    rows = run.findings.with_row_index("row").filter(pl.col("severity") == "error")
    rows = rows.sort(~pl.col("check").is_in(allowed), maintain_order=True)
    found = [
        Notice("error", row["title"], row["advice"], f"finding-{row['row']}", True, _done(run, say, row, allowed))
        for row in rows.head(SHOWN).to_dicts()
    ]
    if rows.height > SHOWN:
        found.append(Notice("error", say("notice.more", n=rows.height - SHOWN), say("notice.more_text"), "audit"))
    return found


def _done(run: Run, say: Language, row: dict[str, Any], allowed: list[str]) -> str:
    """What was done about an error: let through by name, or so many of its cases left out by the split."""
    said = [say("notice.allowed", check=row["check"])] if row["check"] in allowed else []
    if run.cases is not None and "part" in run.cases.columns:
        n = run.cases.filter(pl.col("case").is_in(row["cases"]) & (pl.col("part") == "excluded")).height
        said += [say("notice.left_out", n=say.count(n))] if n else []
    return " ".join(said)


def _data(run: Run, say: Language) -> list[Notice]:
    facts: dict[str, Any] = (run.dataset or {}).get("facts", {})
    found = []
    if facts.get("synthetic"):
        found.append(Notice("warning", say("notice.synthetic"), say("notice.synthetic_text"), "data"))
    if facts.get("patients_known") is False:
        found.append(Notice("warning", say("notice.patients"), say("notice.patients_text"), "limits"))
    if run.rejected is not None and run.rejected.height:
        text = say("notice.rejected_text", n=say.count(run.rejected.height))
        found.append(Notice("info", say("notice.rejected"), text, "data"))
    return found


def _test(run: Run, say: Language) -> list[Notice]:
    found = []
    opened = run.provenance.get("test_opened") or []
    if len(opened) > 1:
        text = say("notice.opened_text", n=len(opened))
        found.append(Notice("warning", say("notice.opened"), text, "repeat"))
    if not run.current:
        found.append(Notice("warning", say("notice.stale"), say("notice.stale_text"), "repeat"))
    auroc = run.auroc
    if auroc is None:
        return found
    interval = say.interval(auroc["low"], auroc["high"])
    if auroc["low"] <= 0.5 <= auroc["high"]:
        found.append(Notice("error", say("notice.chance"), say("notice.chance_text", interval=interval), "metrics"))
    elif auroc["high"] - auroc["low"] > WIDE:
        found.append(Notice("warning", say("notice.wide"), say("notice.wide_text", interval=interval), "metrics"))
    return found
