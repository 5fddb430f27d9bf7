"""Specs: the strings that name methods everywhere, in the command line, the recipe and the API.

`clahe(clip=2, tiles=8)` is one step; `percentile(1, 99) | gamma(0.8)` is a chain of two.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from .errors import UsageError

__all__ = ["Step", "by_class", "parse", "paths_in", "syntax", "without_paths"]

LONGEST, DEEPEST = 50_000, 50  # characters of a spec; steps in it
REFERENCE = "REFERENCE"  # stands for the path of what a contrast matches to
SHOWN = 200  # characters of a spec in an error

# Names of parameters, which are no names of classes there.
TAKEN = ("alpha", "beta", "class_weights", "positive", "classes", "costs", "points")


@dataclass(frozen=True)
class Step:
    """One step of a spec: a name and its arguments; prints back as it was read.

    >>> step = Step.of("clahe(clip=2, tiles=8)")
    >>> step.name, step.args, step.kwargs
    ('clahe', (), {'clip': 2, 'tiles': 8})
    >>> str(step)
    'clahe(clip=2, tiles=8)'
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, text: str) -> Step:
        """Read exactly one step; a chain raises UsageError."""
        steps = parse(text)
        if len(steps) != 1:
            raise UsageError(f"'{text}' is a chain of {len(steps)} steps where one is expected; give a single name.")
        return steps[0]


def parse(text: str) -> tuple[Step, ...]:
    """Read a spec into its steps. A bare word or a spec as a value is a string; UsageError says what cannot be read.

    >>> [step.name for step in parse("percentile(1, 99) | gamma(0.8)")]
    ['percentile', 'gamma']
    >>> parse("window(preset=lung)")[0].kwargs
    {'preset': 'lung'}
    >>> parse("local(linear | gamma(0.8), tiles=4)")[0].args
    ('linear | gamma(0.8)',)
    """
    return tuple(_step(node, text) for node in _links(syntax(text).body))


def syntax(text: str) -> ast.Expression:
    """A spec as Python's syntax tree, shallow enough to walk; UsageError where it has none.

    >>> syntax("gamma(" * 60 + ")" * 60)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: The spec 'gamma(gamma(...' cannot be read: it nests or chains more than 50 steps; ...
    """
    if len(text) > LONGEST:
        raise _unreadable(text, f"it has {len(text)} characters, and {LONGEST} are the most")
    if max(text.count("|"), text.count("(")) > DEEPEST:
        raise _unreadable(text, f"it nests or chains more than {DEEPEST} steps")
    try:
        return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(text, "it is not of the form name(value, key=value)") from error


def by_class(name: str, table: str, numbers: Mapping[str, float | str]) -> str:
    """The step that gives every class a number: by its name, or in the parameter `table` where a name is no plain word.

    >>> by_class("weighted", "class_weights", {"sick": 0.75, "healthy": 0.25}), by_class("cost", "costs", {"1": 500, "0": 1})
    ('weighted(sick=0.75, healthy=0.25)', "cost(costs={'1': 500, '0': 1})")
    """
    if all(of.isidentifier() and not iskeyword(of) and of not in TAKEN for of in numbers):
        return f"{name}({', '.join(f'{of}={number}' for of, number in numbers.items())})"
    return f"{name}({table}={{{', '.join(f'{of!r}: {number}' for of, number in numbers.items())}}})"


def paths_in(text: str) -> tuple[str, ...]:
    """The quoted values of a spec that are paths: they hold a slash or an ending and are no spec themselves.

    >>> paths_in("clahe(clip=0.5) | match('refs/kim.json')"), paths_in("local('match(a.json)')"), paths_in("match(normal)")
    (('refs/kim.json',), (), ())
    """
    try:
        tree = syntax(text)
    except UsageError:
        return ()
    quoted = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    inner = [path for value in quoted if "(" in value for path in paths_in(value)]
    return tuple(inner + [value for value in quoted if "(" not in value and any(mark in value for mark in "/\\.")])


def without_paths(text: str, *specs: str) -> str:
    """A text that quotes specs (itself, where none is named) with a word for each path in them: a path may name a patient.

    >>> without_paths("local(match('refs/kim.json'), tiles=4)")
    "local(match('REFERENCE'), tiles=4)"
    """
    for path in sorted({path for spec in specs or (text,) for path in paths_in(spec)}, key=len, reverse=True):
        text = text.replace(path, REFERENCE)
    return text


def _links(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_links(node.left), *_links(node.right)]
    return [node]


def _step(node: ast.expr, text: str) -> Step:
    source = ast.get_source_segment(text.strip(), node) or text
    if isinstance(node, ast.Name):
        return Step(node.id, (), {}, source)
    if isinstance(node, ast.Constant) and node.value is None:  # `None` typed for "none"
        return Step("none", (), {}, source)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise _unreadable(text, f"'{source}' is not a name or name(...)")
    kwargs: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _unreadable(text, "** is not allowed")
        if keyword.arg in kwargs:
            raise _unreadable(text, f"{keyword.arg} is given twice")
        kwargs[keyword.arg] = _value(keyword.value, text)
    return Step(node.func.id, tuple(_value(argument, text) for argument in node.args), kwargs, source)


def _value(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call | ast.BinOp):
        for link in _links(node):
            _step(link, text)  # unreadable where it is not a spec
        return ast.get_source_segment(text.strip(), node)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise _unreadable(text, f"'{ast.unparse(node)}' is not a number, a word, a quoted text or a list") from error


def _unreadable(text: str, why: str) -> UsageError:
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return UsageError(f"The spec '{shown}' cannot be read: {why}; write for instance clahe(clip=2) or gamma(0.8).")
