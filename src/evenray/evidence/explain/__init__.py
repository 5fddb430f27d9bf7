"""Looking into a network: where a decision came from, whether the map can be trusted, what the layers do."""

from __future__ import annotations

from .attribution import attribute, attributions
from .convolution import Step, convolution_step
from .drawing import draw_step
from .layers import Patch, exciting_patches, feature_maps, filters, sheet
from .sanity import Check, sanity

__all__ = [
    "Check",
    "Patch",
    "Step",
    "attribute",
    "attributions",
    "convolution_step",
    "draw_step",
    "exciting_patches",
    "feature_maps",
    "filters",
    "sanity",
    "sheet",
]
