"""Messages as fields of records: JSON in a file, messages among their values restored as well."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PlainSerializer

from .messages import Message

__all__ = ["Told"]

Told = Annotated[Message, AfterValidator(lambda found: Message.of(found.as_json())), PlainSerializer(Message.as_json)]
