"""A weight file into the cache, under a name, with its preprocessing; only what loads into its network is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from evenray.core.artefacts import file_digest
from evenray.core.artefacts.weight import Weight
from evenray.core.errors import UsageError

from . import catalogue
from ._build import build, load, save
from ._known import AUTHORS, IMAGENET
from ._load import load_into
from .anatomy import anatomy, totals
from .description import NetworkDescription, Pretrained
from .members import first_alone
from .onnx_trunk import read_graph
from .weights import KINDS, Weights, tensors_in

__all__ = ["import_weights"]

UNKNOWN = "not stated"


def import_weights(
    file: str | Path, *, name: str | None = None, network: str | None = None, size: int | None = None,
    mean: Sequence[float] | None = None, std: Sequence[float] | None = None,
    channels: Literal["RGB", "BGR", "grey"] | None = None, licence: str | None = None,
) -> Weight:  # fmt: skip
    """Check a weight file, copy it into the cache and return its record.

    `file` is a path (.safetensors, .pth or .pt with tensors alone, .onnx), with `torchvision:` or `caffe:` before it where it
    expects the images that those do. Files that evenray knows by their SHA-256, and models of evenray, need nothing more.
    For any other state `network` (a spec; an ONNX file brings its own), and `mean` and `std` in unit levels, one a channel in
    the order of `channels`. Raises UsageError for what is missing or does not fit, ReadError for a file that cannot be read.
    """
    kind, _, rest = str(file).partition(":")
    path = Path(rest if kind in KINDS and rest else str(file)).expanduser()
    if not path.is_file():
        raise UsageError(f"There is no file {path} to import.")
    expects = IMAGENET if kind == "torchvision" else (AUTHORS[0][::-1], AUTHORS[1]) if kind == "caffe" else (mean, std)
    if channels is None and kind == "caffe":
        channels = "BGR"
    if (known := catalogue.recognised(path)) is not None:
        about = known.model_copy(update={"name": name or known.name, "licence": licence or known.licence})
        _check_fits(about, path)
        return catalogue.keep(about, path)
    if path.suffix == ".onnx":
        return _import_graph(path, name or path.stem, size, expects, channels, licence)
    own = _own(path)
    if own is not None and (own.members > 1 or own.parts):
        with TemporaryDirectory() as folder:
            first = Path(folder) / path.name
            save(first_alone(load(path)), first)
            return import_weights(first, name=name, licence=licence)
    if own is not None:
        network, size, expects = own.spec, own.size, (own.mean, own.std)
        channels = "grey" if own.channels == 1 else "RGB"
    if network is None:
        raise UsageError(
            f"{path.name} does not say which network it is for; name it, as with --network 'vgg16(head=average)'."
        )
    about = _record(path, name or path.stem, network, size or 224, expects, channels, licence)
    _check_fits(about, path)
    work = totals(anatomy(network, classes=2, channels=3, size=about.size))["multiply_adds"] / 1e9
    return catalogue.keep(about.model_copy(update={"multiply_adds": work, "own": own is not None}), path)


def _import_graph(
    path: Path, name: str, size: int | None, expects: tuple[Sequence[float] | None, Sequence[float] | None],
    channels: Literal["RGB", "BGR", "grey"] | None, licence: str | None,
) -> Weight:  # fmt: skip
    graph = read_graph(path, size or 224)
    with TemporaryDirectory() as folder:
        cut = Path(folder) / f"{name}.onnx"
        cut.write_bytes(graph.content)
        order = channels or ("grey" if graph.channels == 1 else "RGB")
        about = _record(cut, name, graph.spec, graph.size, expects, order, licence, path.name)
        if len(about.mean) != graph.channels:
            raise UsageError(f"{path.name} takes {graph.channels} channels; give so many values of --mean and --std.")
        return catalogue.keep(about.model_copy(update={"multiply_adds": graph.multiply_adds, "own": graph.own}), cut)


def _own(path: Path) -> NetworkDescription | None:
    """What a model of evenray says of itself; None for another file."""
    told = tensors_in(path)[1].get("evenray")
    if told is None:
        return None
    try:
        return NetworkDescription.read(json.dumps(json.loads(told)))
    except ValueError as error:
        raise UsageError(f"{path.name} was saved by another version of evenray ({error}); train it again.") from error


def _record(
    path: Path, name: str, network: str, size: int, expects: tuple[Sequence[float] | None, Sequence[float] | None],
    channels: Literal["RGB", "BGR", "grey"] | None, licence: str | None, source: str = "",
) -> Weight:  # fmt: skip
    mean, std = expects
    if mean is None or std is None:
        raise UsageError(
            f"{path.name} does not say which images it expects; give --mean and --std in unit levels (0 black, 1 white), one"
            f" value a channel, or write torchvision:{path.name} (RGB, ImageNet's mean and deviation) or caffe:{path.name}"
            " (BGR, 0..255, minus 103.939, 116.779, 123.68)."
        )
    order = channels or ("grey" if len(mean) == 1 else "RGB")
    if len(mean) != len(std) or len(mean) != (1 if order == "grey" else 3):
        raise UsageError(
            f"--mean has {len(mean)} values and --std {len(std)}; give {'one' if order == 'grey' else 'three'} of each"
            f" for {order} images."
        )
    return Weight.parsed(
        Weight.model_construct(
            name=name, network=network, size=size, mean=tuple(mean), std=tuple(std), channels=order,
            licence=licence or UNKNOWN, source=source or path.name, weights_file=path.name, sha256=file_digest(path),
        ).text(), Path(f"{name}.json"), "give other values",
    )  # fmt: skip


def _check_fits(about: Weight, path: Path) -> None:
    """UsageError where the trunk of the network and the tensors of the file are not the same."""
    channels = len(about.mean)
    model = build(about.network, classes=2, channels=channels, size=about.size)
    tensors = {name: tensor.float() for name, tensor in tensors_in(path)[0].items()}
    load_into(
        model.network,
        Weights(tensors, about.mean, about.std, Pretrained(kind="named", file=path.name, sha256="")),
        channels,
    )
