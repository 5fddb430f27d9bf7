"""NAME.json in the cache of trained weights: what a weight file is, and all that it takes to use it."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from .files import digest
from .record import Record

__all__ = ["NAME", "Weight"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Weight(Record):
    """A named weight file.

    `network` is the spec of the network that it fits, `size` the side of the images it was trained on in pixels. An image in
    unit levels (0 black, 1 white) is put into the order of `channels`, then `mean` is subtracted and `std` divided by, one
    value a channel in that order. `licence` is as its makers name it, `source` where it is from, `sha256` that of
    `weights_file`, which stands beside the record (an absolute path: where it stands). `multiply_adds` are those of one image
    of `size`, in 10^9. `own` are those that evenray trained: images of a later run may be among those they learnt from.

    >>> from pathlib import Path
    >>> about = Weight(name="mine", network="vgg16(head=average)", size=224, mean=(0.5,), std=(0.25,), channels="grey",
    ...     licence="CC0-1.0", source="ours", weights_file="mine.pth", sha256="0" * 64)
    >>> Weight.parsed(about.text(), Path("mine.json")) == about
    True
    """

    version: int = 1
    name: str
    network: str
    size: int = Field(ge=28, le=1024)
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: Literal["RGB", "BGR", "grey"] = "RGB"
    licence: str
    source: str
    weights_file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    multiply_adds: float | None = None
    own: bool = False

    @property
    def content(self) -> str:
        """Stands for the file and for how images are prepared for it, in the names of what came of both."""
        return digest([self.sha256, self.network, self.size, self.channels, self.mean, self.std])

    @property
    def fixed(self) -> bool:
        """Whether it takes images of its `size` alone and cannot be trained: a graph."""
        return self.network.startswith("onnx(")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("give letters, digits, '_', '-' and '.'")
        return name

    @field_validator("std")
    @classmethod
    def _positive(cls, std: tuple[float, ...]) -> tuple[float, ...]:
        if min(std, default=0) <= 0:
            raise ValueError("every value has to be above 0")
        return std
