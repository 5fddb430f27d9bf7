"""The arguments of public functions, checked against their own annotations before anything is done."""

from __future__ import annotations

import inspect
import os
import types
import typing
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

from .errors import UsageError

__all__ = ["checked", "checked_class"]

NUMBERS: dict[Any, Any] = {int: int, float: int | float}
PLAIN = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
    bytes: "bytes",
}
MADE_BY = {
    "Image": "what evenray.read returns", "Dataset": "what evenray.scan returns", "Histogram": "an evenray.Histogram",
    "Recipe": "an evenray.Recipe", "Predictions": "predictions, such as a run's", "ndarray": "an array", "Sequence": "a list",
    "Iterable": "a list", "Mapping": "a dictionary", "dict": "a dictionary", "Callable": "a function",
}  # fmt: skip
SHOWN = 60
VARIOUS = inspect.Parameter.VAR_KEYWORD
Function = TypeVar("Function", bound=Callable[..., Any])
Kind = TypeVar("Kind")


@lru_cache
def checked(function: Function, name: str = "") -> Function:
    """The function, which first checks how it is called: UsageError names the argument, its value and what was expected.

    Values are passed on as they are. An annotation that says nothing that can be checked (Any) allows everything.

    >>> def double(number: int, *, times: float = 1.0) -> float: return number * 2 * times
    >>> checked(double)(3)
    6.0
    >>> checked(double)("3")
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: double: number is '3'; give a whole number.
    >>> checked(double)(3, time=2)
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: double: there is no argument 'time'; it takes number, times.
    """
    signature = inspect.signature(function)
    name = name or function.__name__
    takes = ", ".join(
        each
        for each, about in signature.parameters.items()
        if about.kind is not VARIOUS and each not in ("self", "cls")
    )

    @wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        try:
            given = signature.bind(*values, **named).arguments
        except TypeError as error:
            raise UsageError(f"{name}: {_misfit(signature, named, str(error))}; it takes {takes}.") from None
        kinds = _annotations(function)
        for argument, value in given.items():
            if argument in kinds and signature.parameters[argument].kind not in (
                VARIOUS,
                inspect.Parameter.VAR_POSITIONAL,
            ):
                _check(f"{name}: {argument}", value, kinds[argument])
        return function(*values, **named)

    if "." not in function.__qualname__:  # where it is found again when it is sent to another process
        call.__module__ = "evenray"
    return typing.cast(Function, call)


def checked_class(kind: type[Kind]) -> type[Kind]:
    """A public class whose constructor and other makers (class methods) check how they are called, as `checked` does."""
    for name, about in list(vars(kind).items()):
        if name == "__init__":
            setattr(kind, name, checked(about, kind.__name__))
        elif isinstance(about, classmethod) and not name.startswith("_"):
            setattr(kind, name, classmethod(checked(about.__func__, f"{kind.__name__}.{name}")))
    return kind


@lru_cache
def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    found = typing.get_type_hints(function)
    found.pop("return", None)
    return {name: annotation for name, annotation in found.items() if annotation is not Any}


def _check(argument: str, value: Any, annotation: Any) -> None:
    if not _fits(value.item() if isinstance(value, np.generic) else value, annotation):
        shown = repr(value)
        if len(shown) > SHOWN or "\n" in shown:
            shown = f"a value of the type {type(value).__name__}"
        raise UsageError(f"{argument} is {shown}; give {_expected(annotation)}.")


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of the kind that an annotation says; what cannot be told is."""
    annotation = getattr(annotation, "__value__", annotation)  # of `type X = ...`
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if annotation in NUMBERS:
        return isinstance(value, NUMBERS[annotation]) and not isinstance(value, bool)
    if origin is tuple:
        several = parts[-1] is Ellipsis
        fits = isinstance(value, tuple | list) and (several or len(value) == len(parts))
        return fits and all(_fits(each, parts[0] if several else parts[at]) for at, each in enumerate(value))
    kind = origin or annotation
    if not inspect.isclass(kind) or kind is object:
        return True
    if origin is not None and issubclass(kind, Iterable) and isinstance(value, str | bytes):
        return False  # a text is a list of letters, which nobody means
    try:
        fits = isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return True
    if fits and parts and isinstance(value, list | tuple | set):
        return all(_fits(each, parts[0]) for each in value)
    return fits


def _expected(annotation: Any) -> str:
    """What an annotation asks for, in words.

    >>> _expected(str | None), _expected(tuple[float, float]), _expected(Literal["a", "b"])
    ('text or None', 'a pair of numbers', "'a' or 'b'")
    """
    annotation = getattr(annotation, "__value__", annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_expected(part) for part in parts))
    if origin is Literal:
        return " or ".join(repr(part) for part in parts)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is tuple:
        return "a pair of numbers" if parts == (float, float) else "a tuple"
    kind = origin or annotation
    if not inspect.isclass(kind):
        return "another value"
    if kind.__name__ in MADE_BY:
        return MADE_BY[kind.__name__]
    return "a path" if issubclass(kind, os.PathLike) else f"a value of the type {kind.__name__}"


def _misfit(signature: inspect.Signature, named: dict[str, Any], error: str) -> str:
    """What is wrong with the arguments of a call that does not fit."""
    strange = [name for name in named if name not in signature.parameters]
    return f"there is no argument '{strange[0]}'" if strange else error
