"""The models that a server answers with, each loaded once, and anew when what lies on the disk is replaced."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from evenray.core.artefacts.scores import ScoresRecord
from evenray.core.errors import EvenrayError
from evenray.core.run import Run
from evenray.learning.predict.engines import Model, load
from evenray.scale import local
from evenray.verbs.predict import check_run

from .batching import Batched
from .forms import Measure
from .metrics import RELOADS
from .problems import Problem
from .roots import Roots

__all__ = ["Loaded", "Models", "mark_of"]

EVERY = 2.0  # seconds between looks at the disk
WATCHED = ("model.safetensors", "model.json", "scores.json", "uncertainty.json")
Mark = tuple[tuple[int, int, int], ...]
log = logging.getLogger("evenray.serve")


@dataclass(frozen=True)
class Loaded:
    """A model under its name, since when it answers, and how it did on its test part; `problem` is why what lies there now
    could not be loaded."""

    name: str
    source: Path
    model: Model
    since: str
    test: dict[str, Measure]
    problem: str = ""

    @property
    def run(self) -> Batched:
        """The network, for the images of all requests together."""
        assert isinstance(self.model.run, Batched)
        return self.model.run


class Models:
    """Models by name: that of the run's folder or of the file. DataError or ReadError where one cannot be loaded."""

    def __init__(self, sources: Sequence[str], device: str = "auto") -> None:
        self.device = device
        paths = [local(source) for source in sources]
        self.marks = {name: mark_of(path) for name, path in Roots(paths).names.items()}
        self.loaded = {name: self._load(name, path) for name, path in Roots(paths).names.items()}

    def get(self, name: str | None) -> Loaded:
        """A model; the first where none is named. Problem 404 for one that there is not."""
        found = next(iter(self.loaded.values())) if name is None else self.loaded.get(name)
        if found is None:
            raise Problem(404, "serve.unknown_model", known=", ".join(self.loaded))
        return found

    async def watch(self) -> None:
        """Load anew what has been replaced, for as long as the server lives."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Look at the disk once. While a run is written, or where what was written cannot be loaded, the old model answers on."""
        for name, old in list(self.loaded.items()):
            mark = mark_of(old.source)
            if mark in (self.marks[name], ()):
                continue
            try:
                new = self._load(name, old.source)
            except (EvenrayError, OSError) as error:
                if mark == mark_of(old.source):  # nobody is writing it
                    self.marks[name] = mark
                    self.loaded[name] = replace(old, problem=type(error).__name__)
                    RELOADS.labels(name, "failed").inc()
                    log.warning("reload failed", extra={"told": {"model": name, "error": type(error).__name__}})
                continue
            self.loaded[name], self.marks[name] = new, mark
            RELOADS.labels(name, "done").inc()
            log.info("reloaded", extra={"told": {"model": name}})
            old.run.close()

    def close(self) -> None:
        for loaded in self.loaded.values():
            loaded.run.close()

    def _load(self, name: str, source: Path) -> Loaded:
        check_run(source)
        model = load(source, device=self.device)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        return Loaded(name, source, replace(model, run=Batched(model.run, model.batch)), since, _figures(source))


def _figures(source: Path) -> dict[str, Measure]:
    """The figures of a run's test part; none of another model, or of a run without a test part."""
    scores = Run(source).scores.get("test") if source.is_dir() and (source / ScoresRecord.file).is_file() else None
    if scores is None:
        return {}
    known = {
        name: {part: None if math.isnan(value) else value for part, value in vars(estimate).items()}
        for name, estimate in scores.estimates.items()
    }
    return {name: Measure(**parts) for name, parts in known.items()}


def mark_of(source: Path) -> Mark:
    """What tells whether the files of a model are others than before; empty where they are gone."""
    folder, names = (source, WATCHED) if source.is_dir() else (source.parent, (source.name, *WATCHED[1:]))
    found = []
    for name in names:
        try:
            stat = (folder / name).stat()
        except OSError:
            continue
        found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
