"""robustness.json: what becomes of the figures as images get worse, with the run's contrast and with another."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from .record import Number, Record
from .scores import Gap

__all__ = ["ALL", "FEW", "Degraded", "Measured", "NetworkRobustness", "RobustnessRecord"]

ALL = "all"  # the mean over the corruptions
FEW = 20  # patients of a class, below which intervals of resamples are too narrow to judge by


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Measured(_Part):
    """A figure with its 95 % interval over patients."""

    value: Number
    low: Number
    high: Number


class Degraded(_Part):
    """The figures of one network under a corruption at a grade."""

    corruption: str
    grade: int
    figures: dict[str, Measured]


class NetworkRobustness(_Part):
    """A network trained on images of a `contrast`: its figures on clean images, under each corruption and grade, and `lost`: by
    how much the mean over the grades of a corruption (and over ALL corruptions) lies below the clean figure."""

    contrast: str
    clean: dict[str, Measured]
    degraded: tuple[Degraded, ...]
    lost: dict[str, dict[str, Gap]]


class RobustnessRecord(Record):
    """The first of `networks` is the run's own. Of two, `steadier` has by corruption and figure how much more the second one
    loses, on the same images: above 0 the run's own network is the steadier one. `part` is what was corrupted: the validation
    part where a run has no test part; `fewest` are its patients of the rarest class."""

    file: ClassVar[str] = "robustness.json"

    version: Literal[1] = 1
    part: Literal["test", "validation"]
    cases: int
    patients: int
    fewest: int
    networks: tuple[NetworkRobustness, ...]
    steadier: dict[str, dict[str, Gap]]
