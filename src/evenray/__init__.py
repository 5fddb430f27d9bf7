"""Even light, even labels: train classifiers on medical images and say honestly how good they are.

>>> import evenray as er
>>> er.Recipe(contrast="clahe(clip=2)", balance="oversample").contrasts
('clahe(clip=2)',)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.errors import DataError as DataError
    from .core.errors import EvenrayError as EvenrayError
    from .core.errors import ReadError as ReadError
    from .core.errors import UsageError as UsageError
    from .core.recipe import Recipe as Recipe
    from .core.types import Curve as Curve
    from .core.types import Dataset as Dataset
    from .core.types import Estimate as Estimate
    from .core.types import Finding as Finding
    from .core.types import Image as Image
    from .core.types import Predictions as Predictions
    from .core.types import Scores as Scores
    from .data.audit import audit as audit
    from .data.scan import scan as scan
    from .data.split import split as split
    from .images.contrast import enhance as enhance
    from .images.histogram import Histogram as Histogram
    from .images.readers import read as read
    from .learning.networks import build as build
    from .metrics import choose_threshold as choose_threshold
    from .metrics import score as score
    from .verbs.run import run as run

# Where each public name lives; imported when it is first used, so that `import evenray` costs nothing.
PUBLIC = {
    "Curve": "core.types", "DataError": "core.errors", "Dataset": "core.types", "Estimate": "core.types",
    "EvenrayError": "core.errors", "Finding": "core.types", "Histogram": "images.histogram", "Image": "core.types",
    "Predictions": "core.types", "ReadError": "core.errors", "Recipe": "core.recipe", "Scores": "core.types",
    "UsageError": "core.errors", "audit": "data.audit", "build": "learning.networks", "choose_threshold": "metrics",
    "enhance": "images.contrast", "read": "images.readers", "run": "verbs.run", "scan": "data.scan", "score": "metrics",
    "split": "data.split",
}  # fmt: skip

__all__ = sorted(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'evenray' has no attribute '{name}'; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"evenray.{PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return __all__
