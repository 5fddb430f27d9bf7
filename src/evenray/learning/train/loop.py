"""The loop: train a network on a part, follow it with an average, and keep the average that validates as well as any."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenray.core.errors import TrainingError, UsageError
from evenray.learning.augment import Chance
from evenray.learning.balance import Balance
from evenray.learning.networks import Classifier, parameter_groups
from evenray.learning.tasks import task_of

from .alone import Machine
from .average import Average
from .checkpoint import Checkpoints, Kept, Position, State
from .feed import Batch, Feed, Transform, made_ahead
from .order import batches_an_epoch, cut, epoch_batches, seed_of
from .part import Examples, Views
from .schedule import History, as_good_as_any, first_to_keep, one_cycle, stale
from .shared_norm import share_norms, summed
from .validation import validate

__all__ = ["Settings", "fit"]

WEIGHT_DECAY = 0.01
CLIP = 5.0
NAMED = 8


@dataclass(frozen=True)
class Settings:
    """How to train; `keep` is "best" (the last epoch that validation cannot tell from the best) or "last".

    With `patience`, training stops when that many epochs brought no better validation figure; 0 never stops it. Both look
    only at epochs in which the remedy no longer changes. With `scale_jitter` (low, high) the network sees random crops of
    its size of images at these multiples of it. Each block of the network learns at `decay` times the rate of the one
    above it. `average`: validate and keep the exponential average of the weights instead of the last ones. `task` says what
    targets are, what is lost by outputs, how validation measures and by what it ranks.
    """

    epochs: int
    batch: int
    learning_rate: float
    seed: int = 0
    flips: bool = False
    keep: str = "last"
    scale_jitter: tuple[float, float] | None = None
    patience: int = 0
    decay: float = 1.0
    average: bool = True
    task: str = "classify"


def fit(
    model: Classifier, train: Examples, validation: Examples | None, settings: Settings, balance: Balance,
    fabric: Machine, *,
    folder: Path | None = None, tick: Callable[[], None] = lambda: None, transform: Transform | None = None,
    save_every: float = 10.0, epoch_done: Callable[[Mapping[str, float]], None] = lambda row: None,
) -> tuple[Classifier, History]:  # fmt: skip
    """Train and return the model that is kept, in evaluation mode, and the history, one row an epoch.

    AdamW, one cycle, an exponential average of the weights. With `folder`, a checkpoint is written after every epoch and
    every `save_every` minutes, and a killed training goes on from it to the same end: everything random depends on the
    seed and the position alone. `transform` changes inputs and answers of a batch, given its Chance; by default
    as `Examples.changed` does.
    `tick` is called after every batch, `epoch_done` with the row of every epoch. Where `fabric` joins several processes, each
    takes its part of every batch, and the result is that of one. Raises TrainingError, naming the batch and its cases, when
    the loss is not finite.
    """
    if settings.batch < fabric.world_size:
        raise UsageError(
            f"batch is {settings.batch}, and {fabric.world_size} processes share it; give {fabric.world_size} or more."
        )
    with Checkpoints(folder, fabric, save_every) as checkpoints:
        return _Training(
            model, train, validation, settings, balance, fabric, checkpoints, transform, tick, epoch_done
        ).run()  # fmt: skip


class _Training:
    """One training under way: the model, what follows it, and how far it has come."""

    def __init__(
        self, model: Classifier, train: Examples, validation: Examples | None, settings: Settings, balance: Balance,
        fabric: Machine, checkpoints: Checkpoints, transform: Transform | None, tick: Callable[[], None],
        epoch_done: Callable[[Mapping[str, float]], None],
    ) -> None:  # fmt: skip
        self.train, self.validation, self.settings, self.balance = train, validation, settings, balance
        self.fabric, self.checkpoints, self.tick, self.epoch_done = fabric, checkpoints, tick, epoch_done
        self.model = model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps = batches_an_epoch(len(train), settings.batch, fabric.world_size)
        self.average = Average(self.model, settings.epochs * self.steps, plain=not settings.average)
        self.views = Views(model.size, settings.flips, settings.scale_jitter, balance.foreground)
        changed = transform or (lambda x, answers, chance: train.changed(x, answers, chance, self.views))
        self.feed = Feed(train, balance, settings.seed, changed, fabric)
        self.task = task_of(settings.task)
        self.loss = self.task.loss(balance, summed if fabric.world_size > 1 else lambda own: own)
        if fabric.world_size > 1:
            share_norms(self.model)
        self.learnt = [p for p in self.model.parameters() if p.requires_grad]
        rates = parameter_groups(self.model, settings.learning_rate, decay=settings.decay)
        self.optimizer = torch.optim.AdamW(
            [{**group, "highest": group["lr"]} for group in rates], weight_decay=WEIGHT_DECAY,
            fused=fabric.device.type != "mps",
        )  # fmt: skip
        self.wrapped, self.wrapped_optimizer = fabric.setup(train.module(self.model), self.optimizer)
        self.at = Position()
        self.kept: Kept | None = None
        self._resume()

    def run(self) -> tuple[Classifier, History]:
        """All epochs that are left."""
        settings, at = self.settings, self.at
        first = first_to_keep(self.balance, settings.epochs)
        while at.epoch < settings.epochs and not 0 < settings.patience <= stale(at.history[first:], self.task.ranks_by):
            order = epoch_batches(
                at.epoch, self.train.targets, settings.batch, settings.seed, self.balance, self.fabric.world_size
            )
            self._epoch(order)
            self._close_epoch(order)
        if self.kept is not None:
            self.average.model.load_state_dict(self.kept)
        return self.average.model.eval(), at.history

    def _epoch(self, order: list[NDArray[np.int64]]) -> None:
        """The batches of an epoch that are left."""
        at, begun = self.at, time.perf_counter()
        before = at.seconds
        self.wrapped.train()
        pending: list[float] = []
        for batch in self.feed.batches(at.epoch, order, at.batch):
            loss = self._step(batch, len(order))
            pending.append(loss * len(batch.answers))
            at.images += len(batch.which)
            at.batch = batch.number + 1
            at.seconds = before + time.perf_counter() - begun
            if at.batch < len(order) and self._due():
                at.losses, pending = at.losses + self._summed(pending), []
                self._save(new=False)
            self.tick()
        at.losses += self._summed(pending)

    def _step(self, batch: Batch, batches: int) -> float:
        """One step of the optimiser; returns the loss, the mean over this process's images."""
        settings, epoch = self.settings, self.at.epoch
        progress = (epoch + batch.number / batches) / settings.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * one_cycle(progress)
        # Of dropout. torch.manual_seed would note for absent GPUs, too, where it was called: as long as a step of a head.
        seeded = torch.default_generator.manual_seed if self.fabric.device.type == "cpu" else torch.manual_seed
        seeded(seed_of(settings.seed, epoch, batch.number, 2, self.fabric.global_rank))

        def criterion(logits: Tensor) -> Tensor:
            return self.loss(logits, batch.answers, progress)

        loss: Tensor = criterion(self.wrapped(batch.inputs)) + self.model.auxiliary_loss(criterion)
        self.wrapped_optimizer.zero_grad()
        self.fabric.backward(loss * batch.share)
        gradients = [p.grad for p in self.learnt if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise TrainingError(self._not_finite(batch, loss))
        if norm > CLIP:
            torch.nn.utils.clip_grads_with_norm_(self.learnt, CLIP, norm)
        self.wrapped_optimizer.step()
        self.average.follow(epoch * batches + batch.number, batch.number, last=batch.number + 1 == batches)
        return loss.item()

    def _close_epoch(self, order: list[NDArray[np.int64]]) -> None:
        """Close an epoch: the averaged weights are validated, kept if they are better, and a checkpoint is written."""
        at, settings, begun = self.at, self.settings, time.perf_counter()
        row = {"epoch": at.epoch + 1, "train_loss": math.fsum(at.losses) / at.images}
        if self.validation is not None or at.epoch + 1 == settings.epochs:
            self.average.settle(self._plain(np.concatenate(order)[: self.train.settle_on]), self.fabric)
        if self.validation is not None:
            row |= validate(
                self.average.model, self.validation, settings.batch, self.fabric, settings.scale_jitter, settings.task
            )
        row |= {
            "learning_rate": self.optimizer.param_groups[0]["lr"], "seconds": round(at.seconds, 2),
            "validation_seconds": round(time.perf_counter() - begun, 2),
        }  # fmt: skip
        at.history.append(row)
        first = first_to_keep(self.balance, settings.epochs)
        new = settings.keep == "best" and as_good_as_any(at.history[first:], self.task.ranks_by)
        if new:
            self.kept = {name: tensor.clone() for name, tensor in self.average.model.state_dict().items()}
        at.epoch, at.batch, at.losses, at.images, at.seconds = at.epoch + 1, 0, [], 0, 0.0
        self._save(new=new)
        self.epoch_done(row)

    def _plain(self, drawn: NDArray[np.int64]) -> Iterator[Tensor]:
        """Training images as they are, without augmentation. They come as the sampler mixed them: the weights were learnt
        beside statistics of that mixture."""
        dtype = self.learnt[0].dtype

        def made(item: tuple[int, NDArray[np.int64]]) -> Tensor:
            number, which = item
            chance = Chance.of([self.settings.seed, number, 4], len(which))
            x_NCHW = self.train.plain(self.train.inputs(which, self.fabric.device), chance, self.views)
            return x_NCHW.to(dtype).contiguous(memory_format=torch.channels_last)

        batches = list(enumerate(cut(drawn, self.train.settle_by)))
        return made_ahead(made, batches[self.fabric.global_rank :: self.fabric.world_size], self.fabric)

    def _not_finite(self, batch: Batch, loss: Tensor) -> str:
        what = f"The loss is {loss.item()}" if not torch.isfinite(loss) else "The gradient is not finite"
        names = [self.train.cases[int(i)] for i in batch.which] if len(self.train.cases) else []
        of = f" ({', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''})"
        return (
            f"{what} in batch {batch.number} of epoch {self.at.epoch + 1}{of if names else ''}: lower --learning-rate (now"
            f" {self.settings.learning_rate:g}), or look for images without finite pixels with 'evenray audit'."
        )

    def _summed(self, losses: list[float]) -> list[float]:
        """Over processes, batch by batch."""
        if self.fabric.world_size == 1:
            return losses
        total = torch.tensor(losses, dtype=torch.float64, device=self.fabric.device)
        torch.distributed.all_reduce(total)
        found: list[float] = total.tolist()
        return found

    def _due(self) -> bool:
        """Whether a checkpoint is due; the first process's clock decides for all."""
        if self.fabric.world_size == 1:
            return self.checkpoints.due()
        return bool(self.fabric.broadcast(self.checkpoints.due()))

    def _save(self, *, new: bool) -> None:
        weights, averaged = self.model.state_dict(), self.average.model.state_dict()
        state = State(weights, averaged, self.optimizer.state_dict(), self.at)
        self.checkpoints.save(state, self.kept if new else None)

    def _resume(self) -> None:
        found = self.checkpoints.load()
        if found is None:
            return
        last, self.kept = found
        self.model.load_state_dict(last.model)
        self.average.model.load_state_dict(last.average)
        self.optimizer.load_state_dict(dict(last.optimizer))
        self.at = last.position
