"""What was asked, and what was chosen automatically and why."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]


@dataclass(frozen=True)
class Shown:
    asked: list[tuple[str, str]]
    choices: list[tuple[str, str, str]]
    starts: list[tuple[str, str]]


def context(run: RunView, say: Language) -> Shown | None:
    if run.told is None:
        return None
    told = {"data": run.told.data, **dict(run.told.recipe)}
    asked = [
        (say.name("recipe", name), say.value(value)) for name, value in told.items() if value not in (None, (), {})
    ]
    planned = run.planned
    if planned is None:
        return Shown(asked=asked, choices=[], starts=[])
    return Shown(
        asked=asked,
        choices=[(say.name("recipe", c.name), say.value(c.value), say.message(c.reason)) for c in planned.choices],
        starts=[(say.value(start.value), say.message(start.reason)) for start in planned.starts],
    )
