"""What every network of this package is: a trunk of convolutions, a pooling without parameters, a head.

    x_NCHW -trunk-> map_NCHW -pool-> features -head-> logits_NK

`features` is what a frozen trunk leaves to cache. `score_map` applies the head at every place of a map that is larger
than the head was made for ("dense evaluation"; Sermanet et al. 2014; Simonyan & Zisserman 2015, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ._initialise import initialise

__all__ = ["ConvNet", "Network", "map_side", "shapes"]


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
        fill = lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")  # noqa: E731
        self._apply(fill)  # type: ignore[no-untyped-call]  # not `to_empty`, for the reason of _Shapes
        initialise(self, self.outputs, seed)

    def pass_shapes(self, channels: int, size: int) -> None:
        """A forward pass that computes nothing, for the hooks on the modules to see the shapes."""
        shapes(self, torch.empty(1, channels, size, size, device="meta"))

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
    return int(shapes(trunk, torch.empty(1, channels, size, size, device="meta")).shape[-1])


def shapes(module: nn.Module, x: Tensor) -> Tensor:
    """What `module` makes of `x` on the meta device, forward hooks and all; its weights, wherever they are, stay there."""
    state = {name: tensor.to("meta") for name, tensor in (*module.named_parameters(), *module.named_buffers())}
    training = module.training
    module.eval()
    try:
        with torch.no_grad(), _Shapes():
            found: Tensor = torch.func.functional_call(module, state, (x,))
    finally:
        module.train(training)
    return found


class _Shapes(TorchFunctionMode):
    """While this holds, the functions in RULES are arithmetic on shapes.

    On the meta device torch would load its compiler for them and a computer algebra, which takes as long as to load torch.

    >>> with _Shapes():
    ...     torch.nn.Conv2d(1, 4, 3, stride=2)(torch.empty(5, 1, 9, 12, device="meta")).shape
    torch.Size([5, 4, 4, 5])
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return RULES.get(function, function)(*args, **(kwargs or {}))


def _convolved(
    x_NCHW: Tensor,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str):
        return torch.conv2d(x_NCHW, weight, bias, stride, padding, dilation, groups)
    return _windows(x_NCHW, len(weight), weight.shape[2:], stride, padding, dilation)


def _pooled(
    x_NCHW: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, **how: Any
) -> Tensor:
    if how.get("ceil_mode"):
        found: Tensor = functional.max_pool2d(x_NCHW, kernel_size, stride, padding, dilation, **how)
        return found
    return _windows(x_NCHW, x_NCHW.shape[1], kernel_size, stride or kernel_size, padding, dilation)


def _windows(x_NCHW: Tensor, channels: int, *each: Any) -> Tensor:
    """An empty map of as many values as windows fit; of each window its kernel, stride, padding and dilation."""
    both = (value if isinstance(value, Sequence) else (value, value) for value in each)
    sides = [
        (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for side, kernel, stride, padding, dilation in zip(x_NCHW.shape[2:], *both, strict=True)
    ]
    return x_NCHW.new_empty(len(x_NCHW), channels, *sides)


def _multiplied(x: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
    return x.new_empty(*x.shape[:-1], len(weight))


def _joined(parts: Sequence[Tensor], dim: int = 0) -> Tensor:
    extents = list(parts[0].shape)
    extents[dim] = sum(part.shape[dim] for part in parts)
    return parts[0].new_empty(extents)


def _averaged(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    gone = range(x.ndim) if dim is None else [axis % x.ndim for axis in ([dim] if isinstance(dim, int) else dim)]
    kept = (1 if axis in gone else extent for axis, extent in enumerate(x.shape) if keepdim or axis not in gone)
    return x.new_empty(tuple(kept))


def _handed_on(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return x


RULES: dict[Any, Callable[..., Tensor]] = {
    torch.conv2d: _convolved, functional.max_pool2d: _pooled, functional.linear: _multiplied, torch.cat: _joined,
    Tensor.mean: _averaged, functional.batch_norm: _handed_on, functional.local_response_norm: _handed_on,
}  # fmt: skip
