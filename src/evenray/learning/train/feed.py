"""Batches made ready while the network works: fetched from the store, changed, and moved to the device, a few ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.learning.augment import Chance
from evenray.learning.balance import Balance

from .alone import Machine
from .order import mine
from .part import Part

__all__ = ["Batch", "Feed", "Transform", "ahead"]

AHEAD = 2
Item = TypeVar("Item")
Made = TypeVar("Made")
Transform = Callable[[Tensor, Chance], Tensor]


@dataclass(frozen=True)
class Batch:
    """This process's images of a batch, ready for the network; `share` scales its mean loss to that of the whole batch.

    Gradients are averaged over processes, each of which has a mean over its own images: with 3 and 4 of 7 images, the
    shares are 6/7 and 8/7.
    """

    number: int
    which: NDArray[np.int64]
    images: Tensor
    targets: Tensor
    share: float


@dataclass(frozen=True)
class Feed:
    """Makes the batches of an epoch; what is random about one follows from the seed, the epoch and its number."""

    part: Part
    balance: Balance
    seed: int
    transform: Transform
    fabric: Machine

    def batches(self, epoch: int, order: list[NDArray[np.int64]], start: int) -> Iterator[Batch]:
        """The batches from number `start` on; each is made while the one before it is at work."""
        return ahead(lambda number: self._make(epoch, number, order[number]), range(start, len(order)))

    def _make(self, epoch: int, number: int, which: NDArray[np.int64]) -> Batch:
        part = mine(len(which), self.fabric.global_rank, self.fabric.world_size)
        share = (part.stop - part.start) * self.fabric.world_size / len(which)
        chance = Chance.of([self.seed, epoch, number, 1], len(which))
        if self.balance.mix is None:
            x_NCHW, targets = self._images(which[part], chance[part])
        else:  # images are mixed with any others of their batch
            x_NCHW, targets = self._images(which, chance)
            x_NCHW, targets = self.balance.mix(x_NCHW, targets, np.random.default_rng([self.seed, epoch, number, 3]))
            x_NCHW, targets = x_NCHW[part], targets[part]
        if x_NCHW.ndim == 4:
            x_NCHW = x_NCHW.contiguous(memory_format=torch.channels_last)
        return Batch(number, which, x_NCHW, targets, share)

    def _images(self, which: NDArray[np.int64], chance: Chance) -> tuple[Tensor, Tensor]:
        device = self.fabric.device
        targets = torch.from_numpy(self.part.targets[which]).to(device)
        return self.transform(self.part.images(which, device), chance), targets


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """`make` of each item, in order, by a thread that is up to two ahead; its errors arise where its result would.

    >>> list(ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    left = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="feed") as thread:
        waiting: deque[Future[Made]] = deque(thread.submit(make, item) for item in islice(left, AHEAD))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(thread.submit(make, item) for item in islice(left, 1))
            yield made
