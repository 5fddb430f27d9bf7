"""Networks that have unlearnt: the randomisation tests of Adebayo et al. 2018, "Sanity checks for saliency maps".

A map that stays the same when the weights are noise, or when the labels meant nothing, shows edges of the image, not reasons of the
network.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn

from evenray.learning.augment import Chance
from evenray.learning.networks import Classifier
from evenray.learning.train import Part, Views

from .room import AT_ONCE

__all__ = ["cascade", "likeness", "with_random_labels"]

STEPS, BATCH, RATE = 12, 16, 0.01  # of the output layers on labels that mean nothing
Loss = Callable[[Tensor, Tensor, float], Tensor]


def cascade(model: Classifier, seed: int = 0, sign: int = 1) -> Iterator[tuple[str, Classifier]]:
    """The model with its head, then one block more of its trunk from the top down, as noise; until nothing is learnt any more.

    The weights of convolutions and linear layers are drawn from a normal distribution of the spread that they had, those of the
    output layers times `sign`: of both signs one may resemble the learnt ones by chance. Each step keeps what the steps before it
    have drawn. The names are "head", and the number of the deepest block that is noise.

    >>> from evenray.learning.networks import build
    >>> [name for name, _ in cascade(build("vgg11(width=0.1)", classes=2, channels=1, size=28))]
    ['head', '5', '4', '3', '2', '1']
    """
    other = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    blocks = [(str(n), tuple(block)) for n, block in enumerate(other.network.blocks, 1)]
    for step, names in [("head", tuple(other.network.head_modules)), *reversed(blocks)]:
        if _made_noise(other, names, generator, sign):
            yield step, other


def with_random_labels(
    model: Classifier, part: Part, loss: Loss, seed: int = 0, sign: int = 1, views: Views | None = None
) -> Classifier:
    """The model with a head that knows nothing but the labels (masks, boxes) of other images.

    The labels of the `part` are dealt out anew among its images, so that shares of classes stay and what they say of an
    image is gone. The head becomes noise, as in the `cascade`, and its output layers are learnt in 12 steps of Adam on batches of
    16, of large images on as few as have AT_ONCE pixels; with `views` on patches of images, as in training. The trunk stays as it
    is, so that a step costs little more than a forward pass: to train the whole network on such labels, as Adebayo et al. do, takes
    as long as the training itself.
    """
    other = copy.deepcopy(model).eval().requires_grad_(False)
    device, rng = other.mean.device, np.random.default_rng(seed)
    _made_noise(other, other.network.head_modules, torch.Generator().manual_seed(seed), sign)
    learnt: list[nn.Parameter] = []
    for name in other.network.outputs:
        for parameter in other.network.get_submodule(name).parameters():
            parameter.requires_grad_(True)
            learnt.append(parameter)
    optimiser, dealt = torch.optim.Adam(learnt, RATE), rng.permutation(len(part))
    pixels = views.size**2 if views else part.inputs(np.arange(1), device)[0, 0].numel()
    each = min(BATCH, len(part), max(1, AT_ONCE // pixels))
    for step in range(STEPS):
        which = rng.choice(len(part), each, replace=False)
        if views is None:
            x, answers = part.inputs(which, device), part.answers(dealt[which], device)
        else:
            x, answers = _patches(part, which, dealt[which], Chance.of([seed, step], each), views, device)
        with torch.enable_grad():
            lost = loss(other(x), answers, step / STEPS)
        optimiser.zero_grad()
        lost.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return other.requires_grad_(False)


def _patches(
    part: Part, which: NDArray[np.int64], dealt: NDArray[np.int64], chance: Chance, views: Views, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Patches of images with the answers of others, one image at a time."""
    found = []
    for i in range(len(which)):
        one = slice(i, i + 1)
        found.append(
            part.changed(part.inputs(which[one], device), part.answers(dealt[one], device), chance[one], views)
        )
    x, answers = (torch.cat(each) for each in zip(*found, strict=True))
    return x, answers


def _made_noise(model: Classifier, names: Sequence[str], generator: torch.Generator, sign: int) -> bool:
    """Whether any module of these names, or in them, had weights to draw anew."""
    network, found = model.network, False
    for name, layer in network.named_modules():
        inside = any(name == each or name.startswith(f"{each}.") for each in names)
        if inside and isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            weight, found = layer.weight, True
            spread = float(weight.detach().float().std()) if weight.numel() > 1 else 1.0
            drawn = torch.randn(weight.shape, generator=generator) * spread
            with torch.no_grad():
                weight.copy_(drawn * (sign if name in network.outputs else 1))
    return found


def likeness(first_NHW: NDArray[np.float32], second_NHW: NDArray[np.float32]) -> NDArray[np.float64]:
    """Spearman's rank correlation of two maps of each image, float64 (N,); a constant map is like nothing.

    >>> ramp = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    >>> likeness(ramp, ramp**2), likeness(ramp, np.zeros_like(ramp))
    (array([1.]), array([0.]))
    """
    found = []
    for a, b in zip(first_NHW, second_NHW, strict=True):
        constant = np.ptp(a) == 0 or np.ptp(b) == 0
        found.append(0.0 if constant else float(stats.spearmanr(a, b, axis=None).statistic))
    return np.array(found)
