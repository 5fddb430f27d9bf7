"""Runs of the line that tell what they did."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.events import Event, Events, StageDone, Told
from evenray.core.meter import Cost
from evenray.core.recipe import STAGES as SETTINGS
from evenray.core.recipe import Machine, Recipe
from evenray.core.texts import Texts
from evenray.stages.line import Job, run

STAGES = tuple(SETTINGS)


class Heard:
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        """The messages, in English."""
        return [Texts("en").message(event.message) for event in self.events if isinstance(event, Told)]

    @property
    def done(self) -> list[str]:
        """The stages that worked, in order; those that were skipped are not among them."""
        return [event.stage for event in self.events if isinstance(event, StageDone) and event.seconds is not None]


def job(folder: Path, data: object, lang: str = "en", events: Heard | None = None, **recipe: Any) -> Job:
    """A run of the line in this process."""
    return Job(RunFolder(folder), str(data), Recipe(**recipe), Machine(), lang, events=Events(events))


@pytest.fixture
def go(tiny_archive: Path, tiny_recipe: dict[str, Any]) -> Callable[..., Heard]:
    """go(folder, until="explain", data=..., lang=..., **recipe) runs the line on the tiny archive."""

    def start(folder: Path, until: str = "explain", *, data: Any = None, lang: str = "en", **recipe: Any) -> Heard:
        heard = Heard()
        run(job(folder, data or tiny_archive, lang, heard, **(tiny_recipe | recipe)), until)
        return heard

    return start


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed at will."""
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


def as_left(folder: Path, stage: str) -> None:
    """Note that a stage left its outputs as a test has made them."""
    run = RunFolder(folder)
    done = run.ledger.stages[stage]
    run.finish(stage, done.settings, done.inputs, done.device, list(done.outputs), Cost(done.seconds))


__all__ = ["STAGES", "Heard", "as_left", "job"]
