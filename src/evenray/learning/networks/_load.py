"""Weights into a network: the trunk has to fit, the head may differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from evenray.core.errors import UsageError

from ._grey import first_convolution, fold_grey, install_grey
from ._network import Network
from .onnx_trunk import OnnxTrunk
from .weights import Weights

__all__ = ["load_into"]


def load_into(network: Network, weights: Weights, channels: int) -> tuple[Weights, list[str]]:
    """Copy weights into a network; the weights as they entered (grey folded), and the names that stayed fresh.

    The trunk has to fit entirely. A head is taken where it fits, except that its last layer stays fresh when the
    number of classes differs; a file without the head leaves it fresh. UsageError names the first keys that differ.
    """
    weights = replace(weights, tensors=dict(network.converted(weights.tensors)))
    if isinstance(network, OnnxTrunk):  # it prepares images itself, and has no layer of ours to fold
        weights = replace(weights, mean=(0.0,) * channels, std=(1.0,) * channels)
    elif channels == 1:
        weights = _grey(network, weights)
    here = network.state_dict()
    trunk = {name: tensor for name, tensor in weights.tensors.items() if not _is_head(name, network)}
    _check_same({n: t for n, t in here.items() if not _is_head(n, network)}, trunk, weights.source.file)
    taken = trunk
    for module in network.head_modules:
        taken = taken | _head(network, module, here, weights)
    if not isinstance(network, OnnxTrunk):  # its mean is no number for the colours that a grey trunk lacks
        _check_finite(taken, weights.source.file)
    network.load_state_dict(taken, strict=False)
    return weights, [name for name in here if name not in taken]


def _head(network: Network, module: str, here: Mapping[str, Tensor], weights: Weights) -> dict[str, Tensor]:
    """The tensors of one module of the head that can be taken from the file: all, all but the last layer, or none."""
    names = [name for name in here if name.startswith(f"{module}.")]
    found = {name: weights.tensors[name] for name in names if name in weights.tensors}
    fitting = {name: tensor for name, tensor in found.items() if tensor.shape == here[name].shape}
    hidden = [name for name in names if name.rpartition(".")[0] not in network.outputs]
    for name in hidden:
        if name in found and name not in fitting:
            there, shape = tuple(found[name].shape), tuple(here[name].shape)
            raise UsageError(
                f"{weights.source.file}: {name} has shape {there}, but {shape} in the network. Write "
                f"{_grid_of_the_file(network, there, shape)}head=average for a fresh head."
            )
    return fitting if all(name in fitting for name in hidden) else {}


def _grid_of_the_file(network: Network, there: Sequence[int], here: Sequence[int]) -> str:
    grid = getattr(network, "grid", None)
    if grid is None or len(there) != 2 or there[0] != here[0]:
        return ""
    side = math.sqrt(there[1] * grid**2 / here[1])
    return f"grid={side:.0f} to read the map as the file does, or " if side.is_integer() else ""


def _is_head(name: str, network: Network) -> bool:
    return name.startswith(tuple(f"{module}." for module in network.head_modules))


def _check_same(here: Mapping[str, Tensor], there: Mapping[str, Tensor], file: str) -> None:
    missing = [name for name in here if name not in there and not name.endswith("num_batches_tracked")]
    foreign = _ordered(name for name in there if name not in here)
    shapes = [name for name in here if name in there and here[name].shape != there[name].shape]
    parts = []
    if missing:
        parts.append(f"{len(missing)} tensors of the network are not in the file, first {', '.join(missing[:3])}")
    if foreign:
        parts.append(f"{len(foreign)} of the file are not in the network, first {', '.join(foreign[:3])}")
    if shapes:
        first = shapes[0]
        sides = f"{tuple(there[first].shape)} in the file, {tuple(here[first].shape)} in the network"
        parts.append(f"{len(shapes)} differ in shape, first {first}: {sides}")
    if parts:
        raise UsageError(f"{file} does not fit this network: {'; '.join(parts)}. Is it another network's?")


def _check_finite(taken: Mapping[str, Tensor], file: str) -> None:
    broken = _ordered(name for name, tensor in taken.items() if not bool(tensor.isfinite().all()))
    if broken:
        raise UsageError(
            f"{file}: {len(broken)} of its tensors hold values that are no numbers, first {broken[0]}; the file is damaged or"
            " its training failed. Take another one."
        )


def _ordered(names: Iterable[str]) -> list[str]:
    """By layer number: features.2 before features.10."""
    return sorted(names, key=lambda name: [part.zfill(4) for part in name.split(".")])


def _grey(network: Network, weights: Weights) -> Weights:
    """Fold colour filters for a network that sees grey images, and make room for filters that were folded before."""
    first = first_convolution(network)
    filters, offset = f"{first}.weight", f"{first}.offset"
    if offset in weights.tensors:
        install_grey(network)
    if filters not in weights.tensors or weights.tensors[filters].shape[1] != 3 or len(weights.mean) != 3:
        return weights
    install_grey(network)
    weight, added, mean, std = fold_grey(weights.tensors[filters], weights.mean, weights.std)
    return replace(weights, tensors={**weights.tensors, filters: weight, offset: added}, mean=mean, std=std)
