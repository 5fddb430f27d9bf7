"""What the routes of the REST service share: the models, the processes that decode, the room for requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from fastapi import FastAPI, Request

from evenray.learning.predict.decoding import Item, Task, decode
from evenray.learning.predict.files import predict

from .decoding import Decoders
from .models import Models
from .problems import Problem
from .reading import held
from .room import Room
from .uploads import private_folder, received

__all__ = ["Service", "service_of"]

T = TypeVar("T")


class Service:
    """Models, and room for `queue` requests at once of which each may take `seconds` from its last byte on."""

    def __init__(self, models: Models, *, jobs: int = 0, queue: int = 64, seconds: float = 60.0) -> None:
        self.models, self.seconds = models, seconds
        self.decoders, self.room = Decoders(jobs), Room(queue)
        self.threads = ThreadPoolExecutor(queue, thread_name_prefix="answer")
        self.folder = Path()

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """The service at work: its private folder, and its looks at the models on the disk."""
        app.state.service = self
        with private_folder() as self.folder:
            await asyncio.to_thread(self._warm)
            watching = asyncio.create_task(self.models.watch())
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.to_thread(self._close)

    def _warm(self) -> None:
        """Answer for a picture of ours once: what is imported and compiled by then, no request waits for."""
        picture = self.folder / "picture"
        picture.write_bytes(cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes())
        self.decoders.warm(held, picture)
        for loaded in self.models.loaded.values():
            model = replace(loaded.model, run=loaded.run.run)
            self.decoders.warm(
                partial(decode, preparation=model.about.preparation), Task(Item("1", picture), None, True)
            )
            predict(model, [Item("1", picture)], map=self.decoders.map)
        picture.unlink()

    def _close(self) -> None:
        self.threads.shutdown(cancel_futures=True)
        self.decoders.close()
        self.models.close()

    async def worked(self, request: Request, job: Callable[[Sequence[Path], threading.Event], T]) -> T:
        """What `job` makes of the files of a request, in a thread. Problem 429 where there is no room, 503 where it takes too
        long: the event that it is given is set then, and it ends soon."""
        given_up = threading.Event()
        with self.room.place():
            async with received(request, self.folder) as paths:
                future = asyncio.get_running_loop().run_in_executor(self.threads, job, paths, given_up)
                future.add_done_callback(_heard)
                try:
                    return await asyncio.wait_for(asyncio.shield(future), self.seconds)
                except TimeoutError:
                    raise Problem(503, "serve.too_long", {"Retry-After": "5"}, seconds=f"{self.seconds:.0f}") from None
                finally:
                    given_up.set()


def service_of(request: Request) -> Service:
    """The service that the application of a request works with."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def _heard(future: asyncio.Future[T]) -> None:
    """Look at the error of work that nobody waits for any more, so that it is not reported as forgotten."""
    if not future.cancelled():
        future.exception()
