"""The audit stage: findings in the run folder, told to whoever watches, and the stop where they make every result void."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl

from evenray.core.artefacts import RunFolder
from evenray.core.errors import DataError
from evenray.core.progress import plain
from evenray.core.types import SEVERITIES, Finding, Predictions
from evenray.data.audit import audit, label_errors, left_out, void
from evenray.data.scan import check_exclusions, load, without
from evenray.data.scan.listing import patient_of
from evenray.data.tables.labels import PARTS

from .context import Context

__all__ = [
    "OUT_OF_FOLD",
    "audit_cases",
    "findings_of",
    "label_findings",
    "stop_where_void",
    "table_of",
    "tally",
    "tell_findings",
]

FINDINGS: dict[str, Any] = {
    "check": pl.String, "severity": pl.String, "title": pl.String, "advice": pl.String, "cases": pl.List(pl.String),
    "evidence": pl.String,
}  # fmt: skip
LABEL_ERRORS, OUT_OF_FOLD = "label_errors.parquet", "out_of_fold.parquet"
COLOURS = {"error": "red", "warning": "yellow"}


def audit_cases(context: Context) -> list[str]:
    """Judge the cases that the user has not left out; what was left out is a finding too."""
    data = load(context.folder, split=False)
    exclusions = check_exclusions(data, context.exclusions)
    findings = audit(without(data, exclusions)) + left_out(exclusions)
    context.folder.write_table("findings.parquet", table_of(findings))
    return ["findings.parquet"]


def table_of(findings: list[Finding]) -> pl.DataFrame:
    """Findings as a table, evidence as JSON text."""
    rows = [
        {"check": f.check, "severity": f.severity, "title": f.title, "advice": f.advice, "cases": list(f.cases),
         "evidence": json.dumps(dict(f.evidence), ensure_ascii=False)}
        for f in findings
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=FINDINGS)


def findings_of(folder: RunFolder) -> list[Finding]:
    """The findings that a run folder holds: the audit's, and those of labels once a network is trained."""
    rows = folder.read_table("findings.parquet").to_dicts()
    if folder.has(LABEL_ERRORS):
        rows += folder.read_table(LABEL_ERRORS).to_dicts()
    return [Finding(**row | {"cases": tuple(row["cases"]), "evidence": json.loads(row["evidence"])}) for row in rows]


def label_findings(context: Context, evaluated: Predictions) -> list[str]:
    """Likely label errors, in label_errors.parquet: each case judged by a model that was not trained on it.

    The comparison has judged the training and validation parts out of fold; the trained network has judged the test part,
    and the validation part where nothing was compared.
    """
    judged = {"the trained network": evaluated}
    if context.folder.has(OUT_OF_FOLD):
        table = context.folder.read_table(OUT_OF_FOLD)
        compared = Predictions(table, evaluated.classes, evaluated.positive)
        judged = {"out-of-fold models of the comparison": compared, "the trained network": evaluated.part("test")}
    found = [
        replace(finding, evidence={**finding.evidence, "predicted_by": who})
        for who, predictions in judged.items()
        for finding in label_errors(predictions)
    ]
    context.folder.write_table(LABEL_ERRORS, table_of(found))
    return [LABEL_ERRORS]


def tally(findings: list[Finding]) -> str:
    """How many findings of each severity.

    >>> tally([Finding("blank", "warning", "Blank images", "Exclude them.")])
    '0 errors, 1 warning, 0 remarks'
    """
    count = Counter(finding.severity for finding in findings)
    words = zip(SEVERITIES, ("error", "warning", "remark"), strict=True)
    return ", ".join(f"{count[severity]} {word}{'' if count[severity] == 1 else 's'}" for severity, word in words)


def tell_findings(context: Context) -> None:
    """Errors and warnings one by one, then how many there are of each severity."""
    findings = findings_of(context.folder)
    for finding in findings:
        if colour := COLOURS.get(finding.severity):
            images = f" ({len(finding.cases)} images)" if len(finding.cases) > 1 else ""
            context.progress.say(f"[{colour}]{finding.severity}[/{colour}] {plain(finding.title)}{images}")
        elif finding.check == "labels":
            context.progress.say(f"{plain(finding.title)}: {finding.evidence['not_run']}")
    context.progress.say(f"found: {tally(findings)}")


def stop_where_void(context: Context) -> None:
    """Before anything is trained: DataError where a finding that nobody allowed makes every result void."""
    found = [finding for finding in void(findings_of(context.folder)) if finding.check not in context.recipe.allow]
    if not found:
        return
    from evenray import reporting as report

    page = report.audit_page(context.folder.path, language=context.language)
    plan = f"{context.folder.path.name}-plan.csv"
    whys = " ".join(_why(context, finding) for finding in found)
    raise DataError(
        f"{whys} A result on such data is void, so nothing was trained; {page} shows the images. To leave out the images"
        f" concerned: 'evenray audit {context.folder.path} --fix {plan}', edit the file, run again with --exclude {plan}."
        f" To go on all the same, the report saying so at its top: --allow {','.join(f.check for f in found)}."
    )


def _why(context: Context, finding: Finding) -> str:
    evidence = finding.evidence
    if finding.check == "leakage_duplicates":
        share = 100 * float(evidence["share_of_test"])
        return (
            f"{share:.1f} % of the test images are in another part too, more than the stray copies that a run leaves out:"
            " the set was copied or augmented before it was divided."
        )
    sides = ", ".join(
        f"{n} in {where[3:].replace('+', ' and ')}" for where, n in evidence.items() if where.startswith("in_")
    )
    who = "patients" if evidence["identified_by"] == "patient" else "studies"
    text = f"{evidence['patients']} {who} are on both sides of the split that came with the data ({sides})."
    pattern = _pattern_with_part(context, finding) if who == "patients" else None
    if pattern:
        text += f" If numbers start anew in each part, these are different people: tell them apart with --patient '{pattern}'."
    return text


def _pattern_with_part(context: Context, finding: Finding) -> str | None:
    """The pattern of patients that takes the part's folder too; None where that does not tell these patients apart."""
    asked = context.recipe.patient
    cases = load(context.folder, split=False).cases.filter(pl.col("case").is_in(finding.cases))
    folders = {step for file in cases["file"] for step in file.split("/")[:-1] if step.lower() in PARTS}
    if not asked or len(folders) < 2:
        return None
    wider = f"({'|'.join(sorted(folders))})/.*?" + (asked if re.compile(asked).groups else f"({asked})")
    try:
        known = {file: patient_of(re.compile(wider), file) for file in cases["file"]}
    except re.error:
        return None
    parts = {(known[file], part) for file, part in cases.select("file", "part").iter_rows()}
    return wider if None not in known.values() and len({who for who, _ in parts}) == len(parts) else None
