"""Prediction of image files by a trained model, and ensembles of what several said."""

from .ensemble import ensemble

__all__ = ["ensemble"]
