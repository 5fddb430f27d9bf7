"""Several networks of one kind as one: its answer is the mean of their probabilities.

It is a Network like any other, so what predicts, looks densely, exports or explains needs to know nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError

from ._classifier import Classifier
from ._network import Network
from .output import Output, as_classes, as_outputs

__all__ = ["Averaged", "average", "mean_of", "mean_of_boxes"]


class Averaged(Network):
    """The members' maps and features side by side, and logits that lead to the mean of their probabilities."""

    def __init__(self, networks: Sequence[Network], output: Output = "softmax") -> None:
        super().__init__()
        self.output: Output = output
        self.of_pixels = networks[0].of_pixels
        self.members = nn.ModuleList(networks)
        self.blocks = [
            [f"members.{i}.{name}" for i, one in enumerate(networks) for name in one.blocks[depth]]
            for depth in range(len(networks[0].blocks))
        ]
        self.head_modules, self.outputs, self.activations = (
            tuple(f"members.{i}.{name}" for i, one in enumerate(networks) for name in getattr(one, names))
            for names in ("head_modules", "outputs", "activations")
        )

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([one.trunk(x_NCHW) for one in self.each], 1)

    def pool(self, map_NCHW: Tensor) -> Tensor:
        return torch.cat([one.pool(part) for one, part in self._shared(map_NCHW)], 1)

    def head(self, features: Tensor) -> Tensor:
        return mean_of([one.head(part) for one, part in self._shared(features)], self.output)

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return mean_of([one.score_map(part) for one, part in self._shared(map_NCHW)], self.output)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return mean_of([one(x_NCHW) for one in self.each], self.output)

    @property
    def each(self) -> list[Network]:
        return [one for one in self.members if isinstance(one, Network)]

    def _shared(self, x: Tensor) -> list[tuple[Network, Tensor]]:
        """Every member with its part of what stands side by side."""
        return list(zip(self.each, x.chunk(len(self.members), 1), strict=True))


def mean_of(logits: Sequence[Tensor], output: Output) -> Tensor:
    """Logits that lead to the mean of the probabilities of several."""
    if output == "boxes":
        return mean_of_boxes(logits)
    said = [as_classes(one, output).log_softmax(1) for one in logits]
    return as_outputs(torch.stack(said).logsumexp(0) - math.log(len(logits)), output)


def mean_of_boxes(answers: Sequence[Tensor]) -> Tensor:
    """Several answers (N, A, 8 + 1 + K) about the same default boxes as one: the mean of their offsets and of their log-odds.

    So boxes are averaged before any is suppressed: default boxes say which of them are about the same place, for which fusing
    finished boxes has to guess by their overlap (Solovyev et al. 2021, weighted boxes fusion; Casado-Garcia & Heras 2020).
    """
    return torch.stack(list(answers)).mean(0)


def average(models: Sequence[Classifier]) -> Classifier:
    """One Classifier of several that `build` made alike, from different seeds; of one, itself.

    >>> from evenray.learning.networks import build
    >>> made = [build("vgg11(width=0.1)", classes=2, channels=1, size=28, seed=seed) for seed in (1, 2)]
    >>> x = torch.rand(3, 1, 28, 28)
    >>> mean = (made[0].eval()(x).softmax(1) + made[1].eval()(x).softmax(1)) / 2
    >>> torch.allclose(average(made).eval()(x).softmax(1), mean)
    True
    """
    first = models[0]
    if len(models) == 1:
        return first
    alike = ("spec", "classes", "channels", "size", "grey", "mean", "std", "output")
    for other in models[1:]:
        differ = [name for name in alike if getattr(other.description, name) != getattr(first.description, name)]
        if differ:
            raise UsageError(f"The networks to average differ in their {differ[0]}.")
    about = first.description.model_copy(update={
        "members": len(models), "parameters": sum(model.description.parameters for model in models),
        "attribution_layer": f"members.0.{first.description.attribution_layer}",
    })  # fmt: skip
    return Classifier(Averaged([model.network for model in models], about.output), about)
