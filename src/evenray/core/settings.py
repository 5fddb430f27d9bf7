"""Settings: each is declared once, with its type, default, bounds and help; everything that depends on it follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from .errors import UsageError

__all__ = ["DATA", "MACHINE", "METHOD", "Declared", "Form", "SeedSettings", "Settings", "declared", "setting"]

DATA, METHOD, MACHINE = "The data", "The method", "The machine"

# How a value is typed on a command line or shown in a form:
# text, number, flag; choice of a Literal; specs: several methods; pair: LOW,HIGH; names: several words;
# texts: several texts, as they are; values: NAME=VALUE; shares: a number, or CLASS=NUMBER for each class.
Form = Literal["text", "number", "flag", "choice", "specs", "pair", "names", "texts", "values", "shares"]
Content = Literal["file", "place", "contrast", "input"]


@dataclass(frozen=True)
class Declared:
    """What is known of a setting beside its type: from here come options, forms, checks, keys and the documentation.

    `whole` says that a number is a whole one; `expected` completes "NAME is VALUE; "; `content` says that the value names
    files, which count by what they hold: "file" one, "place" a file or a folder, "contrast" those that specs match to, "input" one
    that a stage reads as an artefact.
    """

    name: str
    default: Any
    help: str
    panel: str
    form: Form
    whole: bool
    expected: str
    choices: tuple[str, ...]
    example: str
    content: Content | None

    @property
    def option(self) -> str:
        """
        >>> from evenray.core.recipe import Recipe
        >>> declared(Recipe)["learning_rate"].option
        '--learning-rate'
        """
        return f"--{self.name.replace('_', '-')}"


def setting(
    default: Any, help: str, *, panel: str = METHOD, form: Form | None = None, expected: str = "", example: str = "",
    content: Content | None = None, **bounds: Any,
) -> Any:  # fmt: skip
    """Declare a setting as the default of a field of `Settings`; `bounds` are pydantic's: ge, gt, le, lt, min_length."""
    about: Any = {"panel": panel, "form": form, "expected": expected, "example": example, "content": content}
    return Field(default, description=help, json_schema_extra=about, **bounds)


class Settings(BaseModel):
    """Named values that are checked once and never change. UsageError says what is wrong with which.

    >>> class Cooking(Settings):
    ...     minutes: int = setting(10, "How long it boils.", ge=1)
    >>> Cooking(minutes=0)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: minutes is 0; give a whole number from 1 up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        plain = {name: str(value) if isinstance(value, PurePath) else value for name, value in values.items()}
        try:
            super().__init__(**plain)
        except ValidationError as error:
            raise UsageError(_sentence(type(self), error)) from None

    @classmethod
    def of(cls, values: Settings | Mapping[str, Any]) -> Self:
        """These settings out of others that have them too; what is not among these is left out."""
        given = values if isinstance(values, Mapping) else dict(values)
        return cls(**{name: given[name] for name in cls.model_fields if name in given})

    def but(self, **changes: Any) -> Self:
        """The same settings with some changed."""
        return type(self)(**{**dict(self), **changes})

    def as_json(self) -> dict[str, Any]:
        """Plain values, which `of` reads back."""
        found: dict[str, Any] = self.model_dump(mode="json")
        return found


class SeedSettings(Settings):
    """What everything random shares."""

    seed: int = setting(0, "The seed of everything random.", panel=MACHINE, ge=0)


def declared(settings: type[Settings]) -> dict[str, Declared]:
    """Every setting of a class by its name, in the order in which they are declared."""
    return {name: _declared(name, field) for name, field in settings.model_fields.items()}


def _declared(name: str, field: FieldInfo) -> Declared:
    about: Any = field.json_schema_extra or {}
    kinds = set(_plain_types(field.annotation))
    choices = tuple(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind))
    form: Form = about.get("form") or (
        "choice" if choices else "flag" if bool in kinds else "number" if kinds & {int, float} else "text"
    )
    whole = int in kinds
    lowest = next((item.ge for item in field.metadata if hasattr(item, "ge")), None)
    expected = about.get("expected") or (
        f"give {', '.join(choices[:-1])} or {choices[-1]}"
        if choices
        else f"give a {'whole ' if whole else ''}number{'' if lowest is None else f' from {lowest} up'}"
        if form == "number"
        else "give another value"
    )
    return Declared(
        name, field.default, field.description or "", about.get("panel", ""), form, whole, expected, choices,
        about.get("example", ""), about.get("content"),
    )  # fmt: skip


def _plain_types(annotation: Any) -> Iterator[Any]:
    """The types that a value may have: those of a union one by one, and those of `type X = ...` by their meaning."""
    if get_origin(annotation) in (None, Literal, tuple, dict, list):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _plain_types(part)


def _sentence(settings: type[Settings], error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"There is no setting '{name}'; known: {', '.join(settings.model_fields)}."
    about = declared(settings)[name]
    value = first["input"] if len(first["loc"]) == 1 else _whole(error, name, first["input"])
    shown = f"'{value}'" if isinstance(value, str) else value
    return f"{name} is {shown}; {about.expected}{f', such as {about.example}' if about.example else ''}."


def _whole(error: ValidationError, name: str, part: Any) -> Any:
    """The value as it was given, where only a part of it is wrong."""
    return next((each["input"] for each in error.errors() if each["loc"] == (name,)), part)
