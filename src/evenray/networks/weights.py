"""Weight files: which convention a file follows, and how its weights enter a network.

    torchvision   RGB in unit levels, mean .485 .456 .406, deviation .229 .224 .225
    caffe         the VGG authors' own: BGR in 0..255, mean 103.939 116.779 123.68; turned into RGB in unit levels here
    evenray       a model of this package; carries its own mean and deviation

A file tells its kind itself: by its metadata (safetensors: `evenray`, or `channels: BGR`), or by torchvision's file
name, whose end is the start of the file's SHA-256. For any other the user says it: `caffe:PATH`, `torchvision:PATH`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..core.errors import ReadError, UsageError
from ._grey import first_convolution, fold_grey, install_grey
from ._network import Network

__all__ = ["Weights", "load_into", "read_weights"]

KINDS = ("torchvision", "caffe", "evenray")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Weights:
    """Tensors by name (float32, first layer in RGB order), the preprocessing that belongs to them, where they are from.

    `mean` and `std` are in unit levels, one a channel. `source` is plain values: kind, file, sha256.
    """

    tensors: dict[str, Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: dict[str, Any] = field(default_factory=dict)


def read_weights(text: str | Path) -> Weights:
    """Read `PATH` or `KIND:PATH` (.safetensors, .pth, .pt).

    Raises ReadError for a damaged file, UsageError for one whose kind is unclear.
    """
    kind, path = _kind_and_path(str(text))
    if not path.is_file():
        raise UsageError(f"There is no weight file {path}; give the path of a .safetensors or .pth file.")
    tensors, metadata = _tensors(path)
    digest = _sha256(path)
    kind = kind or _kind_of(path, digest, metadata)
    source = {"kind": kind, "file": path.name, "sha256": digest}
    if kind == "evenray":
        if "evenray" not in metadata:
            raise UsageError(f"{path.name} was not saved by evenray; write torchvision:PATH or caffe:PATH.")
        description = json.loads(metadata["evenray"])
        return Weights(tensors, tuple(description["mean"]), tuple(description["std"]), source)
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    if kind == "caffe":
        first = next(name for name, tensor in tensors.items() if tensor.ndim == 4 and tensor.shape[1] == 3)
        tensors[first] = tensors[first].flip(1)
        return Weights(tensors, tuple(m / 255 for m in reversed(CAFFE_MEAN_BGR)), (1 / 255,) * 3, source)
    return Weights(tensors, IMAGENET_MEAN, IMAGENET_STD, source)


def load_into(network: Network, weights: Weights, channels: int) -> tuple[Weights, list[str]]:
    """Copy weights into a network; the weights as they entered (grey folded), and the names that stayed fresh.

    The trunk has to fit entirely. A head is taken where it fits, except that its last layer stays fresh when the
    number of classes differs; a file without the head leaves it fresh. UsageError names the first keys that differ.
    """
    weights = _grey(network, weights) if channels == 1 else weights
    here = network.state_dict()
    head = [name for name in here if _is_head(name, network)]
    trunk = {name: tensor for name, tensor in weights.tensors.items() if not _is_head(name, network)}
    _check_same({name: tensor for name, tensor in here.items() if name not in head}, trunk, weights.source["file"])
    taken = trunk | _head(network, here, head, weights)
    network.load_state_dict(taken, strict=False)
    return weights, [name for name in here if name not in taken]


def _head(network: Network, here: dict[str, Tensor], head: Sequence[str], weights: Weights) -> dict[str, Tensor]:
    """The tensors of the head that can be taken from the file: all, all but the last layer, or none."""
    found = {name: weights.tensors[name] for name in head if name in weights.tensors}
    fitting = {name: tensor for name, tensor in found.items() if tensor.shape == here[name].shape}
    last = head[-1].rpartition(".")[0]
    hidden = [name for name in head if not name.startswith(f"{last}.")]
    for name in hidden:
        if name in found and name not in fitting:
            there, shape = tuple(found[name].shape), tuple(here[name].shape)
            raise UsageError(
                f"{weights.source['file']}: {name} has shape {there}, but {shape} in the network. Write "
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


def _ordered(names: Iterable[str]) -> list[str]:
    """By layer number: features.2 before features.10."""
    return sorted(names, key=lambda name: [part.zfill(4) for part in name.split(".")])


def _grey(network: Network, weights: Weights) -> Weights:
    """Fold colour filters for a network that sees grey images, and make room for filters that were folded before."""
    first = first_convolution(network)
    filters, offset = f"{first}.weight", f"{first}.offset"
    if offset in weights.tensors:
        install_grey(network)
    if filters not in weights.tensors or weights.tensors[filters].shape[1] != 3:
        return weights
    install_grey(network)
    weight, added, mean, std = fold_grey(weights.tensors[filters], weights.mean, weights.std)
    return replace(weights, tensors={**weights.tensors, filters: weight, offset: added}, mean=mean, std=std)


def _kind_and_path(text: str) -> tuple[str | None, Path]:
    kind, colon, rest = text.partition(":")
    if colon and kind in KINDS:
        return kind, Path(rest).expanduser()
    return None, Path(text).expanduser()


def _kind_of(path: Path, digest: str, metadata: dict[str, str]) -> str:
    if "evenray" in metadata:
        return "evenray"
    if metadata.get("channels", "").upper() == "BGR":
        return "caffe"
    named = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if named and digest.startswith(named.group(1)):
        return "torchvision"
    raise UsageError(
        f"{path.name} does not tell which preprocessing its weights expect; write torchvision:{path} (RGB, ImageNet's "
        f"mean and deviation) or caffe:{path} (BGR, 0..255, minus 103.939, 116.779, 123.68)."
    )


def _tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ReadError(path, f"not a readable weight file ({type(error).__name__}: {error})") from error
    except Exception as error:  # pickle.UnpicklingError and its kin: weights_only refuses what is not a tensor
        raise ReadError(path, f"holds more than tensors and was not loaded ({type(error).__name__})") from error
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ReadError(path, "is not a table of tensors by name")
    return loaded, {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
