"""Weight files: which convention a file follows, and the preprocessing that belongs to it.

    NAME          weights of the cache (catalogue.py); their record says all
    torchvision   RGB in unit levels, mean .485 .456 .406, deviation .229 .224 .225; two of its files are otherwise:
                  GoogLeNet's wants mean and deviation .5, the VGG16 "features" file the Caffe form in RGB
    caffe         the VGG authors' own: BGR in 0..255, mean 103.939 116.779 123.68; turned into RGB in unit levels here
    evenray       a model of this package; carries its own mean and deviation; of an average the first network

A file tells its kind itself: by its metadata (safetensors: `evenray`, or `channels: BGR`), or by torchvision's file
name, whose end is the start of the file's SHA-256. For any other the user says it: `caffe:PATH`, `torchvision:PATH`.
`torchvision` alone is the file that torchvision has for the network, from the cache or the net.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from evenray.core.artefacts import file_digest
from evenray.core.artefacts.weight import NAME, Weight
from evenray.core.errors import ReadError, UsageError
from evenray.core.names import in_utf8

from . import catalogue
from ._known import AUTHORS, GOOGLENET, IMAGENET, KNOWN, VGG16_FEATURES
from .description import Pretrained
from .mixed import INSIDE
from .onnx_trunk import tensors_of_graph

__all__ = ["Weights", "named", "read_weights", "tensors_in"]

KINDS = ("torchvision", "caffe", "evenray")


@dataclass(frozen=True)
class Weights:
    """Tensors by name (float32, first layer in RGB order), the preprocessing that belongs to them, where they are from.

    `mean` and `std` are in unit levels, one a channel.
    """

    tensors: dict[str, Tensor]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: Pretrained


def read_weights(text: str | Path, network: str = "", *, offline: bool = False) -> Weights:
    """Read `NAME`, `PATH`, `KIND:PATH` (.safetensors, .pth, .pt), or `torchvision` for the file of the network of that name.

    Raises ReadError for a damaged file, UsageError for one whose kind is unclear or that cannot be had `offline`.
    """
    if (weight := named(text)) is not None:
        return _of_record(weight)
    kind, path = _find(str(text), network, offline)
    if not path.is_file():
        raise UsageError(
            f"There is no weight file {path}; give the path of a .safetensors or .pth file, or one of the names that 'evenray"
            " weights list' shows."
        )
    tensors, metadata = tensors_in(path)
    digest = file_digest(path)
    kind = kind or _kind_of(path, digest, metadata)
    source = Pretrained(kind=kind, file=path.name, sha256=digest)
    if kind == "evenray":
        if "evenray" not in metadata:
            raise UsageError(f"{path.name} was not saved by evenray; write torchvision:PATH or caffe:PATH.")
        description, tensors = _first_alone(json.loads(metadata["evenray"]), tensors)
        return Weights(tensors, tuple(description["mean"]), tuple(description["std"]), source)
    tensors = _as_float32(tensors)
    return _from_bgr(tensors, *AUTHORS, source) if kind == "caffe" else _torchvision(tensors, source)


def _first_alone(description: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Of an average the first network, by its own names; of any other model what it is."""

    def inside(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    if description.get("parts"):
        return _first_alone(description["parts"][0], inside(f"members.0.{INSIDE}"))
    return description, inside("members.0.") if description.get("members", 1) > 1 else tensors


def named(text: str | Path) -> Weight | None:
    """The record of the weights that a text names; None where it is the path of a file. UsageError where they are not here."""
    text = str(text)
    return catalogue.find(text) if NAME.fullmatch(text) and not Path(text).is_file() else None


def _of_record(weight: Weight) -> Weights:
    path = catalogue.checked_file(weight)
    source = Pretrained(kind="named", file=weight.name, sha256=weight.sha256)
    if path.suffix == ".onnx":
        return Weights(tensors_of_graph(path, weight), (), (), source)
    tensors = _as_float32(tensors_in(path)[0])
    if weight.channels == "BGR":
        return _from_bgr(tensors, weight.mean[::-1], weight.std[::-1], source)
    if weight.name in KNOWN:
        return _torchvision(tensors, source, (weight.mean, weight.std))
    return Weights(tensors, weight.mean, weight.std, source)


def _as_float32(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def _from_bgr(
    tensors: dict[str, Tensor], mean: tuple[float, ...], std: tuple[float, ...], source: Pretrained
) -> Weights:
    first = next((name for name, tensor in tensors.items() if tensor.ndim == 4 and tensor.shape[1] == 3), None)
    if first is None:
        raise UsageError(f"{source.file} has no layer that reads three channels, so it holds no BGR weights.")
    return Weights(tensors | {first: tensors[first].flip(1)}, mean, std, source)


def _torchvision(
    tensors: dict[str, Tensor], source: Pretrained, expects: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET
) -> Weights:
    if any(name.startswith("inception") for name in tensors):  # its auxiliary heads were never trained
        return Weights({name: t for name, t in tensors.items() if not name.startswith("aux")}, *GOOGLENET, source)
    head = tensors.get("classifier.6.weight")
    if head is not None and bool(head.isnan().any()):  # vgg16_features-amdegroot-88682ab5.pth
        return Weights({n: t for n, t in tensors.items() if n.startswith("features")}, *VGG16_FEATURES, source)
    return Weights(tensors, *expects, source)


def _find(text: str, network: str, offline: bool) -> tuple[str | None, Path]:
    kind, colon, rest = text.partition(":")
    if kind == "torchvision" and not rest and not (network in KNOWN and KNOWN[network].downloads):
        names = ", ".join(name for name, known in KNOWN.items() if known.downloads)
        raise UsageError(f"torchvision has no weights for '{network}'; it has them for {names}.")
    if kind == "torchvision" and (not rest or rest in KNOWN):
        return kind, catalogue.path_of(catalogue.get(rest or network, offline=offline))
    if colon and kind in KINDS:
        return kind, Path(rest).expanduser()
    return None, Path(text).expanduser()


def _kind_of(path: Path, digest: str, metadata: Mapping[str, str]) -> str:
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


def tensors_in(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a .safetensors, .pth or .pt file by name, and its metadata; ReadError for one that holds anything else."""
    with path.open("rb") as file:
        if file.read(64).startswith(b"version https://git-lfs"):
            raise ReadError(path, "is a Git LFS pointer; fetch the file itself with 'git lfs pull'")
    try:
        if path.suffix == ".safetensors":
            with in_utf8(path) as named, safe_open(named, "pt") as file:
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
