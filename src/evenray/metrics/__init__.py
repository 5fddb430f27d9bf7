"""Metrics of saved predictions, without a model and without torch."""

from ._meter import METRICS, decide
from .agreement import cohen_kappa, fleiss_kappa, grades
from .calibration import calibration_curve
from .calibrators import Calibration, calibrate, calibrations
from .decision import decision_curve
from .findings import averaged, measured_findings, score_findings
from .groups import bands, by_group, per_patient
from .measuring import measured_by_task
from .operating import choose_threshold, rules, threshold_spread
from .paired import (
    LOWER_IS_BETTER,
    Difference,
    Spread,
    compare_models,
    compare_spreads,
    delong,
    delong_difference,
    difference,
    holm,
)  # fmt: skip
from .ranking import precision_recall, roc
from .recalibration import RECALIBRATION, calibration_by_class, recalibration
from .repeats import called_by_fold, each_repeat, joined, over_repeats
from .scoring import confusion, measured, per_class, score, sensitivity_at_specificity
from .seeds import SeedSpread, seed_spread, spread_apart
from .topk import top_error

__all__ = [
    "LOWER_IS_BETTER",
    "METRICS",
    "RECALIBRATION",
    "Calibration",
    "Difference",
    "SeedSpread",
    "Spread",
    "averaged",
    "bands",
    "by_group",
    "calibrate",
    "calibration_by_class",
    "calibration_curve",
    "calibrations",
    "called_by_fold",
    "choose_threshold",
    "cohen_kappa",
    "compare_models",
    "compare_spreads",
    "confusion",
    "decide",
    "decision_curve",
    "delong",
    "delong_difference",
    "difference",
    "each_repeat",
    "fleiss_kappa",
    "grades",
    "holm",
    "joined",
    "measured",
    "measured_by_task",
    "measured_findings",
    "over_repeats",
    "per_class",
    "per_patient",
    "precision_recall",
    "recalibration",
    "roc",
    "rules",
    "score",
    "score_findings",
    "seed_spread",
    "sensitivity_at_specificity",
    "spread_apart",
    "threshold_spread",
    "top_error",
]  # fmt: skip
