"""What was asked, and what was chosen automatically and why."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Shown:
    asked: list[tuple[str, str, bool]]
    choices: list[tuple[str, str, str]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.told is None:
        return None
    planned = {choice.name for choice in run.choices}
    asked = []
    for name, value in {"data": run.told.data, **dict(run.told.recipe)}.items():
        if value is None and name not in planned:
            continue
        words = say("asked.planned") if value is None else say.value(value)
        asked.append((say.name("recipe", name), words, value is None))
    choices = [(say.name("recipe", c.name), say.value(c.value), say.message(c.reason)) for c in run.choices]
    return Shown(asked=asked, choices=choices)
