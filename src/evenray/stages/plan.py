"""The stage plan: what the recipe leaves open is decided from the data, each choice with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.plan import Planned
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.learning.plan import expected, fingerprint

from .artefacts import PLANNED, SPLIT_CASES
from .stage import artefact
from .starting import planned
from .tools import Tools

__all__ = ["PlanInputs", "PlanOutputs", "plan"]


@dataclass(frozen=True)
class PlanInputs:
    cases: Dataset = artefact(SPLIT_CASES)


@dataclass(frozen=True)
class PlanOutputs:
    planned: Planned = artefact(PLANNED)


def plan(inputs: PlanInputs, settings: PlanSettings, tools: Tools) -> PlanOutputs:
    """Decide by fixed rules. Nothing of the machine is measured, so the same data, recipe and weights at hand give the same
    plan on a kind of device; where weights are at hand, cross-validation says what to start from."""
    made, starts = planned(inputs.cases, settings, tools)
    precision = expected(inputs.cases)
    found = Planned(
        fingerprint=fingerprint(inputs.cases), contrasts=settings.contrasts, starts=starts, choices=made.choices,
        expected=None if precision is None else precision.as_json(),
    )  # fmt: skip
    return PlanOutputs(found)
