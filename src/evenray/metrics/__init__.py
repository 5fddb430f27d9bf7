"""Metrics of saved predictions: no model and no torch, only who was forecast what and what was true."""

from ._meter import METRICS, decide
from .calibration import calibration_curve
from .operating import choose_threshold, rules
from .ranking import precision_recall, roc
from .scoring import bootstrap, confusion, score

__all__ = [
    "METRICS",
    "bootstrap",
    "calibration_curve",
    "choose_threshold",
    "confusion",
    "decide",
    "precision_recall",
    "roc",
    "rules",
    "score",
]
