"""Where the network of a run looks in an image, computed when somebody asks for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.data.letterbox import Placement, letterbox
from evenray.evidence.explain import attribute
from evenray.images.contrast import enhance
from evenray.learning import networks
from evenray.learning.predict.about import About
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
        pixels, place = letterbox(enhance(image, about.contrast), about.size, about.channels, about.scale)
        unit = torch.from_numpy(pixels.astype(np.float32) / about.scale)
        x_NCHW = unit[None, None] if unit.ndim == 2 else unit.permute(2, 0, 1)[None]
        heat = attribute(looker.network, x_NCHW.contiguous(), output)[0]
    return _inside(heat, place)


def _inside(heat: NDArray[np.float32], place: Placement) -> NDArray[np.uint8]:
    """The part of the square that the image covers."""
    (top, left), (rows, columns) = place.offset, place.inner
    return np.rint(heat[top : top + rows, left : left + columns] * 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _loaded(folder: Path, changed: int) -> _Looker:
    return _Looker(About.of_run(folder), networks.load(folder / WEIGHTS).eval())
