"""design.json: whether one part is tested on or the whole procedure is cross-validated, and why."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from evenray.core.messages import Message

from .plan import of_a_message
from .record import Record

__all__ = ["DesignRecord"]


class DesignRecord(Record):
    """`name` is split or nested; a nested one has `folds` outer folds and is repeated `repeats` times, 0 of each otherwise."""

    file: ClassVar[str] = "design.json"

    version: Literal[1] = 1
    name: Literal["split", "nested"]
    folds: int = 0
    repeats: int = 0
    why: dict[str, Any]
    _why = field_validator("why")(of_a_message)

    @property
    def nested(self) -> bool:
        return self.name == "nested"

    @property
    def reason(self) -> Message:
        return Message.of(self.why)
