"""Every metric of any predictions, by their task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Predictions, Scores

from ._area import Area, components
from ._curves import one_class
from ._prior import Prior
from .boxes import measured_boxes, score_boxes
from .findings import averaged, macro_components, measured_findings, score_findings
from .masks import measured_masks, score_masks
from .scoring import Measure, measured, score

__all__ = ["Cut", "Prevalence", "area_components", "measured_by_task", "scored_by_task"]

Cut = float | Sequence[float | None] | None  # a threshold, or one a finding
Prevalence = Prior | Sequence[Prior | None] | None  # class shares, or those of each finding
MEASURED: dict[str, Any] = {
    "classify": measured, "tag": measured_findings, "segment": measured_masks, "detect": measured_boxes,
}  # fmt: skip


def measured_by_task(
    predictions: Predictions,
    threshold: Cut = None,
    *,
    prevalence: Prevalence = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measure]:
    """`measured` of classes, `measured_findings` of findings, `measured_masks` of masks."""
    found: dict[str, Measure] = MEASURED[predictions.task](
        predictions, threshold, prevalence=prevalence, seed=seed, resamples=resamples
    )
    return found


def scored_by_task(
    predictions: Predictions,
    threshold: Any = None,
    *,
    priors: Any = None,
    prevalence: Any = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Scores:
    """`score` of classes, `score_findings` of findings; of masks and boxes, which have a threshold a class, the means over these."""
    if predictions.task == "classify":
        return score(predictions, threshold, prior=priors, prevalence=prevalence, seed=seed, resamples=resamples)
    if predictions.task == "tag":
        return score_findings(
            predictions, threshold, priors=priors, prevalence=prevalence, seed=seed, resamples=resamples
        )
    marked = score_masks if predictions.task == "segment" else score_boxes
    return marked(predictions, threshold, seed=seed, resamples=resamples)[0]


def area_components(predictions: Predictions, of: str | None = None) -> tuple[float, NDArray[np.float64]]:
    """The AUROC of a class, or (None) that which scores have, and each patient's share in its error: that of the positive class of
    two, of more the mean over those that occur, of findings the mean over those that means are over."""
    if predictions.task == "tag":
        return macro_components(predictions, averaged(predictions) if of is None else (of,))
    if of is None and predictions.task == "classify" and len(predictions.classes) > 2:
        watched, p_NK = np.unique(predictions.targets), predictions.probabilities
        truth_NK = predictions.targets[:, None] == watched
        whole = Area.of(p_NK[:, watched], truth_NK, predictions.patients, predictions.folds)
        return whole.value, whole.influence
    return components(*one_class(predictions, of), predictions.patients, predictions.folds)
