"""Contrast methods as forms: the parameters of each, from its own signature, with the ends of a slider."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types

from evenray.core.spec import parse
from evenray.images.contrast import contrasts
from evenray.images.contrast._kinds import needs_pixels
from evenray.images.contrast._reference import DISTRIBUTIONS
from evenray.images.ct_windows import CT_WINDOWS

__all__ = ["Method", "Parameter", "methods"]

Kind = Literal["number", "whole", "grey", "switch", "choice", "points"]
WIDE = 10  # times the default: as far as a slider goes where the bound is out of all reach
OPEN = 4  # times the default: as far as it goes where there is no bound
NEAR = 0.01  # of the way to an open end, which is not in reach itself


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method, as a form shows it.

    `kind` is number, whole (a whole number), grey (a level of the image, whose range is the slider's), switch, choice, or points
    (of a curve that is drawn). `low` and `high` are the ends of the slider, None where it has none; `optional` says that nothing
    need be given.
    """

    name: str
    kind: Kind
    default: float | bool | str | None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Method:
    """A contrast method: whether it needs the `pixels` (others are a curve), what it does in a line, and its parameters."""

    name: str
    pixels: bool
    about: str
    parameters: tuple[Parameter, ...]


def methods() -> tuple[Method, ...]:
    """Every contrast method, in the order of the registry.

    >>> gamma = next(method for method in methods() if method.name == "gamma")
    >>> [(one.name, one.default, one.low, one.high) for one in gamma.parameters]
    [('gamma', 1.0, 0.04, 4.0), ('gain', 1.0, 0.04, 4.0)]
    """
    return tuple(_method(name) for name in contrasts)


def _method(name: str) -> Method:
    function = contrasts[name]
    hints = get_type_hints(function, include_extras=True)
    parameters = (_parameter(one, hints.get(key)) for key, one in contrasts.parameters(name).items())
    about = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
    return Method(name, needs_pixels(function), about, tuple(one for one in parameters if one))


def _parameter(declared: inspect.Parameter, hint: Any) -> Parameter | None:
    """How a form shows a parameter; None for one that no form can."""
    kinds, bounds, optional, words = _read(hint)
    name, default = declared.name, declared.default
    if name == "reference":
        words = DISTRIBUTIONS
    elif name == "preset":
        words = tuple(CT_WINDOWS)
    elif name == "method":
        words = tuple(one for one in contrasts if one not in ("none", "voi") and not needs_pixels(contrasts[one]))
    if words:
        chosen = default if default is None or default in words else parse(str(default))[0].name
        return Parameter(name, "choice", chosen, choices=words, optional=optional)
    if bool in kinds:
        return Parameter(name, "switch", default)
    if list in kinds:
        return Parameter(name, "points", None, optional=True)
    if not kinds & {int, float}:
        return None
    if default is None and not bounds:  # a grey level, or a width in grey levels
        return Parameter(name, "grey", None, optional=True)
    whole = float not in kinds
    low, high = _ends(bounds, float(default or 2.0), whole)
    kind: Kind = "grey" if name == "width" else "whole" if whole else "number"
    return Parameter(name, kind, default, low, high, optional=optional)


def _ends(bounds: Mapping[str, float], default: float, whole: bool) -> tuple[float, float]:
    """The ends of a slider: the bounds, and where there are none, or none in reach, multiples of the default."""
    high = bounds.get("le", bounds.get("lt", OPEN * abs(default) or 1.0))
    if abs(default) and high > (WIDE if whole else WIDE * WIDE) * abs(default):
        high = (OPEN if whole else WIDE) * abs(default)
    low = bounds.get("ge", bounds.get("gt", 0.0))
    step = 1.0 if whole else NEAR * (high - low)
    return (low + step if "gt" in bounds else low), (high - step if "lt" in bounds else high)


def _read(hint: Any) -> tuple[set[type], dict[str, float], bool, tuple[str, ...]]:
    """The types in a hint, its bounds by name (gt, ge, lt, le), whether None is one of them, and the words of a Literal."""
    kinds, bounds, words, optional = set[type](), dict[str, float](), list[str](), False
    for part, marks in _parts(hint, ()):
        if part is type(None):
            optional = True
        elif get_origin(part) is Literal:
            words += get_args(part)
        else:
            kinds.add(get_origin(part) or part)
            for mark in marks:
                bounds |= {
                    key: float(value)
                    for key in ("gt", "ge", "lt", "le")
                    if (value := getattr(mark, key, None)) is not None
                }
    return kinds, bounds, optional, tuple(words)


def _parts(hint: Any, marks: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    if get_origin(hint) is Annotated:
        inner, *own = get_args(hint)
        grouped = [list(mark) if isinstance(mark, annotated_types.GroupedMetadata) else [mark] for mark in own]
        yield from _parts(inner, (*marks, *(mark for group in grouped for mark in group)))
    elif get_origin(hint) in (Union, types.UnionType):
        for one in get_args(hint):
            yield from _parts(one, marks)
    elif get_origin(hint) is not tuple:  # a pair of sides: the form offers one for both
        yield hint, marks
