"""What every network of this package is: a trunk of convolutions, a pooling without parameters, a head.

    x_NCHW -trunk-> map_NCHW -pool-> features -head-> logits_NK

`features` is what a frozen trunk leaves to cache. `score_map` applies the head at every place of a map that is larger
than the head was made for ("dense evaluation"; Sermanet et al. 2014; Simonyan & Zisserman 2015, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._initialise import initialise

__all__ = ["ConvNet", "Network", "map_side", "shapes_only"]


class Network(nn.Module):
    """The interface; an architecture fills in `trunk`, `pool`, `head` and `score_map`, and the names below.

    `blocks` are the names of the trunk's modules, grouped into stages from the image upwards (to freeze, and for
    learning rates by depth); `head_modules` are the names of the modules after it, `outputs` of the layers in them that
    have one unit a class. `activations` are the names of the modules after each convolution whose maps can be
    attributed to, in order.
    """

    blocks: Sequence[Sequence[str]]
    head_modules: Sequence[str]
    outputs: Sequence[str]
    activations: Sequence[str]

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def pool(self, map_NCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def head(self, features: Tensor) -> Tensor:
        raise NotImplementedError

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def materialise(self, seed: int) -> None:
        """From the meta device, where `build` makes it, to the CPU, with initial weights from the seed."""
        self.to_empty(device="cpu")
        initialise(self, self.outputs, seed)

    def take_auxiliary(self) -> list[tuple[float, Tensor]]:
        """(weight, logits) of auxiliary heads from the last training forward pass, given out once; most have none."""
        return []

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.trunk(x_NCHW)))
        return logits


class ConvNet(Network):
    """A network in two sequences, `features` and `classifier`, as torchvision names them.

    `grid` is the side of the map that the first linear layer reads, or None for a head after global average pooling.
    A larger map is read at every place and the scores are averaged; a smaller one is stretched to the grid by
    adaptive average pooling, as torchvision does.
    """

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential, grid: int | None) -> None:
        super().__init__()
        self.features, self.classifier, self.grid = features, classifier, grid
        self.head_modules = ("classifier",)
        self.outputs = (f"classifier.{len(classifier) - 1}",)
        names = [f"features.{name}" for name, _ in features.named_children()]
        layers = list(features.children())
        self.activations = [name for name, layer in zip(names, layers, strict=True) if isinstance(layer, nn.ReLU)]
        self.blocks = _stages(names, layers)

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        map_NCHW: Tensor = self.features(x_NCHW)
        return map_NCHW

    def pool(self, map_NCHW: Tensor) -> Tensor:
        if self.grid is None:
            return map_NCHW.mean((2, 3))
        map_NCHW = self._at_least_grid(map_NCHW)
        return map_NCHW.flatten(1) if map_NCHW.shape[-2:] == (self.grid, self.grid) else map_NCHW

    def head(self, features: Tensor) -> Tensor:
        if features.ndim == 4:
            return self.score_map(features).mean((2, 3))
        logits: Tensor = self.classifier(features)
        return logits

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        """Class scores (N, K, h, w) at every place: the head as a convolution, grid x grid, as one matrix product."""
        side = self.grid or 1
        map_NCHW = map_NCHW if self.grid is None else self._at_least_grid(map_NCHW)
        height, width = (extent - side + 1 for extent in map_NCHW.shape[-2:])
        places_NLD = functional.unfold(map_NCHW, side).transpose(1, 2)
        scores: Tensor = self.classifier(places_NLD).transpose(1, 2).unflatten(2, (height, width))
        return scores

    def _at_least_grid(self, map_NCHW: Tensor) -> Tensor:
        assert self.grid is not None
        height, width = map_NCHW.shape[-2:]
        if height >= self.grid and width >= self.grid:
            return map_NCHW
        return functional.adaptive_avg_pool2d(map_NCHW, (max(height, self.grid), max(width, self.grid)))


def _stages(names: Sequence[str], layers: Sequence[nn.Module]) -> list[list[str]]:
    """Cut after each pooling; layers after the last one (if any) make a stage of their own."""
    stages: list[list[str]] = [[]]
    for name, layer in zip(names, layers, strict=True):
        stages[-1].append(name)
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
    return [stage for stage in stages if stage]


def map_side(trunk: nn.Module, channels: int, size: int) -> int:
    """The side of the map that `trunk` makes of a square image; only shapes are computed."""
    meta = {name: tensor.to("meta") for name, tensor in (*trunk.named_parameters(), *trunk.named_buffers())}
    training = trunk.training
    trunk.eval()
    with shapes_only(trunk):
        map_NCHW = torch.func.functional_call(trunk, meta, (torch.empty(1, channels, size, size, device="meta"),))
    trunk.train(training)
    return int(map_NCHW.shape[-1])


@contextmanager
def shapes_only(module: nn.Module) -> Iterator[None]:
    """While this holds, batch normalisation hands on what it gets, for it changes no shape.

    On the meta device torch would load its compiler for it, which takes as long as to load torch.
    """
    norms = [norm for norm in module.modules() if isinstance(norm, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.__dict__["forward"] = _handed_on
    try:
        yield
    finally:
        for norm in norms:
            del norm.__dict__["forward"]


def _handed_on(x: Tensor) -> Tensor:
    return x
