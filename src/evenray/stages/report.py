"""The stage report: one page about the whole run."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.recipe import ReportSettings
from evenray.core.run import Run
from evenray.reporting import report_page

from .artefacts import REPORT, RUN
from .stage import artefact
from .tools import Tools

__all__ = ["ReportInputs", "ReportOutputs", "report"]


@dataclass(frozen=True)
class ReportInputs:
    run: Run = artefact(RUN)


@dataclass(frozen=True)
class ReportOutputs:
    page: str = artefact(REPORT)


def report(inputs: ReportInputs, settings: ReportSettings, tools: Tools) -> ReportOutputs:
    """Write the page from what stands in the run folder; sections of what is missing say which verb makes it."""
    return ReportOutputs(report_page(inputs.run, language=settings.lang))
