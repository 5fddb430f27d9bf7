"""Runs of the line that tell what they did."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evenray.core.artefacts import RunFolder
from evenray.core.recipe import Recipe
from evenray.stages import STAGES, Context, run


class Told:
    """A progress that remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        yield lambda steps: None

    @property
    def done(self) -> list[str]:
        """The stages that worked, in order; those that were skipped are not among them."""
        return [found[1] for line in self.lines if (found := re.match(r"\[green\](\w+)", line))]


@pytest.fixture
def go(tiny_archive: Path, tiny_recipe: dict[str, Any]) -> Callable[..., Told]:
    """go(folder, until="explain", data=..., language=..., **recipe) runs the line on the tiny archive."""

    def start(folder: Path, until: str = "explain", *, data: Any = None, language: str = "en", **recipe: Any) -> Told:
        told = Told()
        asked = Recipe(**(tiny_recipe | recipe))
        run(Context(RunFolder(folder), str(data or tiny_archive), asked, language=language, progress=told), until)
        return told

    return start


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed at will."""
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


def as_left(folder: Path, stage: str) -> None:
    """Note that a stage left its outputs as a test has made them."""
    run = RunFolder(folder)
    done = run.ledger["stages"][stage]
    run.finish(stage, done["key"], list(done["outputs"]), done["seconds"])


__all__ = ["STAGES", "Told", "as_left"]
