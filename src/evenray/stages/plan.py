"""The stage plan: what the recipe leaves open is decided from the data, each choice with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.plan import ASKED, Plan, PlanChoice, Planned
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.core.types import Dataset
from evenray.data.design import FOLDS, REPEATS
from evenray.evidence.compare import trainings
from evenray.learning.plan import LOWER, expected, fingerprint
from evenray.learning.plan.budget import BUDGET, SPEED
from evenray.learning.plan.comparison import COMPARISON
from evenray.learning.plan.starts import JUDGING

from .artefacts import DESIGN, PLANNED, SPLIT_CASES
from .stage import artefact
from .starting import planned
from .tools import Tools

__all__ = ["PlanInputs", "PlanOutputs", "plan"]

JUDGED = ("plan.start.taken", "plan.start.behind")  # what is said of starts that were cross-validated


@dataclass(frozen=True)
class PlanInputs:
    cases: Dataset = artefact(SPLIT_CASES)
    design: DesignRecord = artefact(DESIGN)


@dataclass(frozen=True)
class PlanOutputs:
    planned: Planned = artefact(PLANNED)


def plan(inputs: PlanInputs, settings: PlanSettings, tools: Tools) -> PlanOutputs:
    """Decide by fixed rules. Nothing of the machine is measured, so the same data, recipe and weights at hand give the same
    plan on a kind of device; where weights are at hand, cross-validation says what to start from."""
    design = inputs.design
    started = planned(inputs.cases, settings, tools, nested=design.nested)
    made = started.plan
    judged = any(start.reason.code in JUDGED for start in started.starts)
    chosen = PlanChoice.of("design", design.name, _explained(design, made, settings, judged=judged))
    precision = expected(inputs.cases)
    found = Planned(
        fingerprint=fingerprint(inputs.cases), contrasts=settings.contrasts, starts=started.starts,
        weights=dict(started.weights), choices=(chosen, *made.choices), expected=None if precision is None else precision.as_json(),
    )  # fmt: skip
    return PlanOutputs(found)


def _explained(design: DesignRecord, plan: Plan, settings: PlanSettings, *, judged: bool) -> Message:
    """Why this design, with what a nested one costs, or would; each of its folds judges starts where they are `judged` here."""
    reason = design.reason
    if not design.nested and reason.code != "plan.design.quick":
        return reason
    cells = len(settings.contrasts) * len(settings.balances) * max(len(settings.networks), 1)
    ratios, compared = max(len(settings.imbalances), 1), cells > 1 or bool(settings.imbalances)
    inner = trainings(cells, plan.folds, settings.seeds, plan.compare_epochs, plan.search == "halving") * ratios
    outer, effort = (design.folds or FOLDS) * (design.repeats or REPEATS), LOWER[settings.effort]
    minutes = BUDGET[effort] / SPEED / 60 * (1 + COMPARISON * compared + JUDGING * judged) * (outer + 1)
    cost = Message("plan.design.cost", {
        "outer": outer, "trainings": (outer + 1) * (plan.members + inner * compared), "effort": effort, "minutes": round(minutes),
    })  # fmt: skip
    code = reason.code if reason != ASKED else "plan.design.asked"
    return Message(code, {**reason.values, "folds": design.folds, "repeats": design.repeats, "cost": cost})
