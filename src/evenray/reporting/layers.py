"""The page that looks into a network."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts import atomic
from evenray.evidence.explain import filters, sheet
from evenray.evidence.explain.network_view import NetworkView
from evenray.learning.networks.anatomy import totals
from evenray.learning.networks.volumes import volumes

from .figures.convolution import convolution
from .figures.network import network
from .figures.svg import Figure
from .language import Language
from .page import Section, rendered

__all__ = ["layers_page"]

SHOWN = 64  # channels on one sheet
LARGEST = 112  # pixels of a map on a sheet; larger ones are drawn smaller
WIDE = 480  # pixels of a sheet at most before it is shown at its own size


def layers_page(path: Path, found: NetworkView, *, language: str = "en") -> Path:
    """Write the page about a network to `path`; sections that nothing was found for are left out."""
    model = found.model
    about = {
        "size": model.size, "channels": model.channels, "classes": model.classes, "trained": found.trained,
        "given": found.given, "images": found.images,
    }  # fmt: skip
    title = f"{found.name}: {model.channels} x {model.size} x {model.size} to {model.classes} classes"
    say = Language(language)
    drawn = {
        "anatomy": [Figure(say("anatomy.title"), network(volumes(model), title), say("anatomy.figure"))],
        "convolution": [
            Figure(say("convolution.step", layer=step.layer, channel=step.channel), convolution(step))
            for step in found.steps
        ],
    }
    shown = [
        Section(name, "explain", {"found": content, "about": about, "drawn": drawn.get(name)})
        for name, content in _sections(found).items()
    ]
    text = rendered(say, found.name, shown, "layers")
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _sections(found: NetworkView) -> dict[str, Any]:
    """What the templates show; pictures are SVG, or PNG as base64 text."""
    weights = filters(found.model, found.first)
    sections: dict[str, Any] = {"anatomy": {"rows": found.anatomy, "totals": totals(found.anatomy)}}
    if found.steps:
        sections["convolution"] = found.steps
    # Of filters over colours the mean of their channels is drawn.
    sections["filters"] = {
        "layer": found.first, "count": len(weights), "shape": weights.shape[1:], "picture": _sheet(weights.mean(1)),
    }  # fmt: skip
    if found.maps is not None:
        sections["maps"] = [
            {"layer": layer, "shape": maps_CHW.shape, "silent": int((maps_CHW.max((1, 2)) <= 0).sum()), "picture": _sheet(maps_CHW)}
            for layer, maps_CHW in found.maps.items()
        ]  # fmt: skip
    if found.patches is not None:
        sections["patches"] = {
            layer: {
                channel: [(patch, _picture(patch.pixels)) for patch in patches] for channel, patches in rows.items()
            }
            for layer, rows in found.patches.items()
        }
    return sections


def _sheet(maps_KHW: NDArray[np.float32]) -> str:
    maps_KHW, side = maps_KHW[:SHOWN], max(maps_KHW.shape[1:])
    if side > LARGEST:
        rows, columns = (max(1, round(extent * LARGEST / side)) for extent in maps_KHW.shape[1:])
        maps_KHW = np.stack([cv2.resize(one, (columns, rows), interpolation=cv2.INTER_AREA) for one in maps_KHW])
    drawn = sheet(maps_KHW)
    times = max(1, WIDE // max(drawn.shape))
    return _png(np.kron(drawn, np.ones((times, times), np.uint8)))


def _picture(pixels_CHW: NDArray[np.float32]) -> str:
    grey = np.clip(pixels_CHW * 255, 0, 255).astype(np.uint8)
    return _png(grey[0] if len(grey) == 1 else np.ascontiguousarray(grey.transpose(1, 2, 0)[..., ::-1]))


def _png(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()
