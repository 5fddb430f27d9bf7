"""What the audit found, told; and the stop where a finding makes every result void."""

from __future__ import annotations

from collections import Counter

import polars as pl

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError, UsageError
from evenray.core.events import Events
from evenray.core.findings import SEVERITIES, Finding
from evenray.core.messages import Message
from evenray.core.recipe import Recipe
from evenray.data.audit import blocking
from evenray.data.scan.patient_pattern import compiled, patient_of
from evenray.data.tables.parts import PARTS

from .artefacts import CASES, FINDINGS, LABEL_ERRORS

__all__ = ["findings_of", "stop_where_void", "tell_findings"]


def findings_of(folder: RunFolder) -> list[Finding]:
    """The findings that a run folder holds: the audit's, and those of labels once a network is trained."""
    return FINDINGS.read(folder) + LABEL_ERRORS.read(folder)


def tell_findings(folder: RunFolder, events: Events) -> None:
    """Errors and warnings one by one, then how many there are of each severity."""
    findings = findings_of(folder)
    for finding in findings:
        if finding.severity != "info":
            code = "audit.finding" if finding.cases else "audit.finding_whole"
            events.tell(code, "warning", severity=finding.severity, title=finding.title, count=len(finding.cases))
        elif finding.check == "labels":
            events.tell("audit.checks_left_out", checks=finding.evidence["not_run"], title=finding.title)
    count = Counter(finding.severity for finding in findings)
    error, warning, info = (Message(f"audit.found.{each}", {"count": count[each]}) for each in SEVERITIES)
    events.tell("audit.found", error=error, warning=warning, info=info)


def stop_where_void(folder: RunFolder, recipe: Recipe) -> None:
    """Before anything is trained: DataError where a finding that nobody allowed makes every result void."""
    found = [finding for finding in blocking(findings_of(folder)) if finding.check not in recipe.allow]
    if not found:
        return
    proposal = f"{folder.path.name}-exclusions.csv"
    whys = " ".join(_why(folder, recipe, finding) for finding in found)
    raise DataError(
        f"{whys} A result on such data is void, so nothing was trained; 'evenray audit {folder.path}' shows the images. To leave"
        f" out the images concerned: 'evenray audit {folder.path} --propose-exclusions {proposal}', edit the file, run again with"
        f" --exclude {proposal}. To go on all the same, the report saying so at its top: --allow"
        f" {','.join(finding.check for finding in found)}."
    )


def _why(folder: RunFolder, recipe: Recipe, finding: Finding) -> str:
    evidence = finding.evidence
    if finding.check == "leakage_duplicates":
        share = 100 * evidence["share_of_test"]
        return (
            f"{share:.1f} % of the test images are in another part too, more than the stray copies that a run leaves out:"
            " the set was copied or augmented before it was divided."
        )
    sides = ", ".join(f"{n} in {where.replace('+', ' and ')}" for where, n in evidence["in_parts"].items())
    who = "patients" if evidence["identified_by"] == "patient" else "studies"
    text = f"{evidence['patients']} {who} are on both sides of the split that came with the data ({sides})."
    pattern = _pattern_with_part(folder, recipe.patient, finding) if who == "patients" else None
    if pattern:
        text += f" If numbers start anew in each part, these are different people: tell them apart with --patient '{pattern}'."
    return text


def _pattern_with_part(folder: RunFolder, asked: str | None, finding: Finding) -> str | None:
    """The pattern of patients that takes the part's folder too; None where that does not tell these patients apart."""
    cases = CASES.read(folder).cases.filter(pl.col("case").is_in(finding.cases))
    folders = {step for file in cases["file"] for step in file.split("/")[:-1] if step.lower() in PARTS}
    if not asked or len(folders) < 2:
        return None
    pattern = compiled(asked)
    grouped = asked if pattern is not None and pattern.groups else f"({asked})"
    wider = f"({'|'.join(sorted(folders))})/.*?{grouped}"
    try:
        known = {file: patient_of(compiled(wider), file) for file in cases["file"]}
    except UsageError:
        return None
    parts = {(known[file], part) for file, part in cases.select("file", "part").iter_rows()}
    return wider if None not in known.values() and len({who for who, _ in parts}) == len(parts) else None
