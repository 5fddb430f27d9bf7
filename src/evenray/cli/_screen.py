"""What people see while the work goes on: events as lines and bars on standard error, in the language asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from evenray.core.events import Event, Listener, StageDone, Step, Told, Understanding
from evenray.core.names import printable, printable_json
from evenray.core.recipe import ReportSettings

if TYPE_CHECKING:
    from evenray.core.texts import Texts

__all__ = ["Watcher", "cell", "print_json", "say", "screen", "watching"]

screen = Console(stderr=True, highlight=False)  # people read standard error, scripts standard output
COLOURS = {"warning": "yellow", "error": "red"}


def say(text: str, style: str = "", mark: str = "", mark_style: str = "") -> None:
    """A line for people, after a coloured mark where there is one. The text may hold names of files: it stands for itself,
    whatever brackets it has, and what could steer the terminal is escaped."""
    line = Text(printable(mark), mark_style)
    screen.print(line.append(f"{' ' if mark else ''}{printable(text)}", style or "default"), soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    print(printable_json(json.dumps(value, ensure_ascii=False, allow_nan=False)))


def cell(text: str) -> Text:
    """A cell of a table: a text that stands for itself."""
    return Text(printable(text))


class Watcher:
    """Shows events: stages and messages as lines, a bar for the task that is under way."""

    def __init__(self, lang: str = "en") -> None:
        self.lang = lang
        self.bars: Progress | None = None
        self._texts: Texts | None = None

    @property
    def texts(self) -> Texts:
        if self._texts is None:
            from evenray.reporting.language import Language

            self._texts = Language(self.lang)
        return self._texts

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageDone):
            unchanged = event.seconds is None
            told = self.texts("events.unchanged") if event.seconds is None else f"{event.seconds:7.1f} s"
            say(told, mark=f"{event.stage:9}", mark_style="dim" if unchanged else "green")
        elif isinstance(event, Told):
            level = event.message.values.get("severity", event.level)
            mark = "" if level == "info" else self.texts(f"events.{level}")
            say(self.texts.message(event.message), mark=mark, mark_style=COLOURS.get(level, "dim"))
        elif isinstance(event, Understanding):
            from ._understood import understood_lines

            for line in understood_lines(event.understood, self.texts):
                screen.print(line, soft_wrap=isinstance(line, str))
        elif isinstance(event, Step):
            self._bar(event)

    def _bar(self, event: Step) -> None:
        if not screen.is_terminal:
            return
        if self.bars is None:
            title = TextColumn(
                printable(f"{self.texts.message(event.task):22}").replace("{", "{{").replace("}", "}}"), markup=False
            )
            left = TextColumn(self.texts("events.left"))
            self.bars = Progress(
                title, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), left, TimeRemainingColumn(),
                console=screen, transient=True,
            )  # fmt: skip
            self.bars.start()
            self.bars.add_task("", total=event.total)
        self.bars.update(self.bars.task_ids[0], completed=event.done)
        if event.ended:
            self.bars.stop()
            self.bars = None


@contextmanager
def watching(lang: str | None = None, file: Path | None = None) -> Iterator[Listener]:
    """A listener that shows events, and writes them to a file as JSON lines where one is named."""
    watcher = Watcher(
        ReportSettings.of({"lang": lang or "en"}).lang
    )  # an unknown language is told before the work begins
    if file is None:
        yield watcher
        return
    with file.open("a", encoding="utf-8") as lines:

        def both(event: Event) -> None:
            lines.write(printable_json(json.dumps(event.as_json(), ensure_ascii=False, default=str)) + "\n")
            lines.flush()
            watcher(event)

        yield both
