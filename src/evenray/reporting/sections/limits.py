"""What the numbers may and may not be used for, and which items of the reporting guidelines the page touches."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.reporting.language import Language
from evenray.reporting.page import INSTEAD
from evenray.reporting.view import RunView

__all__ = ["context", "rule_text"]

RULES = ("research", "internal", "interval", "prevalence", "threshold", "labels", "maps")
# Item numbers of CLAIM 2024 (Tejani et al., Radiol Artif Intell 2024; 44 items) and TRIPOD+AI (Collins et al.,
# BMJ 2024; 27 items), the section that holds something for them, and our own words for it by key.
ITEMS = (
    ("9, 12", "7, 11", "data", "pixels"),
    ("10, 35", "20a, 21", "data", "flow"),
    ("19, 20", "12a", "data", "parts"),
    ("11", "", "data", "privacy"),
    ("22 – 25", "12c, 22", "asked", "model"),
    ("26", "12c", "compare", "selection"),
    ("", "13", "compare", "imbalance"),
    ("28, 29", "12e", "metrics", "measures"),
    ("37, 38", "23a", "metrics", "performance"),
    ("32", "12c", "limits", "internal"),
    ("", "15", "threshold", "output"),
    ("31, 39", "", "mistakes", "failures"),
    ("40, 41", "26, 27", "limits", "limits"),
    ("23, 42, 43", "18f", "repeat", "repeat"),
)
# What only people can add: intended use, reference standard, ethics, external testing, fairness, registration.
MISSING = ("1 – 8, 13", "14 – 18", "21", "33", "34, 44", "36")
MISSING_TRIPOD = ("1 – 6", "8", "10", "16, 23b", "14, 17 – 19", "20b")


@dataclass(frozen=True)
class Shown:
    rules: list[tuple[str, str, str]]
    touched: list[tuple[str, str, str, str]]
    missing: list[tuple[str, str, str]]
    patients_known: bool | None


def rule_text(run: RunView, say: Language, name: str) -> str:
    """What a rule says; the intervals of a cross-validation cover more."""
    return say("limits.interval_nested" if name == "interval" and run.nested else f"limits.{name}_text")


def context(run: RunView, say: Language) -> Shown:
    told = [name for name in RULES if name != "threshold" or run.chosen]
    told = [name for name in told if name != "maps" or not run.marked]
    told = [name for name in told if name != "internal" or not run.external]
    rules = [(name, say(f"limits.{name}"), rule_text(run, say, name)) for name in told]
    missing = [
        (claim, tripod, say(f"limits.missing_{n}"))
        for n, (claim, tripod) in enumerate(zip(MISSING, MISSING_TRIPOD, strict=True))
    ]
    instead = INSTEAD.get(run.facts.task, {})
    items = [
        (claim, tripod, instead.get(target, target) or "metrics", say(f"limits.item_{name}"))
        for claim, tripod, target, name in ITEMS
    ]
    return Shown(rules=rules, touched=items, missing=missing, patients_known=run.facts.patients_known)
