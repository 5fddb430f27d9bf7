"""Inside a network: its layers, what they make of an image, what part of the image a unit sees, and what a decision rests on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evenray.core.errors import EvenrayError, UsageError
from evenray.core.types import Image
from evenray.data.letterbox import letterbox
from evenray.evidence.explain import attribute, attributions, feature_maps, filters
from evenray.images.contrast import enhance
from evenray.learning import networks
from evenray.learning.networks import Classifier
from evenray.learning.networks.anatomy import Layer, anatomy, totals
from evenray.learning.networks.catalogue import at_hand
from evenray.learning.predict.about import About
from evenray.learning.predict.engines import load
from evenray.learning.train import keep_malloc
from evenray.serve.problems import Problem

from ..workplace import Workplace

__all__ = [
    "ATTRIBUTIONS",
    "Answer",
    "Inside",
    "Maps",
    "Row",
    "Structure",
    "Unit",
    "network_of",
    "offered",
    "structure_of",
]

PUBLISHED = "vgg16"
SHOWN = 64  # channels of a layer, those that answer most
LARGEST = 112  # pixels of a map's side that are sent; larger maps are thinned
GREY = 0.5  # of the square that covers a place, as occlusion maps have it
ATTRIBUTIONS = tuple(attributions)
KINDS = {"Conv": "convolution", "Pool": "pool", "Linear": "linear"}  # by a part of the layer's own name
FOLLOWING = ("ReLU", "BatchNorm2d", "Dropout", "LocalResponseNorm")
_lock = threading.Lock()  # one pass at a time: a pass takes all cores


@dataclass(frozen=True)
class Row:
    """A convolution, pooling or linear layer with what follows it up to the next one.

    `output` is (C, H, W) or (D,); `parameters` are those of all these layers, `inputs` the channels or units that enter. A unit
    sees `field` pixels a side, the first one from pixel `start`, the next `jump` pixels further; None where it sees the whole image.
    `shown` names the layer whose output is shown: the activation behind a convolution.
    """

    name: str
    kind: str
    kernel: int | None
    stride: int | None
    padding: int | None
    inputs: int
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    field: int | None
    jump: int | None
    start: int | None
    shown: str


@dataclass(frozen=True)
class Structure:
    """A network: its rows, their sums, and what it takes. `trained` says that its filters are no random numbers, `answers` that
    it tells `classes`, one of which is `positive`."""

    spec: str
    size: int
    channels: int
    classes: tuple[str, ...]
    positive: str
    parameters: int
    multiply_adds: int
    rows: tuple[Row, ...]
    trained: bool
    answers: bool


@dataclass(frozen=True)
class Maps:
    """The feature maps of a layer, uint8 (K, h, w), each from 0 to its own highest value: those of `channels` of `total`, the
    strongest first, with their highest values `peaks`; and where the layer is a convolution its filters for them, each the mean
    over the inputs."""

    maps: NDArray[np.uint8]
    channels: tuple[int, ...]
    peaks: tuple[float, ...]
    total: int
    silent: int
    filters: tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True)
class Answer:
    """The corrected and calibrated probability of each class, and the decision."""

    probabilities: dict[str, float]
    decision: str | None


@dataclass(frozen=True)
class Unit:
    """A square that covers a place: its upper left corner and its side, as shares of the image."""

    top: float
    left: float
    side: float


class Inside:
    """A network that is opened; `about` is how its images are prepared and its answers made, None without a run."""

    def __init__(self, model: Classifier, about: About | None, run: Path | None) -> None:
        self.model, self.about = model.eval(), about
        self.structure = structure_of(self.model, about, trained=True)  # now: it follows a pass of its own
        self._run = load(run).run if run is not None else None

    def entering(self, image: Image) -> NDArray[np.float32]:
        """An image as the network takes it, float32 (1, C, size, size) in unit levels."""
        ready = enhance(image, self.about.contrast) if self.about else image
        pixels = letterbox(ready, self.model.size, self.model.channels, 65535)[0].astype(np.float32) / np.float32(65535)
        return pixels[None, None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])

    def maps(self, image: Image, layer: str) -> Maps:
        """What a row's layers make of an image."""
        row = next((row for row in self.structure.rows if row.name == layer), None)
        if row is None:
            raise UsageError(f"The network has no layer '{layer}'.")
        x_NCHW = torch.from_numpy(self.entering(image))
        with _lock:
            found = feature_maps(self.model, x_NCHW, row.shown)[0]
        maps = found if found.ndim == 3 else found[None, None]
        peaks = maps.max((1, 2))
        order = np.argsort(-peaks, kind="stable")[:SHOWN]
        step = -(-max(maps.shape[1], 1 if found.ndim == 1 else maps.shape[2]) // LARGEST)
        thin = maps[order][:, ::step, ::step]
        highest = np.maximum(peaks[order], 1e-12)[:, None, None]
        grey = np.rint(np.clip(thin / highest, 0, 1) * 255).astype(np.uint8)
        weights = filters(self.model, layer)[order].mean(1) if row.kind == "convolution" else np.zeros((0, 0, 0))
        shown = tuple(tuple(map(tuple, one)) for one in weights.astype(float).round(5).tolist())
        silent = int((peaks <= 0).sum())
        return Maps(grey, tuple(order.tolist()), tuple(peaks[order].astype(float).tolist()), len(maps), silent, shown)

    def answer(self, image: Image, covered: Sequence[Unit] = ()) -> Answer:
        """What the model says of an image, some squares of which are covered. UsageError for a network without a run."""
        if self.about is None or self._run is None:
            raise UsageError("These weights have no classes of their own; choose the network of a finished run.")
        pixels = self.about.preparation.pixels(image).astype(np.float32) / np.float32(self.about.scale)
        x_NCHW = pixels[None, None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        side = x_NCHW.shape[-1]
        for one in covered:
            top, left, size = (round(part * side) for part in (one.top, one.left, one.side))
            x_NCHW[:, :, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = GREY
        with _lock:
            p_NK = self.about.probabilities(self._run(x_NCHW))
        called = next((each for each in self.about.answers(p_NK) if each.name == "decision"), None)
        told = dict(zip(self.about.classes, p_NK[0].tolist(), strict=True))
        return Answer(told, None if called is None else str(called[0]))

    def attribution(self, image: Image, method: str, target: str) -> NDArray[np.uint8]:
        """How much each pixel of what the network takes spoke for a class, uint8 (size, size)."""
        if self.about is None or target not in self.about.classes:
            raise UsageError(
                f"There is no class '{target}'; choose the network of a finished run and one of its classes."
            )
        if method not in ATTRIBUTIONS:
            raise UsageError(f"There is no attribution '{method}'; choose one of {', '.join(ATTRIBUTIONS)}.")
        with _lock:
            found = attribute(
                self.model, torch.from_numpy(self.entering(image)), self.about.classes.index(target), method
            )
        return np.asarray(np.rint(found[0] * 255), np.uint8)


def structure_of(network: str | Classifier, about: About | None = None, *, trained: bool = False) -> Structure:
    """The structure of a network by its spec (of 1000 classes, at 224 pixels), or of one that is there.

    >>> found = structure_of("vgg16")
    >>> found.parameters, len(found.rows), found.rows[0].shown, sum(row.parameters for row in found.rows)
    (138357544, 21, 'features.1', 138357544)
    """
    layers = anatomy(network)
    sums = totals(layers)
    spec, size, channels = network, 224, 3
    if not isinstance(network, str):
        spec, size, channels = network.description.spec, network.size, network.channels
    return Structure(
        str(spec), size, channels, about.classes if about else (), about.positive if about else "", sums["parameters"],
        sums["multiply_adds"], tuple(_rows(layers, channels)), trained, about is not None,
    )  # fmt: skip


def _rows(layers: Sequence[Layer], channels: int) -> list[Row]:
    groups: list[list[Layer]] = []
    for layer in layers:
        if layer.kind in FOLLOWING and groups:
            groups[-1].append(layer)
        else:
            groups.append([layer])
    found: list[Row] = []
    entering = channels
    for first, *rest in groups:
        kind = next((name for part, name in KINDS.items() if part in first.kind), "other")
        if kind == "linear" and found:
            entering = int(np.prod(found[-1].output))
        sight = first.sight
        found.append(
            Row(
                first.name, kind, first.kernel, first.stride, first.padding, entering, first.output,
                sum(one.parameters for one in (first, *rest)), first.multiply_adds,
                sight.field if sight else None, sight.jump if sight else None, sight.start if sight else None,
                (rest or [first])[-1].name,
            )
        )  # fmt: skip
        entering = first.output[0]
    return found


def offered(workplace: Workplace) -> list[tuple[str, str]]:
    """The networks to choose from, by key and name: finished runs of classes, trained weights that are at hand, VGG16 itself."""
    found = []
    for name in workplace.names:
        folder = workplace.folder(name)
        try:
            if (folder / "model.safetensors").is_file() and About.of_run(folder).task == "classify":
                found.append((f"run:{name}", name))
        except EvenrayError:
            continue
    vgg = [name for name, weight in at_hand().items() if weight.network.startswith("vgg")]
    return [*found, *((f"weights:{name}", name) for name in vgg), (PUBLISHED, "VGG16")]


def network_of(workplace: Workplace, key: str) -> Inside:
    """The network of a key of `offered`; Problem 404 where there is none."""
    kind, _, name = key.partition(":")
    if kind == "run":
        folder = workplace.folder(name)
        file = folder / "model.safetensors"
        if not file.is_file():
            raise Problem(404, "serve.unknown_path")
        return _of_run(folder, file.stat().st_mtime_ns)
    if kind == "weights" and name in at_hand():
        return _of_weights(name)
    raise Problem(404, "serve.unknown_path")


@lru_cache(maxsize=3)
def _of_run(folder: Path, stamp: int) -> Inside:
    keep_malloc()
    model = networks.first_alone(networks.load(folder / "model.safetensors"))
    return Inside(model, About.of_run(folder), folder)


@lru_cache(maxsize=1)
def _of_weights(name: str) -> Inside:
    keep_malloc()
    weight = at_hand()[name]
    channels = 1 if weight.channels == "grey" else 3
    model = networks.build(weight.network, classes=2, channels=channels, size=weight.size, pretrained=name)
    return Inside(model, None, None)
