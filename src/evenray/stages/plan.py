"""The stage plan: what the recipe leaves open is decided from the data, each choice with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.plan import Planned
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.learning.plan import expected, fingerprint, make

from .artefacts import PLANNED, SPLIT_CASES
from .stage import artefact
from .tools import Tools

__all__ = ["PlanInputs", "PlanOutputs", "plan"]


@dataclass(frozen=True)
class PlanInputs:
    cases: Dataset = artefact(SPLIT_CASES)


@dataclass(frozen=True)
class PlanOutputs:
    planned: Planned = artefact(PLANNED)


def plan(inputs: PlanInputs, settings: PlanSettings, tools: Tools) -> PlanOutputs:
    """Decide by fixed rules; nothing is measured, so the same data and recipe give the same plan on a kind of device."""
    made = make(inputs.cases, settings, gpu=tools.kind != "cpu")
    precision = expected(inputs.cases)
    told = None if precision is None else precision.as_json()
    about = fingerprint(inputs.cases)
    return PlanOutputs(Planned(fingerprint=about, contrasts=settings.contrasts, choices=made.choices, expected=told))
