"""Explanations of a network: attribution maps, checks of these maps, and what the layers do."""

from __future__ import annotations

from .attribution import attribute, attributions
from .convolution import Step, convolution_step
from .layers import Patch, exciting_patches, feature_maps, filters, sheet
from .sanity import sanity

__all__ = [
    "Patch",
    "Step",
    "attribute",
    "attributions",
    "convolution_step",
    "exciting_patches",
    "feature_maps",
    "filters",
    "sanity",
    "sheet",
]
