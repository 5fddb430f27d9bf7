"""Progress bars with the time left, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evenray.core.progress import plain

from ._app import screen

__all__ = ["Bars"]


class Bars:
    """Draws a bar for a task that is under way, and removes it when it is done."""

    def say(self, text: str) -> None:
        screen.print(text, soft_wrap=True)

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        columns = (
            TextColumn(plain(f"{title:22}")), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
            task = bars.add_task(title, total=total)
            yield lambda steps: bars.update(task, advance=steps)
