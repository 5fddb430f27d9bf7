"""What scores.json tells of boxes: the means over the classes, and each class by itself with its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evenray.core.artefacts.scores import CalibrationRecord, PartScores, ScoresRecord
from evenray.core.types import Predictions
from evenray.metrics.boxes import objects_of, score_boxes

__all__ = ["summarise_boxes"]

RESAMPLES = 1000


def summarise_boxes(
    found: Mapping[str, Predictions], cuts: list[float], rule: str, *, untold: Sequence[str] = (), seed: int = 0
) -> ScoresRecord:
    """The record of boxes that are called from these thresholds of the scores on, one a class; the `rule` could not choose those of
    the `untold` classes."""
    test = found["test"]
    scored = {part: score_boxes(told, cuts, seed=seed, resamples=RESAMPLES) for part, told in found.items()}
    counts = {part: objects_of(told) for part, told in found.items()}
    none = CalibrationRecord(method="none", parameters={})

    def record(classes: tuple[str, ...], threshold: float | None, parts: dict[str, PartScores]) -> ScoresRecord:
        return ScoresRecord(
            task="detect", classes=classes, positive="", threshold=threshold, threshold_rule=rule, calibration=none,
            prevalence=None, tta=None, parts=parts, patients=None, groups={}, decision_curve={},
        )  # fmt: skip

    def of_class(name: str, cut: float) -> ScoresRecord:
        parts = {
            part: PartScores.of(each[name]).model_copy(update={"counts": {name: counts[part][name]}})
            for part, (_, each) in scored.items()
        }
        return record((name,), cut, parts).model_copy(update={"refused_points": (rule,) if name in untold else ()})

    parts = {
        part: PartScores.of(whole).model_copy(update={"counts": counts[part]}) for part, (whole, _) in scored.items()
    }
    findings = {name: of_class(name, cut) for name, cut in zip(test.classes, cuts, strict=True)}
    averaged = tuple(name for name in test.classes if counts["test"][name])
    return record(test.classes, None, parts).model_copy(update={"findings": findings, "averaged": averaged})
