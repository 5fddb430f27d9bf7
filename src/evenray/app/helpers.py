"""What the requests of a workbench share: processes that decode, a private folder for what is sent, and the model in use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
from fastapi import FastAPI, Request

from evenray.core.errors import EvenrayError
from evenray.core.lost import Lost
from evenray.core.types import Image
from evenray.learning.predict.decoding import Item, Task, decode
from evenray.serve.decoding import Decoders
from evenray.serve.models import Loaded, Models, mark_of
from evenray.serve.problems import Problem
from evenray.serve.uploads import private_folder

from .decoding import Wanted, read_wanted

__all__ = ["Helpers", "helpers_of", "without_path"]


class Helpers:
    """Decoding processes, warm from the start, and one model at a time, loaded when it is first asked for."""

    def __init__(self) -> None:
        self.decoders, self.folder = Decoders(), Path()
        self._models: tuple[object, Models] | None = None
        self._loading = threading.Lock()

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        app.state.helpers = self
        with private_folder() as self.folder:
            nothing = Wanted(self.folder / "nothing", None, None)
            warming = asyncio.create_task(asyncio.to_thread(self.decoders.warm, read_wanted, nothing))
            try:
                yield
            finally:
                with suppress(Exception):
                    await warming
                self.decoders.close()
                if self._models is not None:
                    self._models[1].close()

    def image(self, wanted: Wanted) -> Image:
        """A decoded image; Problem 422 with the reason where it cannot be read."""
        found = self.decoders.one(read_wanted, wanted)
        if isinstance(found, Image):
            return found
        raise Problem(422, "serve.unreadable", reason=found.reason if isinstance(found, Lost) else str(found))

    def ready(self, folder: Path) -> None:
        """Do once what takes seconds the first time; what is wrong with the run is told when it is asked for an answer."""
        with suppress(EvenrayError, Problem):
            model = self.model(folder).model
            nothing = Task(Item("", self.folder / "nothing"), None, True)
            self.decoders.warm(partial(decode, preparation=model.about.preparation), nothing)
            model.run(np.zeros((1, model.about.channels, model.about.side, model.about.side), np.float32))

    def model(self, folder: Path) -> Loaded:
        """The model of a run folder as it stands. Problem 409 where the run has none."""
        if not (folder / "scores.json").is_file():
            raise Problem(409, "app.not_trained")
        with self._loading:
            mark = (folder, mark_of(folder))
            if self._models is None or self._models[0] != mark:
                try:
                    new = Models([str(folder)])
                except EvenrayError as error:
                    raise Problem(409, "serve.failed", reason=without_path(error, folder)) from None
                if self._models is not None:
                    self._models[1].close()
                self._models = (mark, new)
            return self._models[1].get(None)


def without_path(error: EvenrayError, folder: Path) -> str:
    """What an error says, with the name of a run in place of its folder: where that lies is the server's own.

    >>> without_path(EvenrayError("'/srv/runs/one' is out of date."), Path("/srv/runs/one"))
    "'one' is out of date."
    """
    return str(error).replace(str(folder), folder.name)


def helpers_of(request: Request) -> Helpers:
    """The helpers of the application that is asked."""
    found: Helpers = request.app.state.helpers
    return found
