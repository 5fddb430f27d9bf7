"""Registries: explicit, lazy, greppable tables from a name to `module:function`, one for each kind of plug-in; what other
installed packages add under `evenray.KIND` (see plugins.py) stands behind them.

A registered function takes its context first (a histogram, the class counts, ...) and its parameters after it.
Parameters are validated from the signature: write bounds as `Annotated[float, Gt(0)]` with annotated_types.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib.metadata import EntryPoint
from typing import Any, get_type_hints

from .errors import UsageError, unknown_name
from .plugins import added, group, loaded
from .spec import Step

__all__ = ["Registry"]


class Registry(Mapping[str, Callable[..., Any]]):
    """A table of one kind of plug-in; looking a name up imports its module, and nothing before that.

    `context` is how many leading parameters the caller fills in; the rest come from the spec.

    >>> registry = Registry("root", {"isqrt": "math:isqrt"}, context=1)
    >>> registry["isqrt"](10), list(registry)
    (3, ['isqrt'])
    >>> registry["sqr"]
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: There is no root named 'sqr'; did you mean isqrt? Known: isqrt.
    """

    def __init__(self, kind: str, table: dict[str, str], context: int) -> None:
        self.kind, self.table, self.context = kind, table, context

    def __getitem__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any]
        if name in self.table:
            module, _, function = self.table[name].partition(":")
            found = getattr(importlib.import_module(module), function)
            return found
        if name not in self._added:
            raise unknown_name(self.kind, name, list(self))
        found = loaded(self._added[name])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.table or name in self._added

    def __iter__(self) -> Iterator[str]:
        yield from self.table
        yield from self._added

    def __len__(self) -> int:
        return len(self.table) + len(self._added)

    @property
    def _added(self) -> Mapping[str, EntryPoint]:
        return added(group(self.kind), tuple(self.table))

    def parameters(self, name: str) -> dict[str, inspect.Parameter]:
        """The parameters that a spec may give for `name`, in order."""
        signature = inspect.signature(self[name])
        return dict(list(signature.parameters.items())[self.context :])

    def bind(self, step: Step | str) -> partial[Any]:
        """The function of one step with its parameters filled in and checked; it still takes its context.

        >>> Registry("root", {"isqrt": "math:isqrt"}, context=1).bind("isqrt(3)")
        Traceback (most recent call last):
        ...
        evenray.core.errors.UsageError: isqrt(3): too many positional arguments; isqrt takes no parameters.
        """
        if isinstance(step, str):
            step = Step.of(step)
        function = self[step.name]
        parameters = self.parameters(step.name)
        try:
            bound = inspect.Signature(list(parameters.values())).bind(*step.args, **step.kwargs)
        except TypeError as error:
            takes = ", ".join(map(_shown, parameters.values())) or "no parameters"
            raise UsageError(f"{step}: {error}; {step.name} takes {takes}.") from None
        hints = _hints(function)
        values: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                values |= {key: _checked(step, key, item, hints.get(name)) for key, item in value.items()}
            else:
                values[name] = _checked(step, name, value, hints.get(name))
        return partial(function, **values)


def _shown(parameter: inspect.Parameter) -> str:
    """A parameter as a spec gives it: its name and its default.

    >>> [_shown(p) for p in inspect.signature(round).parameters.values()]
    ['number', 'ndigits=None']
    """
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "further parameters by name"
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default}"


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _checked(step: Step, name: str, value: Any, hint: Any) -> Any:
    if hint is None:
        return value
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    try:
        return TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False)).validate_python(value)
    except ValidationError as error:
        wrong = error.errors()[0]["msg"]
        wrong = wrong[0].lower() + wrong[1:]
        raise UsageError(f"{step}: {name} is {value!r}, but {wrong}; change it, or leave it out.") from None
