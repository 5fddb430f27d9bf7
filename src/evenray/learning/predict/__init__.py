"""Prediction: of the cases of a data set from their logits, and of files by a model that is handed on."""

from .cases import GROUPS, predictions, target_prior
from .ensemble import ensemble

__all__ = ["GROUPS", "ensemble", "predictions", "target_prior"]
