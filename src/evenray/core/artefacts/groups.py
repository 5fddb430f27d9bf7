"""groups.json: how far the figures of groups of patients lie apart."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from .record import Number, Record

__all__ = ["ComparedGroup", "GroupsRecord"]


class ComparedGroup(BaseModel):
    """A `metric` of the `patients` of a `group` of a `column` (of a `finding`, "" where an image has one class), that of the group
    `against` ("" for all others together), and their difference with its 95 % interval; p is corrected for all comparisons of
    the record in `p_holm`, and `detectable` is the difference that four in five such comparisons would have shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    finding: str
    column: str
    group: str
    against: str
    metric: str
    patients: int
    value: Number
    other: Number
    difference: Number
    low: Number
    high: Number
    p: Number
    p_holm: Number
    detectable: Number


class GroupsRecord(Record):
    """The comparisons on the test part; of `left_out` columns no two groups have enough patients of each class."""

    file: ClassVar[str] = "groups.json"

    version: Literal[1] = 1
    compared: tuple[ComparedGroup, ...]
    left_out: tuple[str, ...] = ()
