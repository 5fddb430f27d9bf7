"""Every metric of the validation and the test part as value, interval and baseline."""

from __future__ import annotations

from typing import Any

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]

ORDER = (
    *("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "mcc", "f1"),
    *("accuracy", "brier", "ece", "log_loss"),
)
SIGNED = ("mcc",)  # from -1 to 1


def context(run: Run, say: Language) -> dict[str, Any] | None:
    parts = (run.scores or {}).get("parts", {})
    shown = [part for part in ("test", "validation") if part in parts]
    if not shown:
        return None
    held = {name for part in shown for name in parts[part]["metrics"]}
    names = [*(name for name in ORDER if name in held), *sorted(held - set(ORDER))]
    rows = [(name, [parts[part]["metrics"].get(name) for part in shown], _domain(name, parts, shown)) for name in names]
    sizes = [(part, parts[part]["cases"]) for part in shown]
    return {"parts": sizes, "rows": rows, "per_class": _per_class(run, parts)}


def _domain(name: str, parts: dict[str, Any], shown: list[str]) -> tuple[float, float]:
    """The range of a metric's strip: 0 to 1, -1 to 1 for MCC, and up to the largest number for an unbounded loss."""
    if name in SIGNED:
        return -1.0, 1.0
    values = [parts[part]["metrics"].get(name) or {} for part in shown]
    top = max((v for entry in values for v in entry.values() if v is not None and v == v), default=1.0)
    return 0.0, max(1.0, float(top))


def _per_class(run: Run, parts: dict[str, Any]) -> list[tuple[str, int, float | None, float | None]]:
    """Of each of many classes in the test part: cases, the share that is found, the share of its calls that is right, at the
    prevalence asked for.
    """
    confusion = parts.get("test", {}).get("confusion")
    if run.binary or confusion is None:
        return []
    counts = [sum(row) for row in confusion]
    known = run.shares is None or all(counts)  # a class without a case cannot be given a share
    weights = (
        [1.0] * len(counts) if run.shares is None else [s / max(n, 1) for s, n in zip(run.shares, counts, strict=True)]
    )
    found = []
    for k, (name, cases) in enumerate(zip(run.classes, counts, strict=True)):
        right, called = confusion[k][k], sum(weight * row[k] for weight, row in zip(weights, confusion, strict=True))
        precision = weights[k] * right / called if called and known else None
        found.append((name, cases, right / cases if cases else None, precision))
    return found
