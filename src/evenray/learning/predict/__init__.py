"""Prediction of the cases of a data set from their logits, and of image files by a trained model."""

from .cases import GROUPS, predictions, target_prior
from .ensemble import ensemble

__all__ = ["GROUPS", "ensemble", "predictions", "target_prior"]
