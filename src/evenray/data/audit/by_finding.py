"""The checks that compare classes, on labels of several findings: finding by finding, and told once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from evenray.core.findings import Finding
from evenray.core.types import Dataset

__all__ = ["by_finding"]

DEGREES = ("auroc", "cramers_v", "imbalance_ratio", "detectable_difference")  # evidence of how bad it is


def by_finding(dataset: Dataset, checks: Iterable[Callable[[Dataset], list[Finding]]]) -> list[Finding]:
    """What checks of two classes, absent and present, find of each finding, on the cases of which it is known.

    Equal things are one entry: its cases are those of all, its evidence is that of the worst, and `findings` names all, the
    worst first.
    """
    together: dict[tuple[Any, ...], list[tuple[str, Finding]]] = {}
    alone = {name: dataset.finding(name) for name in dataset.classes}
    if dataset.facts.task != "tag":  # a class that all images have, or none, divides them into no two classes
        alone = {name: two for name, two in alone.items() if all(two.counts.values())}
    for check in checks:
        for name, two in alone.items():
            for found in check(two):
                kind = (
                    found.check,
                    found.variant,
                    found.severity,
                    *(found.evidence.get(w) for w in ("part", "property")),
                )
                together.setdefault(kind, []).append((name, found))
    return [_joined(found) for found in together.values()]


def _joined(found: list[tuple[str, Finding]]) -> Finding:
    ordered = sorted(found, key=lambda each: -_degree(each[1]))
    names, (worst, *_) = [name for name, _ in ordered], [one for _, one in ordered]
    cases = tuple(dict.fromkeys(case for _, one in ordered for case in one.cases))
    groups = tuple(dict.fromkeys(group for _, one in ordered for group in one.groups))
    evidence = {"findings": names, **worst.evidence}
    return Finding(worst.check, worst.severity, cases, groups, evidence, worst.variant)


def _degree(finding: Finding) -> float:
    return next((float(finding.evidence[name]) for name in DEGREES if name in finding.evidence), 0.0)
