"""Making, saving and loading a Classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from evenray.core.errors import ReadError, UsageError
from evenray.core.names import in_utf8

from ._classifier import Classifier
from ._grey import GreyConv, install_grey
from ._initialise import silence_unreached
from ._load import load_into
from ._network import Network
from ._registry import bound, classifier_of
from .averaged import Averaged
from .description import NetworkDescription
from .mixed import INSIDE, mix
from .onnx_trunk import OnnxTrunk
from .output import Output
from .weights import read_weights

__all__ = ["build", "load", "restore", "save"]

SMALLEST = 28
ATTRIBUTION_SIDE = 7


def build(
    spec: str,
    *,
    classes: int,
    channels: int,
    size: int,
    pretrained: str | Path | None = None,
    seed: int = 0,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    output: Output = "softmax",
    offline: bool = False,
) -> Classifier:
    """A Classifier for `classes` classes of images (channels, size, size), float32 in unit levels; with the `output` sigmoid,
    for so many findings, each by itself.

    `pretrained` is the path of a weight file, or `torchvision` (see networks/weights.py; `offline` forbids the download);
    its preprocessing comes with it. From scratch the weights follow from `seed` (He et al. 2015), and `mean` and `std`
    (one a channel, in unit levels; by default 0.5 and 0.25) may be those of the training images. Raises UsageError for
    a name, parameter, size or file that is wrong.

    >>> model = build("vgg11(width=0.1)", classes=2, channels=1, size=28)
    >>> model(torch.zeros(5, 1, 28, 28)).shape, model.attribution_layer
    (torch.Size([5, 2]), 'network.features.9')
    """
    _check(classes, channels, size, mean, std, pretrained, output)
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        torch.manual_seed(seed)
        network: Network = bound(spec)(classes, channels, size)
    layer = _attribution_layer(network, channels, size)
    network.materialise(seed)
    silence_unreached(network, lambda: network.pass_shapes(channels, size))
    mean = (0.5,) * channels if mean is None else mean
    std = (0.25,) * channels if std is None else std
    source = None
    if pretrained is None and isinstance(network, OnnxTrunk):
        raise UsageError(f"{spec} is nothing without its file; name its weights with pretrained.")
    if pretrained is not None:
        entered, fresh = load_into(network, read_weights(pretrained, classifier_of(spec), offline=offline), channels)
        mean, std, source = entered.mean, entered.std, entered.source.model_copy(update={"fresh": tuple(fresh)})
    description = NetworkDescription(
        spec=str(spec), classes=classes, channels=channels, size=size, mean=tuple(mean), std=tuple(std),
        attribution_layer=layer, seed=seed, grey=any(isinstance(module, GreyConv) for module in network.modules()),
        pretrained=source, parameters=sum(p.numel() for p in network.parameters()), output=output,
    )  # fmt: skip
    return Classifier(network, description)


def restore(about: NetworkDescription, state: Mapping[str, Tensor]) -> Classifier:
    """The Classifier that this `description` and `state()` came from, with bit-identical outputs."""
    if about.parts:
        return mix([restore(part, _inside(state, i)) for i, part in enumerate(about.parts)], about.size)
    with torch.device("meta"):
        make = bound(about.spec)
        made: list[Network] = [make(about.classes, about.channels, about.size) for _ in range(about.members)]
        for one in made:
            if about.grey:
                install_grey(one)
        network = Averaged(made, about.output) if len(made) > 1 else made[0]
    network.load_state_dict({name: tensor.clone() for name, tensor in state.items()}, assign=True)
    return Classifier(network.requires_grad_(True), about)


def _inside(state: Mapping[str, Tensor], member: int) -> dict[str, Tensor]:
    """The weights of a member of a mix by its own names."""
    prefix = f"members.{member}.{INSIDE}"
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def save(model: Classifier, path: str | Path) -> None:
    """Write one .safetensors file that `load` and `build(pretrained=...)` read; names are torchvision's."""
    # One entry only: safetensors writes several in an order of chance, and equal models are to be equal files.
    with in_utf8(Path(path)) as named:
        save_file(model.state(), named, {"evenray": model.description.model_dump_json()})


def load(path: str | Path) -> Classifier:
    """The Classifier of a file written by `save`; ReadError for a file that is absent or damaged."""
    try:
        with in_utf8(Path(path)) as named, safe_open(named, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ReadError(path, f"not a readable model ({error})") from error
    if "evenray" not in metadata:
        raise UsageError(f"{path} was not saved by evenray; build a network with pretrained={path} instead.")
    try:
        about = NetworkDescription.read(metadata["evenray"])
    except ValueError as error:
        raise UsageError(f"{path} was saved by another version of evenray ({error}); train it again.") from error
    return restore(about, state)


def _attribution_layer(network: Network, channels: int, size: int) -> str:
    """The last activation whose map is at least 7 pixels wide: a 2 x 2 map of a small image would show nothing."""
    sides: dict[str, int] = {}
    handles = [
        network.get_submodule(name).register_forward_hook(
            lambda module, args, output, name=name: sides.__setitem__(name, min(output.shape[-2:]))
        )
        for name in network.attributed
    ]
    network.pass_shapes(channels, size)
    for handle in handles:
        handle.remove()
    wide = [name for name in network.attributed if sides[name] >= min(ATTRIBUTION_SIDE, max(sides.values()))]
    return wide[-1]


def _check(
    classes: int,
    channels: int,
    size: int,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    pretrained: str | Path | None,
    output: Output,
) -> None:
    if classes < (2 if output == "softmax" else 1):
        raise UsageError(f"classes is {classes}; a classifier needs at least 2.")
    if channels not in (1, 3):
        raise UsageError(f"channels is {channels}; give 1 (grey) or 3 (RGB).")
    if size < SMALLEST:
        raise UsageError(
            f"size is {size}; the smallest image that the networks take is {SMALLEST} x {SMALLEST} pixels."
        )
    if pretrained is not None and (mean is not None or std is not None):
        raise UsageError("mean and std come with the weights; leave them out when pretrained is given.")
    for name, values in (("mean", mean), ("std", std)):
        if values is not None and len(values) != channels:
            raise UsageError(f"{name} has {len(values)} values; give {channels}, one a channel.")
    if std is not None and min(std) <= 0:
        raise UsageError(f"std is {list(std)}; every value must be positive.")
