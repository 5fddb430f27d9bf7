"""What every network of this package is: a trunk of convolutions, a pooling without parameters, a head.

    x_NCHW -trunk-> map_NCHW -pool-> features -head-> logits_NK

`features` is what a frozen trunk leaves to cache. `score_map` applies the head at every place of a map that is larger
than the head was made for ("dense evaluation"; Sermanet et al. 2014; Simonyan & Zisserman 2015, section 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ._initialise import initialise
from ._layers import Head, classical_head, levels

__all__ = ["ConvNet", "Network", "conv_net", "shapes", "stages"]


class Network(nn.Module):
    """The interface; an architecture fills in `trunk`, `pool`, `head` and `score_map`, and the names below.

    `blocks` are the names of the trunk's modules, grouped into stages from the image upwards (to freeze, and for
    learning rates by depth); `head_modules` are the names of the modules after it, `outputs` of the layers in them that
    have one unit a class. `activations` are the names of the modules after each convolution whose maps can be
    attributed to, in order. `of_pixels` says that there are scores for every pixel, the background's first.
    """

    of_pixels = False
    blocks: Sequence[Sequence[str]]
    head_modules: Sequence[str]
    outputs: Sequence[str]
    activations: Sequence[str]

    @property
    def attributed(self) -> Sequence[str]:
        """Those of `activations` that everything the network says comes through."""
        return self.activations

    @property
    def preparation(self) -> Sequence[Any]:
        """What the trunk does to images before its first layer, where it has that from its weights."""
        return ()

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def pool(self, map_NCHW: Tensor) -> Tensor:
        return map_NCHW.mean((2, 3))

    def head(self, features: Tensor) -> Tensor:
        raise NotImplementedError

    def score_map(self, map_NCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def score_maps(self, x_NCHW: Tensor) -> list[Tensor]:
        """The score map of every network that has one of its own: there is one, but of networks of several kinds."""
        return [self.score_map(self.trunk(x_NCHW))]

    def materialise(self, seed: int) -> None:
        """From the meta device, where `build` makes it, to the CPU, with initial weights from the seed."""
        self.to_empty(device="cpu")
        initialise(self, self.outputs, seed)

    def pass_shapes(self, channels: int, size: int) -> None:
        """A forward pass that computes nothing, for the hooks on the modules to see the shapes."""
        shapes(self, torch.empty(1, channels, size, size, device="meta"))

    def converted(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The tensors of a weight file as this network takes them, where it has layers made of another network's."""
        return tensors

    def take_auxiliary(self) -> list[tuple[float, Tensor]]:
        """(weight, logits) of auxiliary heads from the last training forward pass, given out once; most have none."""
        return []

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.trunk(x_NCHW)))
        return logits


class ConvNet(Network):
    """A network in two sequences, `features` and `classifier`, as torchvision names them.

    `grid` is the side of the map that the first linear layer reads, or None for a head after global average pooling; with
    `every_level` of the maps of every block.
    A larger map is read at every place and the scores are averaged; a smaller one is stretched to the grid by
    adaptive average pooling, as torchvision does.
    """

    def __init__(
        self, features: nn.Sequential, classifier: nn.Sequential, grid: int | None, *, every_level: bool = False
    ) -> None:
        super().__init__()
        self.features, self.classifier, self.grid, self.every_level = features, classifier, grid, every_level
        self.head_modules = ("classifier",)
        self.outputs = (f"classifier.{len(classifier) - 1}",)
        names = [f"features.{name}" for name, _ in features.named_children()]
        layers = list(features.children())
        self.activations = [name for name, layer in zip(names, layers, strict=True) if isinstance(layer, nn.ReLU)]
        self.blocks = stages(names, layers)

    def trunk(self, x_NCHW: Tensor) -> Tensor:
        if not self.every_level:
            last_NCHW: Tensor = self.features(x_NCHW)
            return last_NCHW
        map_NCHW, maps = x_NCHW, list[Tensor]()
        for block in self.blocks:
            for name in block:
                map_NCHW = self.get_submodule(name)(map_NCHW)
            maps.append(map_NCHW)
        return levels(maps)

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


def conv_net(
    trunk: Sequence[nn.Module],
    maps: int,
    classes: int,
    channels: int,
    size: int,
    *,
    head: Head,
    dropout: float,
    wide: tuple[int, int],
    grid: int | None,
    dropout_first: bool = False,
) -> ConvNet:
    """A trunk that ends in `maps` maps, with a head of two `wide` layers that reads a `grid` (by default what the trunk
    makes of images of `size`), or with one layer after a global average, of the last map or of the `levels` of all blocks."""
    features = nn.Sequential(*trunk)
    if head == "levels":
        blocks = stages([str(i) for i in range(len(trunk))], trunk)
        found = [[layer.out_channels for n in s if isinstance(layer := trunk[int(n)], nn.Conv2d)] for s in blocks]
        last = nn.Linear(sum(each[-1] for each in found if each), classes)
        return ConvNet(features, nn.Sequential(nn.Dropout(dropout), last), None, every_level=True)
    if head == "average":
        return ConvNet(features, nn.Sequential(nn.Dropout(dropout), nn.Linear(maps, classes)), None)
    side = grid or map_side(features, channels, size)
    classifier = classical_head(maps * side**2, wide, classes, dropout, dropout_first=dropout_first)
    return ConvNet(features, classifier, side)


def stages(names: Sequence[str], layers: Sequence[nn.Module]) -> list[list[str]]:
    """Cut after each pooling; layers after the last one (if any) make a stage of their own."""
    stages: list[list[str]] = [[]]
    for name, layer in zip(names, layers, strict=True):
        stages[-1].append(name)
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
    return [stage for stage in stages if stage]


def map_side(trunk: nn.Module, channels: int, size: int) -> int:
    """The side of the map that `trunk` makes of a square image; only shapes are computed."""
    return int(shapes(trunk, torch.empty(1, channels, size, size, device="meta")).shape[-1])


def shapes(module: nn.Module, x: Tensor) -> Tensor:
    """What `module` makes of `x` on the meta device, forward hooks and all; its weights, wherever they are, stay there."""
    state = {name: tensor.to("meta") for name, tensor in (*module.named_parameters(), *module.named_buffers())}
    training = module.training
    module.eval()
    try:
        with torch.no_grad(), _ShapesAlone():
            found: Tensor = torch.func.functional_call(module, state, (x,))
    finally:
        module.train(training)
    return found


class _ShapesAlone(TorchFunctionMode):
    """Answers for the commonest layers: torch's own answers on the meta device are in Python, and import its compiler first."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (functional.batch_norm, functional.relu):
            return args[0]
        if func is functional.linear:
            return args[0].new_empty((*args[0].shape[:-1], len(args[1])))
        return func(*args, **(kwargs or {}))
