"""The model in use: what other operating points would do, whether acting on it does good, and for whom it works."""

from __future__ import annotations

from typing import Any

from evenray.reporting.figures.decision import decision
from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
TOLD = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv")
MOST = 20  # groups of a column


def context(run: Run, say: Language) -> dict[str, Any] | None:
    scores = run.scores or {}
    if not {"operating_points", "decision_curve", "patients", "groups"} & set(scores):
        return None
    curve = scores.get("decision_curve")
    points = scores.get("operating_points") or []
    return {
        "points": points, "rates": [name for name in RATES if all(name in point for point in points)], "told": TOLD,
        "chosen": scores.get("threshold_rule"),
        "prevalence": say.shares(run.prevalence) if run.prevalence else None,
        "figure": decision(curve, say, None if run.binary else run.positive) if curve else None,
        "patients": scores.get("patients"),
        "images": scores.get("parts", {}).get("test"),
        "groups": [(column, *_largest(groups)) for column, groups in (scores.get("groups") or {}).items() if groups],
    }  # fmt: skip


def _largest(groups: dict[str, Any]) -> tuple[list[tuple[str, Any]], int]:
    """The groups with the most cases, in their own order, and how many are not shown."""
    kept = set(sorted(groups, key=lambda name: -groups[name]["cases"])[:MOST])
    return [(name, group) for name, group in groups.items() if name in kept], len(groups) - len(kept)
