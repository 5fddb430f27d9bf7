"""An ensemble and its members: the test scores of each, and how far the ensemble lies above it."""

from __future__ import annotations

from typing import Any

from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]

METRICS = ("auroc", "auprc", "balanced_accuracy", "brier")


def context(run: Run, _: Language) -> dict[str, Any] | None:
    about = run.ensemble
    if about is None:
        return None
    reach = max(
        abs(member["difference"][m][end]) for member in about["members"] for m in METRICS for end in ("low", "high")
    )
    return {
        "members": about["members"],
        "test": about["test"],
        "metrics": METRICS,
        "domain": (-1.05 * reach, 1.05 * reach),
    }
