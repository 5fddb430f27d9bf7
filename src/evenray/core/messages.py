"""Something to tell a person, before it is put into words: a code and its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import DataError

__all__ = ["Message"]


@dataclass(frozen=True)
class Message:
    """A code with its values; the sentence is made where it is shown, in the language of who reads it (core/texts.py).

    Values are numbers, short texts that come from the data (a class, a file), lists, tables of such, and other messages.
    A value named `count` chooses between one and many.

    >>> found = Message("scan.unlabelled", {"count": 3})
    >>> Message.of(found.as_json()) == found
    True
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values, which `of` reads back."""
        return {"code": self.code, "values": {name: _plain(value) for name, value in self.values.items()}}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Message:
        """The message that `as_json` wrote; DataError where an earlier version wrote a sentence."""
        if not isinstance(plain, Mapping):
            raise DataError(f"The run was made by an earlier version ('{plain}'); 'evenray run' on it makes it anew.")
        code, values = plain.get("code"), plain.get("values")
        if not isinstance(code, str) or not isinstance(values, Mapping):
            raise DataError(
                f"A message of the run is {dict(plain)!r:.80}, where a code and its values were expected; make it again."
            )
        return cls(code, {name: _message(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.as_json()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _message(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"code", "values"}:
        return Message.of(value)
    return [_message(item) for item in value] if isinstance(value, list) else value
