"""A look into a network on the user's own images: its layers, filters, a convolution, feature maps and exciting patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.model import ModelRecord
from evenray.core.errors import DataError, ReadError
from evenray.core.names import as_path
from evenray.data.letterbox import letterbox
from evenray.data.scan import load
from evenray.images.contrast import add_references, enhance
from evenray.images.histogram import Histogram
from evenray.images.readers import read
from evenray.learning import networks
from evenray.learning.networks import Classifier
from evenray.learning.networks.anatomy import Layer, anatomy
from evenray.learning.predict.files import items
from evenray.learning.train import keep_malloc

from .convolution import Step, convolution_step
from .layers import Patch, all_exciting_patches, feature_maps

__all__ = ["NetworkView", "layers", "view"]

MOST = 200  # images that patches are looked for in
CLASSES = 1000  # of a network that is named by its spec
CHANNELS, PATCHES = 6, 9  # of each block, and of each channel
LEAST = 3  # pixels; smaller maps are no pictures
T = TypeVar("T")


@dataclass(frozen=True)
class NetworkView:
    """What can be shown of a network.

    `first` names the first convolution. With images, `steps` explain the first two convolutions at the strongest place of
    the channel that answers most to the first image, and `maps` are what that image makes of the last activation of each
    block, (C, H, W) by layer. With several images, `patches` are those that excite most the channels that answer most to
    the first image, by layer and channel. `trained` says where the weights are from (None: nowhere), `given` whether the
    images were given and are not the run's own, and `rejected` says which images could not be read.
    """

    model: Classifier
    anatomy: tuple[Layer, ...]
    first: str
    steps: tuple[Step, ...] = ()
    maps: dict[str, NDArray[np.float32]] | None = None
    patches: dict[str, dict[int, list[Patch]]] | None = None
    trained: str | None = None
    given: bool = False
    images: int = 0
    rejected: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.model.description.spec


def layers(
    network: str | Path, image: str | Path | None = None, *, pretrained: str | Path | None = None, size: int = 224, seed: int = 0
) -> NetworkView:  # fmt: skip
    """Look into a network: the one of a run folder, of a .safetensors file, or that of a spec with `pretrained` weights or none.

    `image` is an image file or a folder of them; a run shows training images of its own where there is none. `size` and
    `seed` are for a spec. DataError where a run has no network yet, or no image can be read.
    """
    keep_malloc()
    model, trained, record = _network(network, pretrained, size, seed)
    files: list[tuple[Path, str, str]] = []
    if image is not None:
        files = [(item.path, "", item.lost) for item in _spread(items([image]))]
    elif record is not None:
        files = _training_images(Path(network))
    pixels, rejected = _read(files, model, record)
    if image is not None and not pixels:
        raise DataError(f"{image} holds no image that can be read; give an image file or a folder of them.")
    x_NCHW = None
    if pixels:
        x = torch.from_numpy(np.stack(pixels))
        x_NCHW = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
    return view(model, x_NCHW, trained=trained, given=image is not None, rejected=tuple(rejected))


def _network(
    network: str | Path, pretrained: str | Path | None, size: int, seed: int
) -> tuple[Classifier, str | None, ModelRecord | None]:
    """The network, where its weights are from, and of a run how its images are prepared."""
    path = Path(network)
    if (path / "recipe.json").is_file():
        if not (path / "model.safetensors").is_file():
            raise DataError(f"{path} has no trained network yet; 'evenray train {path}' makes one.")
        record = ModelRecord.read(path)
        add_references({name: Histogram.of_json(found.model_dump()) for name, found in record.references.items()})
        return networks.first_alone(networks.load(path / "model.safetensors")), path.resolve().name, record
    if path.suffix == ".safetensors":
        return networks.first_alone(networks.load(path)), path.name, None
    model = networks.build(str(network), classes=CLASSES, channels=3, size=size, pretrained=pretrained, seed=seed)
    return model, Path(pretrained).name if pretrained else None, None


def _training_images(run: Path) -> list[tuple[Path, str, str]]:
    """Training images of a run that are still there, spread over the training part, as `_read` takes them."""
    dataset = load(RunFolder(run)).part("train")
    rows = _spread(list(dataset.cases.select("file", "fragment").iter_rows()))
    files = [(as_path(Path(dataset.root, file)), fragment, "") for file, fragment in rows]
    return [file for file in files if file[0].exists()]


def _read(
    files: Sequence[tuple[Path, str, str]], model: Classifier, record: ModelRecord | None
) -> tuple[list[NDArray[np.float32]], list[str]]:
    """Images as the network takes them, and why others cannot be read.

    Of each file its path, the fragment, and why there is nothing to read (empty where there is).
    """
    pixels, rejected = list[NDArray[np.float32]](), list[str]()
    contrast, value_range = (record.contrast, record.value_range) if record else ("none", None)
    for path, fragment, lost in files:
        try:
            if lost:
                raise ReadError(path, lost)
            image = enhance(read(path, fragment=fragment, value_range=value_range), contrast)
            prepared = letterbox(image, model.size, model.channels, 65535)[0]
            pixels.append(np.asarray(prepared.astype(np.float32) / 65535, dtype=np.float32))
        except ReadError as error:
            rejected.append(str(error))
    return pixels, rejected


def _spread(found: list[T]) -> list[T]:
    """At most MOST of them, evenly spaced.

    >>> len(_spread(list(range(1000)))), _spread([1, 2])
    (200, [1, 2])
    """
    return [found[i * len(found) // MOST] for i in range(MOST)] if len(found) > MOST else found


def view(
    model: Classifier, x_NCHW: Tensor | None, *, batch: int = 16, trained: str | None = None, given: bool = False,
    rejected: tuple[str, ...] = (),
) -> NetworkView:  # fmt: skip
    """Look into a network that is there, on images that are prepared for it (or none).

    >>> from evenray.learning.networks import build
    >>> found = view(build("vgg11(width=0.1)", classes=2, channels=1, size=28), torch.rand(2, 1, 28, 28))
    >>> found.first, [step.layer for step in found.steps], list(found.maps)
    ('features.0', ['features.0', 'features.3'], ['features.1', 'features.4', 'features.9', 'features.14'])
    """
    named = model.network.named_modules()
    convolutions = [n for n, layer in named if isinstance(layer, nn.Conv2d) and not n.startswith("aux")]
    rows = tuple(anatomy(model))
    if x_NCHW is None:
        return NetworkView(model, rows, convolutions[0], trained=trained, rejected=rejected)
    maps = _maps(model, x_NCHW[:1])
    steps = [convolution_step(model, x_NCHW, n, _strongest(feature_maps(model, x_NCHW[:1], n)[0], 1)[0])
             for n in convolutions[:2]]  # fmt: skip
    patches = None
    if len(x_NCHW) > 1:
        wanted = {layer: _strongest(maps_CHW, CHANNELS) for layer, maps_CHW in maps.items()}
        batches = (x_NCHW[start : start + batch] for start in range(0, len(x_NCHW), batch))
        best = all_exciting_patches(model, batches, wanted, top=PATCHES)
        patches = {layer: {channel: best[layer, channel] for channel in wanted[layer]} for layer in wanted}
    return NetworkView(model, rows, convolutions[0], tuple(steps), maps, patches, trained, given, len(x_NCHW), rejected)


def _maps(model: Classifier, x_1CHW: Tensor) -> dict[str, NDArray[np.float32]]:
    """What an image makes of the last activation of every block whose maps are pictures."""
    found = {}
    for block in model.network.blocks:
        inside = tuple(f"{name}." for name in block)
        names = [name for name in model.network.activations if name in block or name.startswith(inside)]
        if names:
            maps = feature_maps(model, x_1CHW, names[-1])[0]
            if maps.ndim == 3 and min(maps.shape[1:]) >= LEAST:
                found[names[-1]] = maps
    return found


def _strongest(maps_CHW: NDArray[np.float32], count: int) -> list[int]:
    """The channels that answer most."""
    order: list[int] = np.argsort(-maps_CHW.max((1, 2)), kind="stable")[:count].tolist()
    return order
