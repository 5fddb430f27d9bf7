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
        "invert": "evenray.contrast.invert:invert",
        "linear": "evenray.contrast.linear:linear",
        "percentile": "evenray.contrast.percentile:percentile",
        "piecewise": "evenray.contrast.piecewise:piecewise",
        "window": "evenray.contrast.window:window",
        "voi": "evenray.contrast.window:voi",
        "gamma": "evenray.contrast.gamma:gamma",
        "auto_gamma": "evenray.contrast.auto_gamma:auto_gamma",
        "agcwd": "evenray.contrast.auto_gamma:agcwd",
        "log": "evenray.contrast.logarithm:log",
        "exp": "evenray.contrast.exponential:exp",
        "sigmoid": "evenray.contrast.sigmoid:sigmoid",
        "equalize": "evenray.contrast.equalize:equalize",
        "bbhe": "evenray.contrast.bihistogram:bbhe",
        "dsihe": "evenray.contrast.bihistogram:dsihe",
        "mmbebhe": "evenray.contrast.mmbebhe:mmbebhe",
        "rmshe": "evenray.contrast.rmshe:rmshe",
        "weighted": "evenray.contrast.weighted:weighted",
        "match": "evenray.contrast.match:match",
        "exact": "evenray.contrast.exact:exact",
        "local": "evenray.contrast.local:local",
        "clahe": "evenray.contrast.clahe:clahe",
        "unsharp": "evenray.contrast.unsharp:unsharp",
        "border": "evenray.contrast.border:border",
    },
    context=1,
)

from ._chain import curve, enhance, enhance_together  # noqa: E402  (they look methods up in the table above)
from ._reference import hold, settled  # noqa: E402

__all__ = ["contrasts", "curve", "enhance", "enhance_together", "hold", "settled"]
