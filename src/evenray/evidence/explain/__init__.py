"""Explanations of a network: attribution maps, checks of these maps, and what the layers do.

answers.py        what is explained, whatever the task          attribution.py    the methods
randomise.py      networks that have unlearnt                    removal.py        deletion and insertion
places.py         regions, the body, the border, text            covering.py       answers without border or text
checks.py         each check as a figure with an interval        room.py           how many images at once
layers.py         what layers hold and make                      network_view.py   convolution.py
"""

from __future__ import annotations

from .attribution import attribute, attributions
from .convolution import Step, convolution_step
from .layers import Patch, exciting_patches, feature_maps, filters, sheet

__all__ = [
    "Patch",
    "Step",
    "attribute",
    "attributions",
    "convolution_step",
    "exciting_patches",
    "feature_maps",
    "filters",
    "sheet",
]
