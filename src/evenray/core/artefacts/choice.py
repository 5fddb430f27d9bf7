"""choice.json: what the comparison chose, and why."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import field_validator

from evenray.core.messages import Message

from .plan import of_a_message
from .record import Record

__all__ = ["Choice"]


class Choice(Record):
    """The contrast and the remedy to train with, and the network where several were compared."""

    file: ClassVar[str] = "choice.json"

    version: int = 1
    contrast: str
    balance: str
    network: str | None = None
    why: dict[str, Any]
    _why = field_validator("why")(of_a_message)

    @property
    def reason(self) -> Message:
        return Message.of(self.why)

    @property
    def named(self) -> dict[str, str]:
        """What was chosen, by name."""
        found = {"contrast": self.contrast, "balance": self.balance, "network": self.network}
        return {name: value for name, value in found.items() if value is not None}
