"""Contrast: one small file a method, one engine that applies their curves.

A global method is `f(histogram, **params) -> Curve`; one marked `on_pixels` is `f(image, **params) -> Image`.
See docs/adding-a-contrast.md.
"""

from __future__ import annotations

from evenray.core.registry import Registry

contrasts = Registry(
    "contrast",
    {
        "none": "evenray.contrast.identity:none",
        "linear": "evenray.contrast.linear:linear",
        "invert": "evenray.contrast.invert:invert",
        "gamma": "evenray.contrast.gamma:gamma",
        "equalize": "evenray.contrast.equalize:equalize",
        "local": "evenray.contrast.local:local",
        "clahe": "evenray.contrast.clahe:clahe",
    },
    context=1,
)

from ._chain import curve, enhance  # noqa: E402  (they look methods up in the table above)

__all__ = ["contrasts", "curve", "enhance"]
