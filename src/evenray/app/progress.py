"""How the job of a run goes, folded from the events that it has written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel

from evenray.core.errors import EvenrayError
from evenray.core.messages import Message
from evenray.core.recipe import STAGES
from evenray.core.run import Run
from evenray.core.texts import Texts

from .jobs import EVENTS, State, error_of, state_of

__all__ = ["Follower", "Progress", "StageSeen", "Told"]

KEPT = 60  # messages


class StageSeen(BaseModel):
    """A stage: waiting, at work, or done (`seconds` is None where nothing had to be done again)."""

    name: str
    at: str = "waiting"
    seconds: float | None = None


class TaskSeen(BaseModel):
    """What is being counted."""

    text: str
    done: int
    total: int


class Told(BaseModel):
    level: str
    text: str


class Progress(BaseModel):
    """All that a page shows of a job. `epochs` are rows of the history, each with its member."""

    state: State
    error: str
    stages: list[StageSeen]
    task: TaskSeen | None
    epochs: list[dict[str, float | None]]
    told: list[Told]


class Follower:
    """Reads the events of a run folder as they are written; `look` says how things stand."""

    def __init__(self, folder: Path, texts: Texts) -> None:
        self.folder, self.texts = folder, texts
        self.at = 0
        self.stages = {name: StageSeen(name=name) for name in STAGES}
        self.task: TaskSeen | None = None
        self.epochs: dict[tuple[int, int], dict[str, float | None]] = {}
        self.told: list[Told] = []

    def look(self) -> Progress:
        """Read what has been written since, and tell how things stand."""
        path = self.folder / EVENTS
        if path.is_file():
            with path.open("rb") as file:
                file.seek(self.at)
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]  # a line may be half written
            self.at += len(whole)
            for line in whole.splitlines():
                with suppress(ValueError, KeyError, TypeError):  # of another version, or damaged
                    self._take(json.loads(line))
        state = state_of(self.folder)
        if state != "running":
            self.task = None
        return Progress(
            state=state, error=self.texts.reason(error_of(self.folder)) if state == "failed" else "",
            stages=[self._shown(stage, state) for stage in self.stages.values()], task=self.task,
            epochs=list(self.epochs.values()) or self._history(), told=self.told,
        )  # fmt: skip

    def _history(self) -> list[dict[str, float | None]]:
        """The epochs of a training that sent no events."""
        with suppress(EvenrayError):
            history = Run(self.folder).history
            if history is not None:
                return history.select(pl.col(pl.Int64, pl.Float64).fill_nan(None)).to_dicts()
        return []

    def _shown(self, stage: StageSeen, state: State) -> StageSeen:
        stopped = stage.at == "working" and state != "running"
        return stage.model_copy(update={"at": "waiting"}) if stopped else stage

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "stage_begun":
            self.stages[event["stage"]] = StageSeen(name=event["stage"], at="working")
        elif kind == "stage_done":
            self.stages[event["stage"]] = StageSeen(name=event["stage"], at="done", seconds=event["seconds"])
        elif kind == "step":
            ended = bool(event["ended"])
            text = self.texts.message(Message.of(event["task"]))
            self.task = None if ended else TaskSeen(text=text, done=event["done"], total=event["total"])
        elif kind == "epoch_done":
            row = {"member": event["member"], **event["figures"]}
            member, epoch = event["member"], int(row["epoch"])
            kept = {
                key: old for key, old in self.epochs.items() if key[0] < member or (key[0] == member and key[1] < epoch)
            }
            self.epochs = {**kept, (member, epoch): row}  # a training begun anew replaces the former one
        elif kind == "message":
            self.told = [*self.told, Told(level=event["level"], text=self.texts.message(Message.of(event)))][-KEPT:]
