"""Which contrast methods there are: the name of each, and where its function stands."""

from __future__ import annotations

from evenray.core.registry import Registry

__all__ = ["contrasts"]

contrasts = Registry(
    "contrast",
    {
        "none": "evenray.images.contrast.identity:none",
        "invert": "evenray.images.contrast.invert:invert",
        "linear": "evenray.images.contrast.linear:linear",
        "percentile": "evenray.images.contrast.percentile:percentile",
        "piecewise": "evenray.images.contrast.piecewise:piecewise",
        "window": "evenray.images.contrast.window:window",
        "voi": "evenray.images.contrast.window:voi",
        "gamma": "evenray.images.contrast.gamma:gamma",
        "auto_gamma": "evenray.images.contrast.auto_gamma:auto_gamma",
        "agcwd": "evenray.images.contrast.auto_gamma:agcwd",
        "log": "evenray.images.contrast.logarithm:log",
        "exp": "evenray.images.contrast.exponential:exp",
        "sigmoid": "evenray.images.contrast.sigmoid:sigmoid",
        "equalize": "evenray.images.contrast.equalize:equalize",
        "bbhe": "evenray.images.contrast.bihistogram:bbhe",
        "dsihe": "evenray.images.contrast.bihistogram:dsihe",
        "mmbebhe": "evenray.images.contrast.mmbebhe:mmbebhe",
        "rmshe": "evenray.images.contrast.rmshe:rmshe",
        "weighted": "evenray.images.contrast.weighted:weighted",
        "match": "evenray.images.contrast.match:match",
        "exact": "evenray.images.contrast.exact:exact",
        "local": "evenray.images.contrast.local:local",
        "clahe": "evenray.images.contrast.clahe:clahe",
        "unsharp": "evenray.images.contrast.unsharp:unsharp",
        "border": "evenray.images.contrast.border:border",
    },
    context=1,
)
