"""What a map yields in place of a result when the process that made it has died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

__all__ = ["Lost", "Parts"]


@dataclass(frozen=True)
class Lost:
    """No result: the item has ended its process, or gone beyond what one may cost; `reason` is what to tell of it."""

    reason: str


@runtime_checkable
class Parts(Protocol):
    """An item of several files. It is not lost as a whole: `without` is the item that sets aside one of its files."""

    def without(self, part: int, reason: str) -> Self: ...
