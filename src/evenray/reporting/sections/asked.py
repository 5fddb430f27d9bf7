"""What was asked, and what was chosen automatically and why."""

from __future__ import annotations

from typing import Any

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.recipe is None:
        return None
    planned = {choice["name"] for choice in run.choices}
    asked = []
    for name, value in run.recipe.items():
        if value is None and name not in planned:
            continue
        words = say("asked.planned") if value is None else say.value(value)
        asked.append((say.name("recipe", name), words, value is None))
    choices = [(say.name("recipe", c["name"]), say.value(c.get("value")), c.get("why", "")) for c in run.choices]
    return {"asked": asked, "choices": choices}
