"""Where the network of a run looks in an image, computed when somebody asks for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.evidence.explain import attribute
from evenray.learning import networks
from evenray.learning.predict.about import About
from evenray.learning.predict.answers import as_input
from evenray.serve.problems import Problem

__all__ = ["looked"]

WEIGHTS = "model.safetensors"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Looker:
    about: About
    network: networks.Classifier


def looked(folder: Path, image: Image, output: int) -> NDArray[np.uint8]:
    """The Grad-CAM map of an image for one of the classes or findings, uint8 (rows, columns) over the whole image, which may
    have more pixels; 255 where most speaks for it. Problem 409 where the run has no network that gives such maps."""
    import torch

    path = folder / WEIGHTS
    if not path.is_file():
        raise Problem(409, "app.not_trained")
    with _one_at_a_time:  # gradients are kept in the network
        looker = _loaded(folder, path.stat().st_mtime_ns)
        about = looker.about
        if about.task not in ("classify", "tag"):
            raise Problem(409, "app.no_attribution")
        pixels, place = about.preparation.placed(image)
        heat = attribute(looker.network, torch.from_numpy(as_input([pixels], about)), output)[0]
    return np.asarray(np.rint(place.inside(heat) * 255), np.uint8)


@lru_cache(maxsize=2)
def _loaded(folder: Path, changed: int) -> _Looker:
    return _Looker(About.of_run(folder), networks.load(folder / WEIGHTS).eval())
