"""What the layers of a network hold and make: filters, feature maps, and the patches that excite a channel most."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from captum.attr import LayerActivation
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.errors import UsageError
from evenray.learning.networks import Classifier
from evenray.learning.networks.anatomy import Sight, anatomy

__all__ = [
    "Patch", "activations", "all_exciting_patches", "evaluating", "exciting_patches", "feature_maps", "filters", "layer_named",
    "sheet",
]  # fmt: skip


@dataclass(frozen=True)
class Patch:
    """A part of an image: the index of the image, the box (top, left, bottom, right) in pixels, bottom and right
    exclusive and cut at the image's border, the channel's value there, and the pixels (C, h, w)."""

    image: int
    box: tuple[int, int, int, int]
    value: float
    pixels: NDArray[np.float32]


def filters(model: Classifier, layer: str) -> NDArray[np.float32]:
    """The filters of a convolution by its name in the network (features.0): float32 (out, in, kh, kw).

    >>> from evenray.learning.networks import build
    >>> filters(build("vgg11(width=0.1)", classes=2, channels=1, size=28), "features.0").shape
    (6, 1, 3, 3)
    """
    module = layer_named(model, layer)
    if not isinstance(module, nn.Conv2d):
        raise UsageError(f"'{layer}' is a {type(module).__name__}; only a convolution has filters.")
    weights: NDArray[np.float32] = module.weight.detach().cpu().float().numpy()
    return weights


def feature_maps(model: Classifier, x_NCHW: Tensor, layer: str) -> NDArray[np.float32]:
    """What a layer makes of images: float32 (N, C, H, W), or (N, D) behind a linear layer. The model is in evaluation.

    >>> import torch
    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> feature_maps(model, torch.zeros(2, 1, 28, 28), "features.2").shape
    (2, 6, 14, 14)
    """
    return activations(model, x_NCHW, [layer])[layer]


def activations(
    model: Classifier, x_NCHW: Tensor, layers: Iterable[str], *, entering: bool = False
) -> dict[str, NDArray[np.float32]]:
    """The `feature_maps` of several layers in one pass, or what is `entering` them."""
    names = list(layers)
    modules = [layer_named(model, name) for name in names]
    with evaluating(model):
        found = LayerActivation(model, modules).attribute(x_NCHW, attribute_to_layer_input=entering)
    return {name: maps.cpu().float().numpy() for name, maps in zip(names, found, strict=True)}


@contextmanager
def evaluating(model: Classifier) -> Iterator[None]:
    """The model in evaluation meanwhile, then as it was."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def sheet(pictures_KHW: NDArray[np.float32], *, columns: int | None = None) -> NDArray[np.uint8]:
    """Feature maps, filters or patches of one size, (K, H, W), on one grey picture: each from its own darkest (0) to
    its own brightest value (255), a pixel of white between them, about as wide as high.

    >>> sheet(np.zeros((6, 3, 3), np.float32)).shape
    (7, 11)
    """
    count, height, width = pictures_KHW.shape
    columns = columns or math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), 255, np.uint8)
    for i, picture in enumerate(pictures_KHW):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        span = float(np.ptp(picture)) or 1.0
        canvas[top : top + height, left : left + width] = (picture - picture.min()) / span * 255
    return canvas


def exciting_patches(
    model: Classifier, batches: Iterable[Tensor], layer: str, channel: int, *, top: int = 9
) -> list[Patch]:
    """The patches that excite one channel of a layer most, strongest first, at most one an image.

    `batches` are x_NCHW; only the best patches are kept in memory. The patch is the receptive field of the strongest
    value (Zeiler & Fergus 2014, section 4, show such patches beside their reconstructions).
    """
    return all_exciting_patches(model, batches, {layer: [channel]}, top=top)[layer, channel]


def all_exciting_patches(
    model: Classifier, batches: Iterable[Tensor], wanted: Mapping[str, Sequence[int]], *, top: int = 9
) -> dict[tuple[str, int], list[Patch]]:
    """`exciting_patches` of several channels of several layers, (layer, channel) -> patches, in one pass over the images."""
    sights = {layer: _sight(model, layer) for layer in wanted}
    best: dict[tuple[str, int], list[tuple[float, int, Patch]]] = {(n, c): [] for n, cs in wanted.items() for c in cs}
    seen = 0
    for x_NCHW in batches:
        maps = activations(model, x_NCHW, wanted)
        for (layer, channel), kept in best.items():
            if maps[layer].ndim != 4 or not 0 <= channel < maps[layer].shape[1]:
                raise UsageError(
                    f"'{layer}' has no channel {channel}; it has {maps[layer].shape[1]}, of {maps[layer].ndim - 2} dimensions."
                )
            for image, map_HW in enumerate(maps[layer][:, channel]):
                patch = _strongest(map_HW, x_NCHW[image], seen + image, sights[layer])
                entry = (patch.value, -patch.image, patch)
                if len(kept) < top:
                    heapq.heappush(kept, entry)
                elif entry > kept[0]:
                    heapq.heapreplace(kept, entry)
        seen += len(x_NCHW)
    return {key: [patch for _, _, patch in sorted(kept, reverse=True)] for key, kept in best.items()}


def layer_named(model: Classifier, layer: str) -> nn.Module:
    """The module of that name in the network; UsageError lists the names there are."""
    modules: dict[str, nn.Module] = {name: module for name, module in model.network.named_modules() if name}
    name = layer.removeprefix("network.")
    if name not in modules:
        leaves = [name for name, module in modules.items() if not list(module.children())]
        raise UsageError(f"The network has no layer '{layer}'; it has {', '.join(leaves)}.")
    return modules[name]


def _sight(model: Classifier, layer: str) -> Sight:
    name = layer.removeprefix("network.")
    inside = [row for row in anatomy(model) if row.name == name or row.name.startswith(f"{name}.")]
    sights = [row.sight for row in inside if row.sight is not None]
    if not sights:
        raise UsageError(f"'{layer}' makes no maps, so no patch of the image belongs to its values.")
    return max(sights, key=lambda sight: sight.field)


def _strongest(map_HW: NDArray[np.float32], x_CHW: Tensor, image: int, sight: Sight) -> Patch:
    row, column = (int(i) for i in np.unravel_index(int(map_HW.argmax()), map_HW.shape))
    top, left = (sight.start + i * sight.jump for i in (row, column))
    height, width = x_CHW.shape[-2:]
    box = (max(0, top), max(0, left), min(height, top + sight.field), min(width, left + sight.field))
    pixels = x_CHW[:, box[0] : box[2], box[1] : box[3]].detach().cpu().float().numpy().copy()
    return Patch(image, box, float(map_HW[row, column]), pixels)
