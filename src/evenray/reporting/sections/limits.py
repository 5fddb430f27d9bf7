"""What the numbers may and may not be used for."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context", "rule_text"]

RULES = ("research", "internal", "interval", "prevalence", "threshold", "labels", "maps")


@dataclass(frozen=True)
class Shown:
    rules: list[tuple[str, str, str]]
    patients_known: bool | None


def rule_text(run: RunView, say: Language, name: str) -> str:
    """What a rule says; the intervals of a cross-validation cover more."""
    return say("limits.interval_nested" if name == "interval" and run.nested else f"limits.{name}_text")


def context(run: RunView, say: Language) -> Shown:
    told = [name for name in RULES if name != "threshold" or run.chosen]
    told = [name for name in told if name != "maps" or not run.marked]
    told = [name for name in told if name != "internal" or not run.external]
    rules = [(name, say(f"limits.{name}"), rule_text(run, say, name)) for name in told]
    return Shown(rules=rules, patients_known=run.facts.patients_known)
