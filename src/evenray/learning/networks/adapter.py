"""Any network of torchvision or timm, by its name there, where the package is installed: `timm(resnet50)`.

The package builds and initialises it, seeded; its last linear layer becomes ours. Attribution goes to its last
convolution whose map is wide enough, freezing follows its top-level modules, dense evaluation is one look at the whole
image. Weights come from models of this package, or from a file with the package's own names ('evenray weights import').
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evenray.core.errors import MissingExtra, UsageError

from ._network import Network

__all__ = ["Adapted", "timm", "torchvision"]


def torchvision(classes: int, channels: int, size: int, name: str) -> Adapted:
    """A network of `torchvision.models`, from scratch."""
    models = _package("torchvision.models", name)
    _check_known(name, "torchvision", models.list_models())

    def make() -> tuple[nn.Module, int]:
        body = models.get_model(name, weights=None)
        return body, _cut_last_linear(body)

    return Adapted(make, classes, channels)


def timm(classes: int, channels: int, size: int, name: str) -> Adapted:
    """A network of timm, from scratch."""
    package = _package("timm", name)
    _check_known(name, "timm", package.list_models())

    def make() -> tuple[nn.Module, int]:
        body = package.create_model(name, pretrained=False, num_classes=0, in_chans=channels)
        return body, int(body.num_features)

    return Adapted(make, classes, channels)


class Adapted(Network):
    """A foreign body that makes a vector of an image, and a linear layer on it."""

    def __init__(self, make: Callable[[], tuple[nn.Module, int]], classes: int, channels: int) -> None:
        super().__init__()
        with torch.device("cpu"):  # many constructors compute with numbers that the meta device does not have
            body, features = make()
            _see(body, channels)
            self.body, self.fc = body, nn.Linear(features, classes)
        names = [name for name, _ in self.body.named_children()]
        self.head_modules = self.outputs = ("fc",)
        direct = list(self.body.parameters(recurse=False))
        self.blocks = [["body"]] if direct else [[f"body.{name}"] for name in names]
        self.activations = [f"body.{name}" for name, layer in self.body.named_modules() if isinstance(layer, nn.Conv2d)]

    def materialise(self, seed: int) -> None:
        """Nothing to do: the package initialised it as it built it, under the seed that `build` had set."""

    def converted(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A file of the package names the body's tensors without the body; its last layer is left out."""
        here = self.state_dict()
        inside = {f"body.{name}": tensor for name, tensor in tensors.items() if f"body.{name}" in here}
        return inside or dict(tensors)

    def pass_shapes(self, channels: int, size: int) -> None:
        """One image of zeros, for not every foreign network computes on the meta device."""
        training = self.training
        with torch.no_grad():
            self.eval()(torch.zeros(1, channels, size, size, device=self.fc.weight.device))
        self.train(training)

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        found = self.body(x_NCHW)
        features: Tensor = found if isinstance(found, Tensor) else found[0]  # with auxiliary outputs, the main one
        return features

    def pool(self, map_NCHW: Tensor) -> Tensor:
        return map_NCHW

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.fc(features)
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        return self.head(map_NCHW)[:, :, None, None]


def _package(module: str, name: str) -> Any:
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:  # torchvision beside another torch fails with RuntimeError
        raise MissingExtra(f"the network {package}({name})", package, "zoo") from error


def _check_known(name: str, package: str, names: Collection[str]) -> None:
    if name not in names:
        raise UsageError(f"{package} has no network '{name}'; its list_models() names those it has.")


def _cut_last_linear(body: nn.Module) -> int:
    """Put nothing in place of the last linear layer; the number of features that it read."""
    layers = [(name, layer) for name, layer in body.named_modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise UsageError(f"{type(body).__name__} ends in no linear layer, so its head cannot be replaced.")
    name, layer = layers[-1]
    parent, _, child = name.rpartition(".")
    setattr(body.get_submodule(parent), child, nn.Identity())
    return layer.in_features


def _see(body: nn.Module, channels: int) -> None:
    """Make the first convolution read `channels` channels."""
    name, first = next((name, layer) for name, layer in body.named_modules() if isinstance(layer, nn.Conv2d))
    if first.in_channels == channels:
        return
    parent, _, child = name.rpartition(".")
    fresh = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    setattr(body.get_submodule(parent), child, fresh)
