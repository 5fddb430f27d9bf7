"""The stage audit: what would ruin the study, found before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from evenray.core.findings import Finding
from evenray.core.recipe import AuditSettings
from evenray.core.types import Dataset
from evenray.data.audit import audit as check_all
from evenray.data.audit import excluded as left_out
from evenray.data.exclusions import check_exclusions, without

from .artefacts import CASES, EXCLUSIONS_ASKED, FINDINGS
from .stage import artefact
from .tools import Tools

__all__ = ["AuditInputs", "AuditOutputs", "audit"]


@dataclass(frozen=True)
class AuditInputs:
    cases: Dataset = artefact(CASES)
    exclusions: pl.DataFrame = artefact(EXCLUSIONS_ASKED)


@dataclass(frozen=True)
class AuditOutputs:
    findings: list[Finding] = artefact(FINDINGS)


def audit(inputs: AuditInputs, settings: AuditSettings, tools: Tools) -> AuditOutputs:
    """Run every check on the cases that the user has not left out; what was left out is a finding too."""
    excluded = check_exclusions(inputs.cases, inputs.exclusions)
    return AuditOutputs(check_all(without(inputs.cases, excluded)) + left_out(excluded))
