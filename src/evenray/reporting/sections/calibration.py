"""Whether the probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from evenray.metrics import calibration_curve
from evenray.reporting.figures.calibration import calibration
from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.predictions is None:
        return None
    test = run.predictions.part("test")
    if test.table.is_empty():
        return None
    names = [run.positive] if run.binary else list(run.drawn)
    if run.shares is not None and len(np.unique(test.targets)) < len(run.classes):
        names = []  # a class without a case cannot be given its share
    curves = [calibration_curve(test, name, prevalence=run.shares) for name in names]
    charts = [
        calibration(curve, f"reliability-{k}", name, say)
        for k, (name, curve) in enumerate(zip(names, curves, strict=True))
    ]
    metrics = (run.scores or {}).get("parts", {}).get("test", {}).get("metrics", {})
    shown = [(name, metrics[name]) for name in ("brier", "ece", "log_loss") if name in metrics]
    return {"figures": charts, "metrics": shown}
