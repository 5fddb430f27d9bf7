"""The stages that need no network: scan, audit, split and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from evenray.audit import audit
from evenray.core.artefacts import file_digest
from evenray.core.progress import plain, watched
from evenray.core.types import Finding
from evenray.dataset import load, save
from evenray.dataset.scan import scan_listed
from evenray.splitting import split

from .context import Context

__all__ = ["audit_cases", "scan_files", "scan_settings", "split_cases", "write_report"]

FINDINGS: dict[str, Any] = {
    "check": pl.String, "severity": pl.String, "title": pl.String, "advice": pl.String, "cases": pl.List(pl.String),
    "evidence": pl.String,
}  # fmt: skip


def scan_settings(context: Context) -> list[Any]:
    """What the scan depends on: the options, and every file's name, size and time of change."""
    asked = context.recipe
    if context.given is not None:
        given = context.given
        return [given.cases.hash_rows(seed=0).to_list(), given.classes, given.positive, given.root, dict(given.facts)]
    listed = context.listed
    files = sorted({entry.file for entry in listed.entries})
    stats = [(name, s.st_size, s.st_mtime_ns) for name in files if (s := _stat(listed.root / name))]
    tables = [Path(name) for name in (context.data, listed.table and listed.table.source) if name]
    tables = [path for path in tables if path.is_file() and path.suffix.lower() != ".npz"]
    return [
        str(Path(context.data).resolve()), asked.patient, asked.levels, asked.positive,
        [(str(path.resolve()), file_digest(path)) for path in tables], stats,
    ]  # fmt: skip


def _stat(path: Path) -> Any:
    return path.stat() if path.exists() else None


def scan_files(context: Context) -> list[str]:
    asked = context.recipe
    if context.given is not None:
        return save(context.given, context.folder)
    with context.progress.task("reading images", len(context.listed.entries)) as tick:
        dataset = scan_listed(
            context.listed, levels=asked.levels, positive=asked.positive,
            map=watched(context.map, tick, lambda task: len(task.entries)),
        )  # fmt: skip
    counts = ", ".join(f"{name} {count}" for name, count in dataset.counts.items() if len(dataset.classes) <= 20)
    counts = counts or f"{len(dataset.classes)} classes"
    context.progress.say(plain(f"{len(dataset)} images: {counts}; {dataset.rejected.height} files set aside"))
    return save(dataset, context.folder)


def audit_cases(context: Context) -> list[str]:
    findings = audit(load(context.folder, split=False))
    context.folder.write_table("findings.parquet", table_of(findings))
    for severity in ("error", "warning"):
        for finding in (f for f in findings if f.severity == severity):
            colour = "red" if severity == "error" else "yellow"
            context.progress.say(f"[{colour}]{severity}[/{colour}] {plain(finding.title)}")
    return ["findings.parquet"]


def table_of(findings: list[Finding]) -> pl.DataFrame:
    """Findings as a table, evidence as JSON text."""
    rows = [
        {"check": f.check, "severity": f.severity, "title": f.title, "advice": f.advice, "cases": list(f.cases),
         "evidence": json.dumps(dict(f.evidence), ensure_ascii=False)}
        for f in findings
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=FINDINGS)


def split_cases(context: Context) -> list[str]:
    asked = context.recipe
    whole = load(context.folder, split=False)
    done = split(whole, test=asked.test, validation=asked.validation, seed=asked.seed, together=context.near)
    context.folder.write_table("split.parquet", done.cases.select("case", "part"))
    parts = dict(done.cases["part"].value_counts().iter_rows())
    context.progress.say(
        ", ".join(f"{name} {parts[name]}" for name in ("train", "validation", "test", "excluded") if name in parts)
    )
    return ["split.parquet"]


def write_report(context: Context) -> list[str]:
    from evenray import report

    report.write(context.folder.path, language=context.language)
    return ["report.html"]
