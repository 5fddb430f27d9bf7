"""Attribution: which pixels a decision came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge, Le
from captum.attr import IntegratedGradients, LayerGradCam, LayerGradientXActivation, Occlusion
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from evenray.core.errors import UsageError
from evenray.core.registry import Registry
from evenray.core.spec import Step
from evenray.learning.networks import Classifier, members

from .answers import Answers, classes_of, focus_of
from .layers import evaluating

__all__ = [
    "attribute", "attributions", "gradcam", "gradcam_plus_plus", "integrated_gradients", "layer_attribution", "layer_of", "occlusion",
    "raw_attribution",
]  # fmt: skip

NAMES = ("gradcam", "gradcam_plus_plus", "layer_attribution", "integrated_gradients", "occlusion")
attributions = Registry(
    "attribution", {name: f"evenray.evidence.explain.attribution:{name}" for name in NAMES}, context=4
)
TOGETHER = 64  # images of 64 x 64 that go through the network at once


def attribute(
    model: Classifier, x_NCHW: Tensor, target: int | Sequence[int] | Tensor, method: str = "gradcam"
) -> NDArray[np.float32]:
    """How much each pixel spoke for the class `target` (one index, or one an image): maps (N, H, W) float32, 0 to 1.

    Each map is scaled by its own maximum; what speaks against the class is 0. `method` is a spec: `gradcam`,
    `gradcam_plus_plus`, `layer_attribution(layer='network.features.9')`, `integrated_gradients(steps=32)`, `occlusion(window=0.15)`.
    What is explained of masks and boxes stands in answers.py. Raises UsageError for a class that does not exist.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> attribute(model, torch.rand(3, 1, 28, 28), target=1).shape
    (3, 28, 28)
    """
    raw_NHW = raw_attribution(model, x_NCHW, target, method)
    positive = raw_NHW.clamp(min=0)
    peak = positive.amax((1, 2), keepdim=True)
    maps: NDArray[np.float32] = (positive / torch.where(peak > 0, peak, 1)).cpu().numpy().astype(np.float32)
    return maps


def raw_attribution(
    model: Classifier, x_NCHW: Tensor, target: int | Sequence[int] | Tensor, method: str = "gradcam"
) -> Tensor:
    """The maps of `attribute` as the method makes them, (N, H, W): neither cut at 0 nor scaled."""
    targets = torch.as_tensor(target, device=x_NCHW.device).expand(len(x_NCHW)).long()
    if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < classes_of(model):
        raise UsageError(f"The target is {target}; the model has the classes 0 to {classes_of(model) - 1}.")
    chosen = attributions.bind(method)
    each = max(1, TOGETHER * 64 * 64 // (x_NCHW.shape[-1] * x_NCHW.shape[-2]))
    found = []
    with evaluating(model):
        for first in range(0, len(x_NCHW), each):
            x, own = x_NCHW[first : first + each], targets[first : first + each]
            found.append(chosen(model, x, own, focus_of(model, x, own)).detach())
    return torch.cat(found)


def gradcam(model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor, layer: str | None = None) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017): the maps of `layer` weighted by the mean gradient of the class score.

    `layer` is a dotted name inside the model; by default its attribution layer. Of an average of networks that is the mean
    of the maps of all of them.
    """

    def one(answers: Answers, module: nn.Module) -> Tensor:
        method = LayerGradCam(answers, module)
        found: Tensor = method.attribute(
            _leaf(x_NCHW), targets, additional_forward_args=(focus_NP,), relu_attributions=True
        )
        return found

    return _at_layer(model, layer, x_NCHW, one)


def gradcam_plus_plus(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor, layer: str | None = None
) -> Tensor:
    """Grad-CAM++ (Chattopadhyay et al. 2018): each channel's weight is the mean of its positive gradients, each by how much it
    alone would explain (equation 19, the score under an exponential), so that several objects of a class all count.
    """

    def one(answers: Answers, module: nn.Module) -> Tensor:
        maps_NCHW, gradient = _maps_and_gradient(answers, module, x_NCHW, targets, focus_NP)
        below = 2 * gradient**2 + maps_NCHW.sum((2, 3), keepdim=True) * gradient**3
        alpha = gradient**2 / torch.where(below != 0, below, 1)
        weights = (alpha * gradient.clamp(min=0)).sum((2, 3), keepdim=True)
        return (weights * maps_NCHW).sum(1, keepdim=True).clamp(min=0)

    return _at_layer(model, layer, x_NCHW, one)


def layer_attribution(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor, layer: str | None = None
) -> Tensor:
    """Gradient times activation at a layer, summed over its channels: at the last convolution before an average and one linear layer
    exactly what each place adds to the score (HiResCAM, Draelos & Carin 2020)."""

    def one(answers: Answers, module: nn.Module) -> Tensor:
        method = LayerGradientXActivation(answers, module)
        found: Any = method.attribute(_leaf(x_NCHW), targets, additional_forward_args=(focus_NP,))
        summed: Tensor = found.sum(1, keepdim=True)
        return summed

    return _at_layer(model, layer, x_NCHW, one)


def integrated_gradients(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor, steps: Annotated[int, Ge(2), Le(1000)] = 32
) -> Tensor:
    """Integrated gradients (Sundararajan et al. 2017) from black to the image, summed over channels."""
    method = IntegratedGradients(Answers(model))
    with torch.enable_grad():
        found: Tensor = method.attribute(
            _leaf(x_NCHW), target=targets, additional_forward_args=(focus_NP,), n_steps=steps,
            internal_batch_size=len(x_NCHW),
        )  # fmt: skip
    return found.sum(1)


def occlusion(
    model: Classifier, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor, window: Annotated[float, Ge(0.02), Le(1)] = 0.15
) -> Tensor:  # fmt: skip
    """Occlusion (Zeiler & Fergus 2014): how far the class score falls when a grey square covers the place.

    `window` is the side of the square as a share of the image; squares overlap by half.
    """
    height, width, channels = *x_NCHW.shape[-2:], x_NCHW.shape[1]
    sides = (channels, max(1, round(height * window)), max(1, round(width * window)))
    strides = (channels, max(1, sides[1] // 2), max(1, sides[2] // 2))
    with torch.no_grad():
        found: Any = Occlusion(Answers(model)).attribute(
            x_NCHW, sides, strides, baselines=0.5, target=targets, additional_forward_args=(focus_NP,)
        )
    summed: Tensor = found.sum(1)
    return summed


def layer_of(model: Classifier, method: str) -> str:
    """The layer whose maps a method takes, "" where it takes none.

    >>> from evenray.learning.networks import build
    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> layer_of(model, "gradcam"), layer_of(model, "occlusion")
    ('network.features.9', '')
    """
    name = Step.of(method).name
    if "layer" not in attributions.parameters(name):
        return ""
    chosen: str | None = attributions.bind(method).keywords.get("layer")
    return chosen or model.attribution_layer


def _at_layer(
    model: Classifier, layer: str | None, x_NCHW: Tensor, one: Callable[[Answers, nn.Module], Tensor]
) -> Tensor:
    """What a method makes (N, 1, h, w) of the maps of a layer, enlarged to the image; of an average, the mean over its members."""
    if layer is None and len(several := members(model)) > 1:
        return torch.stack([_at_layer(member, None, x_NCHW, one) for member in several]).mean(0)
    try:
        module = model.get_submodule(layer or model.attribution_layer)
    except AttributeError:
        raise UsageError(
            f"The model has no layer '{layer}'; its attribution layer is {model.attribution_layer}."
        ) from None
    with torch.enable_grad():
        small = one(Answers(model), module)
    if small.ndim != 4:
        raise UsageError(f"The layer '{layer}' makes no maps; name a convolution or the activation after it.")
    return functional.interpolate(small, x_NCHW.shape[-2:], mode="bilinear", align_corners=False)[:, 0]


def _maps_and_gradient(
    answers: Answers, module: nn.Module, x_NCHW: Tensor, targets: Tensor, focus_NP: Tensor
) -> tuple[Tensor, Tensor]:
    """What a layer makes of images, and the gradient of each image's target score by it."""
    kept: list[Tensor] = []

    def keep(layer: nn.Module, given: Any, made: Tensor) -> Tensor:
        kept.append(made)
        return made.clone()  # what comes behind may write over its input

    handle = module.register_forward_hook(keep)
    try:
        scores_NK = answers(_leaf(x_NCHW), focus_NP)
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(scores_NK.gather(1, targets[:, None]).sum(), kept[-1])
    return kept[-1].detach(), gradient


def _leaf(x_NCHW: Tensor) -> Tensor:
    return x_NCHW.detach().clone().requires_grad_(True)
