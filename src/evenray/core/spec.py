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

__all__ = ["Step", "by_class", "parse"]

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
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(text, "it is not of the form name(value, key=value)") from error
    return tuple(_step(node, text) for node in _links(tree))


def by_class(name: str, table: str, numbers: Mapping[str, float | str]) -> str:
    """The step that gives every class a number: by its name, or in the parameter `table` where a name is no plain word.

    >>> by_class("weighted", "class_weights", {"sick": 0.75, "healthy": 0.25}), by_class("cost", "costs", {"1": 500, "0": 1})
    ('weighted(sick=0.75, healthy=0.25)', "cost(costs={'1': 500, '0': 1})")
    """
    if all(of.isidentifier() and not iskeyword(of) and of not in TAKEN for of in numbers):
        return f"{name}({', '.join(f'{of}={number}' for of, number in numbers.items())})"
    return f"{name}({table}={{{', '.join(f'{of!r}: {number}' for of, number in numbers.items())}}})"


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
    return UsageError(f"The spec '{text}' cannot be read: {why}; write for instance clahe(clip=2) or gamma(0.8).")
