"""What long work tells whoever listens: typed events. The library itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from .errors import EvenrayError
from .messages import Message
from .understood import Understood

__all__ = [
    "Cancelled",
    "EpochDone",
    "Event",
    "Events",
    "Listener",
    "Map",
    "StageBegun",
    "StageDone",
    "Step",
    "Told",
    "Understanding",
    "watched",
]

Level = Literal["info", "note", "warning"]
Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


class Cancelled(EvenrayError):
    """Raised by a listener to end the work between two steps; the run folder stays whole, and the run can be resumed."""

    exit_code = 130


@dataclass(frozen=True)
class StageBegun:
    """A stage has begun to work."""

    stage: str

    def as_json(self) -> dict[str, Any]:
        return {"event": "stage_begun", "stage": self.stage}


@dataclass(frozen=True)
class StageDone:
    """A stage is done; `seconds` is None where nothing had to be done again."""

    stage: str
    seconds: float | None

    def as_json(self) -> dict[str, Any]:
        return {"event": "stage_done", "stage": self.stage, "seconds": self.seconds}


@dataclass(frozen=True)
class Step:
    """Step `done` of `total` of a task; the first event of a task has done 0, the last one `ended`."""

    task: Message
    done: int
    total: int
    ended: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "step",
            "task": self.task.as_json(),
            "done": self.done,
            "total": self.total,
            "ended": self.ended,
        }


@dataclass(frozen=True)
class EpochDone:
    """An epoch of the training of the network is done; `figures` are those of its row of history.csv, `member` counts from 1."""

    member: int
    figures: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        figures = {name: value if isfinite(value) else None for name, value in self.figures.items()}
        return {"event": "epoch_done", "member": self.member, "figures": figures}


@dataclass(frozen=True)
class Told:
    """Something to tell a person: how the work goes, what was understood, what went unused."""

    message: Message
    level: Level = "info"

    def as_json(self) -> dict[str, Any]:
        return {"event": "message", "level": self.level, **self.message.as_json()}


@dataclass(frozen=True)
class Understanding:
    """What the data were taken to mean, before images are read."""

    understood: Understood

    def as_json(self) -> dict[str, Any]:
        """Without what names people or files."""
        return {"event": "understood", **self.understood.kept().model_dump(mode="json")}


Event = StageBegun | StageDone | Step | EpochDone | Told | Understanding
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Events:
    """Sends events to a listener, or to nobody. A listener that raises `Cancelled` ends the work.

    >>> events = Events(lambda event: print(event.as_json()["event"]))
    >>> with events.task("task.reading", 2) as tick:
    ...     tick(2)
    step
    step
    step
    """

    listener: Listener | None = None

    def send(self, event: Event) -> None:
        if self.listener is not None:
            self.listener(event)

    def tell(self, code: str, level: Level = "info", **values: Any) -> None:
        """Send a message."""
        self.send(Told(Message(code, values), level))

    @contextmanager
    def task(self, code: str, total: int, **values: Any) -> Iterator[Callable[[int], None]]:
        """A task of `total` steps; inside, calling its value with a number moves on by as many."""
        task, done = Message(code, values), 0
        self.send(Step(task, 0, total))

        def tick(steps: int = 1) -> None:
            nonlocal done
            done += steps
            self.send(Step(task, done, total))

        try:
            yield tick
        finally:
            self.send(Step(task, done, total, ended=True))


def watched(map: Map, tick: Callable[[int], None], size: Callable[[Any], int]) -> Map:
    """A `map` that ticks as results come in; `size` says how much one item is."""

    def run(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for item, result in zip(items, map(function, items), strict=True):
            tick(size(item))
            yield result

    return run
