"""A JSON file of a run folder as a typed model: written in one form, read strictly, its errors in one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from evenray.core.errors import DataError

from .files import atomic

__all__ = ["Number", "Record"]

Number = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]  # NaN: not defined


class Record(BaseModel):
    """Base of the models; a subclass names its `file`. A `Number` that is not defined is NaN here and null in the file.

    >>> class Weather(Record):
    ...     file: ClassVar[str] = "weather.json"
    ...     degrees: float
    >>> Weather.parsed('{"degrees": "warm"}', Path("x/weather.json"))
    Traceback (most recent call last):
    ...
    evenray.core.errors.DataError: x/weather.json: degrees is 'warm', where a number was expected; ...
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null", protected_namespaces=()
    )

    file: ClassVar[str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record that stands in a folder; DataError where it is absent, damaged or of another shape."""
        path = folder / cls.file
        if not path.is_file():
            raise DataError(f"There is no {cls.file} in '{folder}'; 'evenray run {folder}' makes it.")
        return cls.parsed(path.read_bytes(), path, f"'evenray run {folder}' makes it again")

    @classmethod
    def parsed(cls, text: str | bytes, path: Path, fix: str = "make it again") -> Self:
        """The record in a JSON text; `path` and `fix` stand in the error."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DataError(
                f"{path}: {_wrong(error.errors()[0])}; the file was changed or damaged, or is of another version of evenray:"
                f" {fix}."
            ) from None

    def as_json(self) -> dict[str, Any]:
        """Plain values, None for numbers that are not defined."""
        found: dict[str, Any] = json.loads(self.model_dump_json())  # model_dump itself would leave them NaN
        return found

    def text(self) -> str:
        """The text of the file."""
        return json.dumps(self.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, folder: Path) -> list[str]:
        """Write the file, durably, and return its name."""
        with atomic(folder / self.file, durable=True) as path:
            path.write_text(self.text(), encoding="utf-8")
        return [self.file]


def _wrong(found: ErrorDetails) -> str:
    """What is wrong with which field, in words."""
    where = ".".join(map(str, found["loc"]))
    if found["type"] == "json_invalid":
        return "it holds no JSON"
    if found["type"] == "missing":
        return f"{where} is missing"
    if found["type"] == "extra_forbidden":
        return f"there is no field {where}"
    value = repr(found["input"])
    is_now = f"{where or 'it'} is {value if len(value) <= 60 else f'{value[:57]}...'}"
    if found["type"] == "value_error":
        return f"{is_now}: {found['msg'].removeprefix('Value error, ')}"
    return f"{is_now}, where {_expected(found['msg'])} was expected"


def _expected(message: str) -> str:
    """
    >>> _expected("Input should be a valid number, unable to parse string as a number"), _expected("Input should be 2")
    ('a number', '2')
    >>> _expected("Input should be a valid integer")
    'an integer'
    """
    what = message.split(",")[0].removeprefix("Input should be ").replace("a valid ", "a ")
    return re.sub(r"^a (?=[aeio])", "an ", what)
