"""An ensemble and its members: the test scores of each, and how far the ensemble lies above it."""

from __future__ import annotations

from dataclasses import dataclass

from evenray.core.artefacts.ensemble import EnsembleMember
from evenray.core.artefacts.scores import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

METRICS = ("auroc", "auprc", "balanced_accuracy", "brier")


@dataclass(frozen=True)
class Shown:
    members: tuple[EnsembleMember, ...]
    test: dict[str, Figure]
    domain: tuple[float, float]
    metrics: tuple[str, ...] = METRICS


def context(run: RunView, _: Language) -> Shown | None:
    about = run.ensemble
    if about is None:
        return None
    differences = [member.difference[m] for member in about.members for m in METRICS]
    reach = max((abs(end) for d in differences for end in (d.low, d.high) if end == end), default=1.0)
    return Shown(
        members=about.members,
        test=about.test,
        domain=(-1.05 * reach, 1.05 * reach),
    )
