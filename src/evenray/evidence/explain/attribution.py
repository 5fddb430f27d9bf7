"""Attribution: which pixels a decision came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge, Le
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.core.errors import UsageError
from evenray.core.registry import Registry
from evenray.learning.networks import Classifier, members

from .layers import evaluating

__all__ = ["attribute", "attributions", "gradcam", "integrated_gradients", "occlusion"]

NAMES = ("gradcam", "integrated_gradients", "occlusion")
attributions = Registry(
    "attribution", {name: f"evenray.evidence.explain.attribution:{name}" for name in NAMES}, context=3
)


def attribute(
    model: Classifier, x_NCHW: Tensor, target: int | Sequence[int] | Tensor, method: str = "gradcam"
) -> NDArray[np.float32]:
    """How much each pixel spoke for the class `target` (one index, or one an image): maps (N, H, W) float32, 0 to 1.

    Each map is scaled by its own maximum; what speaks against the class is 0. `method` is a spec: `gradcam`,
    `integrated_gradients(steps=32)`, `occlusion(window=0.15)`. Raises UsageError for a class that does not exist.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> attribute(model, torch.rand(3, 1, 28, 28), target=1).shape
    (3, 28, 28)
    """
    targets = torch.as_tensor(target).expand(len(x_NCHW)).long()
    if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < model.classes:
        raise UsageError(f"The target is {target}; the model has the classes 0 to {model.classes - 1}.")
    chosen = attributions.bind(method)
    with evaluating(model):
        raw_NHW = chosen(model, x_NCHW, targets).detach()
    positive = raw_NHW.clamp(min=0)
    peak = positive.amax((1, 2), keepdim=True)
    maps: NDArray[np.float32] = (positive / torch.where(peak > 0, peak, 1)).cpu().numpy().astype(np.float32)
    return maps


def gradcam(model: Classifier, x_NCHW: Tensor, targets: Tensor, layer: str | None = None) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017): the maps of `layer` weighted by the mean gradient of the class score.

    `layer` is a dotted name inside the model; by default its attribution layer. Of an average of networks that is the mean
    of the maps of all of them.
    """
    if layer is None and len(several := members(model)) > 1:
        return torch.stack([gradcam(one, x_NCHW, targets) for one in several]).mean(0)
    try:
        module = model.get_submodule(layer or model.attribution_layer)
    except AttributeError:
        raise UsageError(
            f"The model has no layer '{layer}'; its attribution layer is {model.attribution_layer}."
        ) from None
    with torch.enable_grad():
        found = LayerGradCam(model, module).attribute(_leaf(x_NCHW), targets, relu_attributions=True)
    upsampled = functional.interpolate(found, x_NCHW.shape[-2:], mode="bilinear", align_corners=False)
    return upsampled[:, 0]


def integrated_gradients(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, steps: Annotated[int, Ge(2), Le(1000)] = 32
) -> Tensor:
    """Integrated gradients (Sundararajan et al. 2017) from black to the image, summed over channels."""
    method = IntegratedGradients(model)
    with torch.enable_grad():
        found: Tensor = method.attribute(_leaf(x_NCHW), target=targets, n_steps=steps, internal_batch_size=len(x_NCHW))
    return found.sum(1)


def occlusion(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, window: Annotated[float, Ge(0.02), Le(1)] = 0.15
) -> Tensor:
    """Occlusion (Zeiler & Fergus 2014): how far the class score falls when a grey square covers the place.

    `window` is the side of the square as a share of the image; squares overlap by half.
    """
    height, width, channels = *x_NCHW.shape[-2:], x_NCHW.shape[1]
    sides = (channels, max(1, round(height * window)), max(1, round(width * window)))
    strides = (channels, max(1, sides[1] // 2), max(1, sides[2] // 2))
    with torch.no_grad():
        found: Any = Occlusion(model).attribute(x_NCHW, sides, strides, baselines=0.5, target=targets)
    summed: Tensor = found.sum(1)
    return summed


def _leaf(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.detach().clone().requires_grad_(True)
