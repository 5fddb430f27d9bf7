"""A package of others that adds one of each kind: what a plug-in looks like, in some forty lines."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt

from evenray.core.findings import Finding
from evenray.core.types import Curve, Dataset, Image
from evenray.images.histogram import Histogram
from evenray.images.readers import Identity
from evenray.images.readers._source import Source, part_of
from evenray.learning.balance import Balance
from evenray.learning.networks._layers import Width, conv_relu, scaled
from evenray.learning.networks._network import ConvNet, conv_net


def brighten(histogram: Histogram, power: Annotated[float, Gt(0)] = 0.5) -> Curve:
    """A contrast method: dark levels made brighter."""
    return Curve(histogram.unit_levels**power)


def rarest_first(class_counts: np.ndarray) -> Balance:
    """A remedy: every case once, those of the rarest class first."""
    return Balance(sampler=lambda targets_N, *, batch, seed, epoch: np.argsort(class_counts[targets_N], kind="stable"))


def tiny(classes: int, channels: int, size: int, *, width: Width = 1.0) -> ConvNet:
    """A network of one convolution."""
    maps = scaled(32, width)
    return conv_net(
        conv_relu(channels, maps, 3, padding=1),
        maps,
        classes,
        channels,
        size,
        head="average",
        dropout=0.0,
        wide=(),
        grid=None,
    )


def few_cases(dataset: Dataset) -> list[Finding]:
    """An audit check, whose words stand in plugin_texts/."""
    return [Finding("few_cases", "warning", evidence={"count": len(dataset)})] if len(dataset) < 10 else []


def sniff(head: bytes) -> bool:
    return head.startswith(b"GREYS")


def read(source: Source, fragment: str = "", value_range: object = None, window: object = "header") -> Image:
    """A reader of files such as 'GREYS 3 0 128 255': a line of grey values of so many columns."""
    part_of(source.path, fragment, "page", 1)
    width, *values = (int(word) for word in source.data.split()[1:])
    pixels = np.array(values, np.uint8).reshape(-1, width)
    return Image(pixels, (0.0, 255.0), sha256=source.sha256, header={"format": "greys", "range_from": "file"})


def fragments(source: Source) -> list[str]:
    return [""]


def identity(source: Source) -> Identity:
    return Identity()
