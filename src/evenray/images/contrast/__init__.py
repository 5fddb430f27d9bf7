"""Contrast: one small file a method, one engine that applies their curves.

A global method is `f(histogram, **params) -> Curve`; one marked `on_pixels` is `f(image, **params) -> Image`.
See docs/adding-a-contrast.md.
"""

from ._chain import curve, enhance, enhance_together
from ._reference import add_references, fix_references, without_files
from ._registry import contrasts

__all__ = ["add_references", "contrasts", "curve", "enhance", "enhance_together", "fix_references", "without_files"]
