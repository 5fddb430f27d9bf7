"""Classifiers of different kinds, sizes and preprocessing as one: its answer is the mean of their probabilities.

A network from scratch at a small size and a head on a trunk that was trained on photographs err on different images. Each
resizes the image for itself, as images are prepared from files (data/letterbox.py): averaged over areas where it gets smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.errors import UsageError

from ._classifier import Classifier
from ._network import Network
from .averaged import mean_of
from .output import Output

__all__ = ["INSIDE", "Mixed", "Part", "mix", "part_of", "resampled"]

INSIDE = "classifier.network."


class Part(Network):
    """A classifier as a network for images of another side in unit levels: resized by the ratio of both sides, and normalised."""

    def __init__(self, classifier: Classifier, size: int) -> None:
        super().__init__()
        self.classifier, self.ratio = classifier, classifier.size / size
        inner = classifier.network
        self.blocks = [[f"{INSIDE}{name}" for name in block] for block in inner.blocks]
        self.head_modules, self.outputs, self.activations = (
            [f"{INSIDE}{name}" for name in getattr(inner, names)]
            for names in ("head_modules", "outputs", "activations")
        )

    @property
    def attributed(self) -> Sequence[str]:
        return [f"{INSIDE}{name}" for name in self.classifier.network.attributed]

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        return self.classifier.network.trunk(self._own(x_NCHW))

    def pool(self, map_NCHW: Tensor) -> Tensor:
        return self.classifier.network.pool(map_NCHW)

    def head(self, features: Tensor) -> Tensor:
        return self.classifier.network.head(features)

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return self.classifier.network.score_map(map_NCHW)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.classifier.network(self._own(x_NCHW))
        return logits

    def _own(self, x_NCHW: Tensor) -> Tensor:
        return self.classifier.normalise(resampled(x_NCHW, self.ratio))


class Mixed(Network):
    """Parts that share nothing but the image and the classes."""

    def __init__(self, parts: Sequence[Part], output: Output) -> None:
        super().__init__()
        self.output: Output = output
        self.members = nn.ModuleList(parts)
        depth = max(len(part.blocks) for part in parts)
        self.blocks = [  # the last block of each beside the last of the others
            [f"members.{i}.{name}" for i, part in enumerate(parts) for name in ([[]] * depth + [*part.blocks])[-level]]
            for level in range(depth, 0, -1)
        ]
        self.head_modules, self.outputs, self.activations = (
            [f"members.{i}.{name}" for i, part in enumerate(parts) for name in getattr(part, names)]
            for names in ("head_modules", "outputs", "activations")
        )

    @property
    def parts(self) -> list[Part]:
        return [part for part in self.members if isinstance(part, Part)]

    def score_maps(self, x_NCHW: Tensor) -> list[Tensor]:
        return [scores for part in self.parts for scores in part.score_maps(x_NCHW)]

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return mean_of([part(x_NCHW) for part in self.parts], self.output)


def mix(models: Sequence[Classifier], size: int) -> Classifier:
    """One Classifier of several for the same classes and channels, for images (channels, size, size).

    >>> from evenray.learning.networks import build
    >>> small, large = (build("vgg11(width=0.1)", classes=2, channels=1, size=size).eval() for size in (28, 56))
    >>> x = torch.rand(3, 1, 56, 56)
    >>> mean = (small(resampled(x, 0.5)).softmax(1) + large(x).softmax(1)) / 2
    >>> torch.allclose(mix([small, large], 56).eval()(x).softmax(1), mean, atol=1e-6)
    True
    """
    first = models[0].description
    for other in models[1:]:
        for name in ("classes", "channels", "output"):
            if getattr(other.description, name) != getattr(first, name):
                raise UsageError(f"The networks to average differ in their {name}.")
    about = first.model_copy(update={
        "size": size, "mean": (0.0,) * first.channels, "std": (1.0,) * first.channels, "members": 1, "grey": False,
        "attribution_layer": f"members.0.{INSIDE}{first.attribution_layer}",
        "parameters": sum(model.description.parameters for model in models),
        "parts": tuple(model.description for model in models),
    })  # fmt: skip
    return Classifier(Mixed([Part(model, size) for model in models], first.output), about)


def part_of(part: Part, whole: Classifier) -> Classifier:
    """A member of a mix by itself, for the images of the mix: to look into, not to be saved."""
    own = part.classifier.description
    about = whole.description.model_copy(update={
        "spec": own.spec, "parameters": own.parameters, "pretrained": own.pretrained, "parts": (own,),
        "attribution_layer": f"{INSIDE}{own.attribution_layer}",
    })  # fmt: skip
    return Classifier(part, about)


def resampled(x_NCHW: Tensor, ratio: float) -> Tensor:
    """Images made `ratio` times as large along both sides, as OpenCV resizes them: by areas where that is smaller, else linearly.

    >>> resampled(torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]]), 0.5)
    tensor([[[[4.]]]])
    """
    if ratio == 1:
        return x_NCHW
    with torch.autocast(x_NCHW.device.type, enabled=False):  # in bfloat16 neighbouring grey levels are one
        down, across = (
            torch.from_numpy(_weights(side, max(1, round(side * ratio)))).to(x_NCHW) for side in x_NCHW.shape[-2:]
        )
        return down @ x_NCHW @ across.T


@lru_cache(maxsize=16)
def _weights(before: int, after: int) -> NDArray[np.float32]:
    """(after, before): how much each pixel of a line counts in each of the resized line."""
    how = cv2.INTER_AREA if after < before else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.eye(before, dtype=np.float32), (before, after), interpolation=how))
