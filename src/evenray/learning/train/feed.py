"""Batches made ready while the network works: fetched from the store, changed, and moved to the device, a few ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.prefetch import prefetch
from evenray.learning.augment import Chance
from evenray.learning.balance import Balance

from .alone import Machine
from .order import mine
from .part import Examples

__all__ = ["Batch", "Feed", "Transform", "made_ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")

Transform = Callable[[Tensor, Tensor, Chance], tuple[Tensor, Tensor]]  # of inputs and answers


@dataclass(frozen=True)
class Batch:
    """This process's inputs of a batch, ready for the network; `share` scales its mean loss to that of the whole batch.

    Gradients are averaged over processes, each of which has a mean over its own images: with 3 and 4 of 7 images, the
    shares are 6/7 and 8/7.
    """

    number: int
    which: NDArray[np.int64]
    inputs: Tensor
    answers: Tensor
    share: float


def made_ahead(make: Callable[[Item], Made], items: Iterable[Item], fabric: Machine) -> Iterator[Made]:
    """`map`; beside an accelerator each result is made while the one before it is at work.

    On a processor that would cost more than it saves: a second thread has threads of its own for parallel loops, which wait
    actively between two results and take the cores from those that train (a fifth of a step on two cores).
    """
    return map(make, items) if fabric.device.type == "cpu" else prefetch(make, items)


@dataclass(frozen=True)
class Feed:
    """Makes the batches of an epoch; what is random about one follows from the seed, the epoch and its number."""

    part: Examples
    balance: Balance
    seed: int
    transform: Transform
    fabric: Machine

    def batches(self, epoch: int, order: list[NDArray[np.int64]], start: int) -> Iterator[Batch]:
        """The batches from number `start` on."""
        numbers = range(start, len(order))

        def make(number: int) -> Batch:
            return self._make(epoch, number, order[number])

        return made_ahead(make, numbers, self.fabric)

    def _make(self, epoch: int, number: int, which: NDArray[np.int64]) -> Batch:
        part = mine(len(which), self.fabric.global_rank, self.fabric.world_size)
        share = (part.stop - part.start) * self.fabric.world_size / len(which)
        chance = Chance.of([self.seed, epoch, number, 1], len(which))
        if self.balance.mix is None:
            x, answers = self._inputs(which[part], chance[part])
        else:  # images are mixed with any others of their batch
            x, answers = self._inputs(which, chance)
            x, answers = self.balance.mix(x, answers, np.random.default_rng([self.seed, epoch, number, 3]))
            x, answers = x[part], answers[part]
        if x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        return Batch(number, which, x, answers, share)

    def _inputs(self, which: NDArray[np.int64], chance: Chance) -> tuple[Tensor, Tensor]:
        device = self.fabric.device
        return self.transform(self.part.inputs(which, device, chance), self.part.answers(which, device), chance)
