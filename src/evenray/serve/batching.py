"""Images of requests that come at the same time, through the network together."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from evenray.learning.predict.engines import Run

from .metrics import BATCH, COMPUTING

__all__ = ["Batched"]

Pixels = NDArray[np.float32]
Logits = NDArray[np.float64]


class Batched:
    """A model's `run` that many threads call at once: whatever waits when the network becomes free goes through together.

    Nothing waits for company, so that a request alone is answered as soon as without. `most` images go together, or those of
    one call where they are more. An error of the network is raised in every thread whose images were in the batch.

    >>> double = Batched(lambda x: x.sum(axis=(1, 2, 3)) * 2.0, most=8)
    >>> double(np.ones((3, 1, 2, 2), np.float32)).tolist()
    [8.0, 8.0, 8.0]
    >>> double.close()
    """

    def __init__(self, run: Run, most: int) -> None:
        self.run, self.most = run, most
        self.waiting: deque[tuple[Pixels, Future[Logits]]] = deque()
        self.changed = threading.Condition()
        self.closed = False
        self.thread = threading.Thread(target=self._work, name="network", daemon=True)
        self.thread.start()

    def __call__(self, x_NCHW: Pixels) -> Logits:
        future: Future[Logits] = Future()
        with self.changed:
            alone = self.closed
            if not alone:
                self.waiting.append((x_NCHW, future))
                self.changed.notify()
        return self.run(x_NCHW) if alone else future.result()

    def close(self) -> None:
        """Answer what waits, and end the thread; whoever still calls computes for himself."""
        with self.changed:
            self.closed = True
            self.changed.notify()
        self.thread.join()

    def _work(self) -> None:
        while batch := self._next():
            x_NCHW = batch[0][0] if len(batch) == 1 else np.concatenate([x for x, _ in batch])
            BATCH.observe(len(x_NCHW))
            begun = time.perf_counter()
            try:
                logits = self.run(x_NCHW)
            except BaseException as error:
                for _, future in batch:
                    future.set_exception(error)
                continue
            finally:
                COMPUTING.inc(time.perf_counter() - begun)
            start = 0
            for x, future in batch:
                future.set_result(logits[start : start + len(x)])
                start += len(x)

    def _next(self) -> list[tuple[Pixels, Future[Logits]]]:
        """What waits, up to `most` images; empty where no more will come."""
        with self.changed:
            while not self.waiting and not self.closed:
                self.changed.wait()
            batch, images = list[tuple[Pixels, Future[Logits]]](), 0
            while self.waiting and (not batch or images + len(self.waiting[0][0]) <= self.most):
                batch.append(self.waiting.popleft())
                images += len(batch[-1][0])
            return batch
