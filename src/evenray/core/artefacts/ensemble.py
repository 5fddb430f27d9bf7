"""ensemble.json: the members of an ensemble, each with its scores and the paired differences of the ensemble to it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from .record import Number, Record
from .scores import Figure

__all__ = ["Difference", "EnsembleMember", "EnsembleRecord"]


class Difference(BaseModel):
    """A paired difference with its 95 % interval and p."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    value: Number
    low: Number
    high: Number
    p: Number


class EnsembleMember(BaseModel):
    """A run, its share, and how far the ensemble is from it on the test part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    weight: float
    network: str
    contrast: str
    balance: str
    threshold: float | None
    test: dict[str, Figure]
    difference: dict[str, Difference]


class EnsembleRecord(Record):
    """What ensemble.json tells."""

    file: ClassVar[str] = "ensemble.json"

    version: int = 2
    members: tuple[EnsembleMember, ...]
    test: dict[str, Figure]
    threshold: float | None
