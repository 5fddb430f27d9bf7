"""All that can be shown of the layers of one network on the user's own images, as plain values for a page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.learning.networks import Classifier
from evenray.learning.networks.anatomy import anatomy, totals
from evenray.learning.networks.figure import figure

from .convolution import convolution_step
from .drawing import draw_step
from .layers import Patch, all_exciting_patches, feature_maps, filters, layer_named, sheet

__all__ = ["inside"]

SHOWN = 64  # channels on one sheet
CHANNELS, PATCHES = 6, 9
LEAST = 3  # pixels; smaller maps are no pictures
LARGEST = 112  # pixels of a map on a sheet; larger ones are drawn smaller
WIDE = 480  # pixels of a sheet at most before it is shown at its own size


def inside(model: Classifier, x_NCHW: Tensor | None, *, batch: int = 16) -> dict[str, Any]:
    """The table and the figure of a network; with images, also a convolution explained on the first of them, filters,
    feature maps, and, where there are several images, the patches that excite channels most.

    Pictures are SVG, or PNG as base64 text. What an image is needed for is absent without one.

    >>> import torch
    >>> from evenray.learning.networks import build
    >>> sorted(inside(build("vgg11(width=0.1)", classes=2, channels=1, size=28), torch.rand(2, 1, 28, 28)))
    ['anatomy', 'convolution', 'filters', 'maps', 'patches']
    """
    convolutions = [n for n, layer in model.network.named_modules() if isinstance(layer, nn.Conv2d)]
    convolutions = [name for name in convolutions if not name.startswith("aux")]
    found: dict[str, Any] = {"anatomy": _anatomy(model)}
    found["filters"] = _filters(model, convolutions[0])
    if x_NCHW is None:
        return found
    found["convolution"] = [_step(model, x_NCHW, name) for name in dict.fromkeys((convolutions[0], convolutions[1]))]
    stages = _stages(model, x_NCHW)
    found["maps"] = [_maps(name, maps_CHW) for name, maps_CHW in stages]
    if len(x_NCHW) > 1:
        found["patches"] = _patches(model, x_NCHW, stages, batch)
    return found


def _anatomy(model: Classifier) -> dict[str, Any]:
    layers = anatomy(model)
    rows = [
        {"name": layer.name, "kind": layer.kind, "kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding,
         "output": list(layer.output), "parameters": layer.parameters, "multiply_adds": layer.multiply_adds,
         "activation_bytes": layer.activation_bytes, "field": layer.sight and layer.sight.field,
         "jump": layer.sight and layer.sight.jump}
        for layer in layers
    ]  # fmt: skip
    return {"rows": rows, "totals": totals(layers), "figure": figure(model)}


def _stages(model: Classifier, x_NCHW: Tensor) -> list[tuple[str, NDArray[np.float32]]]:
    """The last activation of every block whose maps are pictures, with what the first image makes there."""
    found = []
    for block in model.network.blocks:
        inside = tuple(f"{name}." for name in block)
        names = [name for name in model.network.activations if name in block or name.startswith(inside)]
        if names:
            maps = feature_maps(model, x_NCHW[:1], names[-1])[0]
            if maps.ndim == 3 and min(maps.shape[1:]) >= LEAST:
                found.append((names[-1], maps))
    return found


def _step(model: Classifier, x_NCHW: Tensor, name: str) -> dict[str, Any]:
    """The strongest place of the channel that answers most on the image."""
    maps_CHW = feature_maps(model, x_NCHW[:1], name)[0]
    channel = int(maps_CHW.max((1, 2)).argmax())
    step = convolution_step(model, x_NCHW, name, channel)
    about = {"layer": name, "stride": step.stride, "padding": step.padding, "kernel": list(step.weights.shape[1:])}
    return about | {"channel": channel, "svg": draw_step(step)}


def _filters(model: Classifier, name: str) -> dict[str, Any]:
    """The first layer's filters; of colour ones the mean of their channels is drawn."""
    weights = filters(model, name)
    drawn = weights.mean(1) if weights.shape[1] > 1 else weights[:, 0]
    module = layer_named(model, name)
    assert isinstance(module, nn.Conv2d)
    return {"layer": name, "count": len(weights), "shape": list(weights.shape[1:]), "picture": _sheet(drawn[:SHOWN])}


def _maps(name: str, maps_CHW: NDArray[np.float32]) -> dict[str, Any]:
    silent = int((maps_CHW.max((1, 2)) <= 0).sum())
    return {
        "layer": name,
        "shape": list(maps_CHW.shape),
        "silent": silent,
        "picture": _sheet(_shrunk(maps_CHW[:SHOWN])),
    }


def _shrunk(maps_CHW: NDArray[np.float32]) -> NDArray[np.float32]:
    side = max(maps_CHW.shape[1:])
    if side <= LARGEST:
        return maps_CHW
    rows, columns = (max(1, round(extent * LARGEST / side)) for extent in maps_CHW.shape[1:])
    return np.stack([cv2.resize(one, (columns, rows), interpolation=cv2.INTER_AREA) for one in maps_CHW])


def _patches(
    model: Classifier, x_NCHW: Tensor, stages: Sequence[tuple[str, NDArray[np.float32]]], batch: int
) -> list[dict[str, Any]]:
    """Of the channels that answer most on the first image: the patches of all images that excite them most."""
    wanted = {name: np.argsort(-maps.max((1, 2)), kind="stable")[:CHANNELS].tolist() for name, maps in stages}
    batches = (x_NCHW[start : start + batch] for start in range(0, len(x_NCHW), batch))
    best = all_exciting_patches(model, batches, wanted, top=PATCHES)
    return [
        {"layer": name, "rows": [{"channel": c, "patches": [_shown(p) for p in best[name, c]]} for c in channels]}
        for name, channels in wanted.items()
    ]


def _shown(patch: Patch) -> dict[str, Any]:
    return {"image": patch.image, "value": patch.value, "picture": _picture(patch.pixels)}


def _picture(pixels_CHW: NDArray[np.float32]) -> str:
    grey = np.clip(pixels_CHW * 255, 0, 255).astype(np.uint8)
    return _png(grey[0] if len(grey) == 1 else np.ascontiguousarray(grey.transpose(1, 2, 0)[..., ::-1]))


def _sheet(pictures_KHW: NDArray[np.float32]) -> str:
    drawn = sheet(pictures_KHW)
    times = max(1, WIDE // max(drawn.shape))
    return _png(np.kron(drawn, np.ones((times, times), np.uint8)))


def _png(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()
