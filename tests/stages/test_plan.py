"""What the plan tells of the cost of a nested cross-validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.design import DesignRecord
from evenray.core.artefacts.plan import ASKED, PlanChoice
from evenray.core.messages import Message
from evenray.core.recipe import PlanSettings
from evenray.stages import plan as stage
from evenray.stages.artefacts import PLANNED, SPLIT_CASES
from evenray.stages.starting import Started
from evenray.stages.tools import Tools


@pytest.mark.parametrize(
    ("code", "contrast", "budgets"),
    [
        (None, "none", 1), ("plan.start.costs", "none", 1), ("plan.start.behind", "none", 2.5),
        ("plan.start.behind", ("none", "equalize"), 4),
    ],
)  # fmt: skip
def test_it_has_the_judging_of_starts_in_every_fold(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch, code: str | None, contrast: str, budgets: float
) -> None:
    folder = RunFolder(finished_run)
    starts = (PlanChoice.of("start", "vgg16, frozen, 112", Message(code, {})),) if code else ()
    monkeypatch.setattr(stage, "planned", lambda *_, **__: Started(replace(PLANNED.read(folder).plan, why={}), starts))
    design = DesignRecord(name="nested", folds=5, repeats=3, why=ASKED.as_json())
    settings = PlanSettings(contrast=contrast, balance="none", effort="standard")
    found = stage.plan(stage.PlanInputs(SPLIT_CASES.read(folder), design), settings, Tools(finished_run)).planned
    cost = found.choices[0].reason.values["cost"]
    assert cost.values["minutes"] == round(2000 / 20 / 60 * budgets * 16)
