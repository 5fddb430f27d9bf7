"""model.json: what a network was trained on, and how images are prepared for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator

from evenray.core.annotations import Task
from evenray.core.spec import paths_in

from .record import Record

__all__ = ["DistributionRecord", "HistogramRecord", "ModelRecord", "NetworkRecord", "TrainingCounts"]


class NetworkRecord(Record):
    """What `networks.restore` needs beside the weights, of which these fields are read elsewhere too."""

    model_config = ConfigDict(extra="allow")

    spec: str
    classes: int
    channels: int
    size: int
    scale_jitter: tuple[float, float] | None = None
    members: int = 1
    parts: tuple[NetworkRecord, ...] = ()

    @property
    def named(self) -> str:
        """The specs of all that is averaged.

        >>> one, other = (NetworkRecord(spec=spec, classes=2, channels=1, size=28) for spec in ("vgg11", "vgg16"))
        >>> one.model_copy(update={"parts": (one.model_copy(update={"members": 3}), other)}).named
        '3 × vgg11 + vgg16'
        """
        if self.parts:
            return " + ".join(part.named for part in self.parts)
        return f"{self.members} × {self.spec}" if self.members > 1 else self.spec


class HistogramRecord(Record):
    """A histogram that the contrast matches images to."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    missing: int
    resolution: float | None

    @classmethod
    def of(cls, histogram: Mapping[str, Any]) -> Self:
        """From what `Histogram.as_json` gives."""
        return cls.model_validate_json(json.dumps(histogram))


class DistributionRecord(Record):
    """The training images as `learning.predict.out_of_distribution` describes them.

    `seen` are their channels, bits and photometric interpretations. `middle` and `spread` (below and above it) are of the
    logarithms of size, aspect, noise and sharpness, and of the likeness to the mean picture. `shapes` hold a mean and a
    whitening matrix each, float32 as base64. `limits` say how far each number may be; `rates` are the shares of the
    training images, "all" and by class, that exceed one.
    """

    seen: dict[str, tuple[int | str, ...]]
    middle: dict[str, float]
    spread: dict[str, tuple[float, float]]
    shapes: dict[str, tuple[str, str]]
    limits: dict[str, float]
    rates: dict[str, float]
    cases: int

    @property
    def false_flags(self) -> float:
        """The share of images like the training images that is flagged: as measured, or what so few images can promise."""
        return max(self.rates["all"], 1 / (self.cases + 1))


class TrainingCounts(BaseModel):
    """What is kept of the targets of the training part: images a class (of findings those that have it); of findings also
    those known to have it not, and the share that has it among the images drawn by a sampler, None without one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    present: tuple[int, ...]
    absent: tuple[int, ...] = ()
    drawn: tuple[float, ...] | None = None


class ModelRecord(Record):
    """`counts` are the training images of each class and `prior` their shares (of findings those of each that have it);
    `scale` is white in the prepared pixels, 255 or 65535; `native` is the side of the images themselves, `image_side` that of the
    prepared pixels where the network looks at patches of them;
    `references` are histograms by the names that `contrast` has for them; `findings` holds the counts of a task of
    findings.
    """

    file: ClassVar[str] = "model.json"

    version: Literal[2] = 2
    task: Task = "classify"
    classes: tuple[str, ...]
    positive: str
    contrast: str
    balance: str
    prior: tuple[float, ...]
    counts: tuple[int, ...]
    findings: TrainingCounts | None = None
    value_range: tuple[float, float] | None
    scale: int
    native: int
    image_side: int | None = None
    network: NetworkRecord
    training_images: DistributionRecord | None
    references: dict[str, HistogramRecord]

    @field_validator("contrast")
    @classmethod
    def _names_no_file(cls, spec: str) -> str:
        """A model carries what its contrast matches to; it may come from anywhere, and makes nobody read a file."""
        if found := paths_in(spec):
            raise ValueError(f"a contrast without files was expected, and it names {found[0]}")
        return spec
