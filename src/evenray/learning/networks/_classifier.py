"""The Classifier: a network together with the preprocessing that belongs to its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from evenray.core.errors import UsageError

from ._network import Network
from .description import NetworkDescription

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Images in, logits out: x_NCHW float32 in unit levels (0 black, 1 white; RGB) to logits_NK.

    The mean and deviation of `description`, one a channel in unit levels, are subtracted and divided by before the
    network. `attribution_layer` is the dotted name, inside this module, of the layer whose maps explain a decision.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network, description: NetworkDescription) -> None:
        super().__init__()
        self.network = network
        self.description = description
        for name, values in (("mean", description.mean), ("std", description.std)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1), persistent=False)
        self._frozen: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        return self.description.classes

    @property
    def channels(self) -> int:
        return self.description.channels

    @property
    def size(self) -> int:
        """The side of the images that it was made for."""
        return self.description.size

    @property
    def attribution_layer(self) -> str:
        return f"network.{self.description.attribution_layer}"

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K); UsageError where the channels do not fit."""
        logits: Tensor = self.network(self.normalise(x_NCHW))
        return logits

    def normalise(self, x_NCHW: Tensor) -> Tensor:
        """What the network sees of images in unit levels."""
        if x_NCHW.ndim != 4 or x_NCHW.shape[1] != self.channels:
            raise UsageError(
                f"The images have shape {tuple(x_NCHW.shape)}; this network takes (N, {self.channels}, H, W)."
            )
        return (x_NCHW - self.mean) / self.std

    def features(self, x_NCHW: Tensor) -> Tensor:
        """What the trunk leaves to the head, to cache where the trunk is frozen; `head` makes logits of it."""
        return self.network.pool(self.network.trunk(self.normalise(x_NCHW)))

    def head(self, features: Tensor) -> Tensor:
        """Logits (N, K) from `features`."""
        return self.network.head(features)

    def score_maps(self, x_NCHW: Tensor) -> list[Tensor]:
        """Class scores (N, K, h, w), one a place where the head fits ("dense"); x may be larger than `size`. There is one map, but of
        networks of several kinds one each."""
        return self.network.score_maps(self.normalise(x_NCHW))

    def auxiliary_loss(self, criterion: Callable[[Tensor], Tensor]) -> Tensor | float:
        """The weighted sum of `criterion` over the auxiliary heads of the last training forward pass; 0.0 without any.

        Add it to the loss of the logits: `criterion(model(x)) + model.auxiliary_loss(criterion)`.
        """
        return sum((weight * criterion(logits) for weight, logits in self.network.take_auxiliary()), start=0.0)

    def train(self, mode: bool = True) -> Classifier:
        """As in torch, but what is frozen stays in evaluation (its batch statistics and dropout rest too)."""
        super().train(mode)
        for name in self._frozen:
            self.get_submodule(name).eval()
        return self

    def freeze_modules(self, names: Sequence[str]) -> None:
        """Train everything but the modules of these dotted names; `networks.freeze` chooses them."""
        self._frozen = tuple(names)
        self.requires_grad_(True)
        for name in names:
            self.get_submodule(name).requires_grad_(False)
        self.train(self.training)

    def state(self) -> dict[str, Tensor]:
        """The network's weights by torchvision's names, contiguous, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
