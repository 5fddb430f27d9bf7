"""Prediction: of the cases of a data set from their logits, and of files by a model that is handed on."""

from .cases import GROUPS, predictions, target_prior

__all__ = ["GROUPS", "predictions", "target_prior"]
