"""Even light, even labels: train classifiers on medical images and say honestly how good they are.

>>> import evenray as er
>>> er.Recipe(contrast="clahe(clip=2)", balance="oversample").contrasts
('clahe(clip=2)',)
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from .core import display

if TYPE_CHECKING:
    from .core.errors import DataError as DataError
    from .core.errors import EvenrayError as EvenrayError
    from .core.errors import ReadError as ReadError
    from .core.errors import UsageError as UsageError
    from .core.events import Cancelled as Cancelled
    from .core.events import EpochDone as EpochDone
    from .core.events import StageBegun as StageBegun
    from .core.events import StageDone as StageDone
    from .core.events import Step as Step
    from .core.events import Told as Told
    from .core.findings import Finding as Finding
    from .core.findings import Findings as Findings
    from .core.messages import Message as Message
    from .core.recipe import Recipe as Recipe
    from .core.run import Run as Run
    from .core.types import Curve as Curve
    from .core.types import Dataset as Dataset
    from .core.types import Estimate as Estimate
    from .core.types import Image as Image
    from .core.types import Predictions as Predictions
    from .core.types import Scores as Scores
    from .images.histogram import Histogram as Histogram
    from .images.readers import read as read
    from .learning.networks import build as build
    from .metrics import choose_threshold as choose_threshold
    from .metrics import score as score
    from .verbs.compare_runs import compare_runs as compare_runs
    from .verbs.data import audit as audit
    from .verbs.data import scan as scan
    from .verbs.data import split as split
    from .verbs.deidentify import deidentify as deidentify
    from .verbs.demo import demo as demo
    from .verbs.enhance import enhance as enhance
    from .verbs.enhance import gallery as gallery
    from .verbs.ensemble import ensemble as ensemble
    from .verbs.explain import explain as explain
    from .verbs.export import export as export
    from .verbs.histogram import histogram as histogram
    from .verbs.imagenet import imagenet as imagenet
    from .verbs.labs import labs as labs
    from .verbs.layers import layers as layers
    from .verbs.predict import predict as predict
    from .verbs.report import report as report
    from .verbs.robustness import robustness as robustness
    from .verbs.run import compare as compare
    from .verbs.run import evaluate as evaluate
    from .verbs.run import plan as plan
    from .verbs.run import run as run
    from .verbs.run import train as train
    from .verbs.share import share as share
    from .verbs.table7 import table7 as table7
    from .verbs.understand import understand as understand
    from .verbs.weights import weights as weights

# Where each public name lives; imported when it is first used, so that `import evenray` costs nothing.
PUBLIC = {
    **dict.fromkeys(("DataError", "EvenrayError", "ReadError", "UsageError"), "core.errors"),
    **dict.fromkeys(("Cancelled", "EpochDone", "StageBegun", "StageDone", "Step", "Told"), "core.events"),
    **dict.fromkeys(("Finding", "Findings"), "core.findings"),
    **dict.fromkeys(("Message",), "core.messages"),
    **dict.fromkeys(("Recipe",), "core.recipe"),
    **dict.fromkeys(("Run",), "core.run"),
    **dict.fromkeys(("Curve", "Dataset", "Estimate", "Image", "Predictions", "Scores"), "core.types"),
    **dict.fromkeys(("Histogram",), "images.histogram"),
    **dict.fromkeys(("read",), "images.readers"),
    **dict.fromkeys(("build",), "learning.networks"),
    **dict.fromkeys(("choose_threshold", "score"), "metrics"),
    **dict.fromkeys(("compare_runs",), "verbs.compare_runs"),
    **dict.fromkeys(("audit", "scan", "split"), "verbs.data"),
    **dict.fromkeys(("deidentify",), "verbs.deidentify"),
    **dict.fromkeys(("demo",), "verbs.demo"),
    **dict.fromkeys(("enhance", "gallery"), "verbs.enhance"),
    **dict.fromkeys(("ensemble",), "verbs.ensemble"),
    **dict.fromkeys(("explain",), "verbs.explain"),
    **dict.fromkeys(("export",), "verbs.export"),
    **dict.fromkeys(("histogram",), "verbs.histogram"),
    **dict.fromkeys(("imagenet",), "verbs.imagenet"),
    **dict.fromkeys(("labs",), "verbs.labs"),
    **dict.fromkeys(("layers",), "verbs.layers"),
    **dict.fromkeys(("predict",), "verbs.predict"),
    **dict.fromkeys(("report",), "verbs.report"),
    **dict.fromkeys(("robustness",), "verbs.robustness"),
    **dict.fromkeys(("compare", "evaluate", "plan", "run", "train"), "verbs.run"),
    **dict.fromkeys(("share",), "verbs.share"),
    **dict.fromkeys(("table7",), "verbs.table7"),
    **dict.fromkeys(("understand",), "verbs.understand"),
    **dict.fromkeys(("weights",), "verbs.weights"),
}  # fmt: skip

__all__ = sorted(PUBLIC)

# How values show themselves in a notebook; looked up when one is shown.
display.RENDERERS |= {
    kind: f"evenray.reporting.notebook:{kind.lower()}_html"
    for kind in ("Curve", "Dataset", "Findings", "Histogram", "Image", "Run", "Scores")
}


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'evenray' has no attribute '{name}'; it has: {', '.join(__all__)}")
    found = getattr(importlib.import_module(f"evenray.{PUBLIC[name]}"), name)
    if not inspect.isfunction(found):
        return found
    from .core.boundary import checked

    return checked(found)


def __dir__() -> list[str]:
    return __all__
