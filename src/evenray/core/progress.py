"""Progress: what long work tells whoever watches. The command line draws bars; the library is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

__all__ = ["Progress", "Silent", "plain", "watched"]


class Progress(Protocol):
    """Something that shows how far the work is."""

    def say(self, text: str) -> None:
        """A line that stays; words in brackets are markup of rich, so what comes from data is made `plain` first."""

    def task(self, title: str, total: int) -> Any:
        """A context manager; inside it, calling its value with a number moves on by that much."""


class Silent:
    """Shows nothing.

    >>> with Silent().task("work", 3) as tick:
    ...     tick(1)
    """

    def say(self, text: str) -> None:
        return

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        yield lambda steps: None


def plain(text: str) -> str:
    """Text that stands for itself, whatever brackets a class name may have.

    >>> plain("class [sick]")
    'class \\\\[sick]'
    """
    from rich.markup import escape

    return escape(text)


def watched(
    map: Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]],
    tick: Callable[[int], None],
    size: Callable[[Any], int],
) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` that ticks as results come in; `size` says how much one item is."""

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for item, result in zip(items, map(function, items), strict=True):
            tick(size(item))
            yield result

    return run
