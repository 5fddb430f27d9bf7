"""The loop: train a network on a part, follow it with an average, and keep the average that validates as well as any."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evenray.core.errors import TrainingError, UsageError
from evenray.learning.augment import Chance, augment, scale_jitter
from evenray.learning.balance import Balance
from evenray.learning.networks import Classifier, parameter_groups

from .alone import Machine
from .average import Average
from .checkpoint import Checkpoints, Kept, Position
from .feed import Batch, Feed, Transform, ahead
from .judge import validate
from .optimizer import AdamW
from .order import batches_an_epoch, cut, epoch_batches, seed_of
from .part import Part
from .shared_norm import share_norms

__all__ = ["WEIGHT_DECAY", "Settings", "criterion_of", "first_to_keep", "fit", "one_cycle", "stale"]

WEIGHT_DECAY = 0.01
WARM_UP = 0.1
CLIP = 5.0
SETTLED = 1024
NAMED = 8

History = list[dict[str, float]]


@dataclass(frozen=True)
class Settings:
    """How to train; `keep` is "best" (the last epoch that validation AUPRC cannot tell from the best) or "last".

    With `patience`, training stops when that many epochs brought no better validation AUPRC; 0 never stops it. Both look
    only at epochs after the remedy has settled. With
    `scale_jitter` (low, high) the network sees random crops of its size of images at these multiples of it. Each
    block of the network learns at `decay` times the rate of the one above it.
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


def fit(
    model: Classifier, train: Part, validation: Part | None, settings: Settings, balance: Balance, fabric: Machine, *,
    folder: Path | None = None, tick: Callable[[], None] = lambda: None, transform: Transform | None = None,
    save_every: float = 10.0,
) -> tuple[Classifier, History]:  # fmt: skip
    """Train and return the averaged model that is kept, in evaluation mode, and the history, one row an epoch.

    AdamW, one cycle, an exponential average of the weights. With `folder`, a checkpoint is written after every epoch and
    every `save_every` minutes, and a killed training goes on from it to the same end: everything random depends on the
    seed and the position alone. `transform` changes the images of a batch, given its Chance; by default it augments them.
    `tick` is called after every batch. Where `fabric` joins several processes, each takes its part of every batch, and
    the result is that of one. Raises TrainingError, naming the batch and its cases, when the loss is not finite.
    """
    if settings.batch < fabric.world_size:
        raise UsageError(
            f"batch is {settings.batch}, and {fabric.world_size} processes share it; give {fabric.world_size} or more."
        )
    with Checkpoints(folder, fabric, save_every) as checkpoints:
        return _Training(model, train, validation, settings, balance, fabric, checkpoints, transform, tick).run()


class _Training:
    """One training under way: the model, what follows it, and how far it has come."""

    def __init__(
        self, model: Classifier, train: Part, validation: Part | None, settings: Settings, balance: Balance, fabric: Machine,
        checkpoints: Checkpoints, transform: Transform | None, tick: Callable[[], None],
    ) -> None:  # fmt: skip
        self.train, self.validation, self.settings, self.balance = train, validation, settings, balance
        self.fabric, self.checkpoints, self.tick = fabric, checkpoints, tick
        self.model = model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.steps = batches_an_epoch(len(train), settings.batch, fabric.world_size)
        self.average = Average(self.model, settings.epochs * self.steps)
        self.feed = Feed(train, balance, settings.seed, transform or _augmented(settings, model.size), fabric)
        if fabric.world_size > 1:
            share_norms(self.model)
        self.learnt = [p for p in self.model.parameters() if p.requires_grad]
        rates = parameter_groups(self.model, settings.learning_rate, decay=settings.decay)
        self.optimizer = AdamW(
            [group | {"highest": group["lr"]} for group in rates], weight_decay=WEIGHT_DECAY,
            fused=fabric.device.type != "mps",
        )  # fmt: skip
        self.wrapped, self.wrapped_optimizer = fabric.setup(self.model, self.optimizer)
        self.at = Position()
        self.kept: Kept | None = None
        self._resume()

    def run(self) -> tuple[Classifier, History]:
        """All epochs that are left."""
        settings, at = self.settings, self.at
        first = first_to_keep(self.balance, settings.epochs)
        while at.epoch < settings.epochs and not 0 < settings.patience <= stale(at.history[first:]):
            order = epoch_batches(
                at.epoch, self.train.targets, settings.batch, settings.seed, self.balance, self.fabric.world_size
            )
            self._epoch(order)
            self._judge(order)
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
            pending.append(loss * len(batch.targets))
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
        torch.manual_seed(seed_of(settings.seed, epoch, batch.number, 2, self.fabric.global_rank))  # of dropout
        criterion = criterion_of(self.balance, batch.targets, progress)
        loss: Tensor = criterion(self.wrapped(batch.images)) + self.model.auxiliary_loss(criterion)
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

    def _judge(self, order: list[NDArray[np.int64]]) -> None:
        """Close an epoch: the averaged weights are validated, kept if they are better, and a checkpoint is written."""
        at, settings, begun = self.at, self.settings, time.perf_counter()
        row = {"epoch": at.epoch + 1, "train_loss": math.fsum(at.losses) / at.images}
        if self.validation is not None or at.epoch + 1 == settings.epochs:
            self.average.settle(self._plain(np.concatenate(order)[:SETTLED]), self.fabric)
        if self.validation is not None:
            row |= validate(self.average.model, self.validation, settings.batch, self.fabric, settings.scale_jitter)
        row |= {
            "learning_rate": self.optimizer.param_groups[0]["lr"], "seconds": round(at.seconds, 2),
            "validation_seconds": round(time.perf_counter() - begun, 2),
        }  # fmt: skip
        at.history.append(row)
        first = first_to_keep(self.balance, settings.epochs)
        new = settings.keep == "best" and as_good_as_any(at.history[first:])
        if new:
            self.kept = {name: tensor.clone() for name, tensor in self.average.model.state_dict().items()}
        at.epoch, at.batch, at.losses, at.images, at.seconds = at.epoch + 1, 0, [], 0, 0.0
        self._save(new=new)

    def _plain(self, drawn: NDArray[np.int64]) -> Iterator[Tensor]:
        """Training images as they are, without augmentation. They come as the sampler mixed them: the weights were learnt
        beside statistics of that mixture."""
        settings, dtype = self.settings, self.learnt[0].dtype

        def made(item: tuple[int, NDArray[np.int64]]) -> Tensor:
            number, which = item
            x_NCHW = self.train.images(which, self.fabric.device)
            if settings.scale_jitter is not None:
                chance = Chance.of([settings.seed, number, 4], len(which))
                x_NCHW = scale_jitter(x_NCHW, self.model.size, chance, settings.scale_jitter)
            return x_NCHW.to(dtype).contiguous(memory_format=torch.channels_last)

        batches = list(enumerate(cut(drawn, 64)))
        return ahead(made, batches[self.fabric.global_rank :: self.fabric.world_size])

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
        state = {
            "model": self.model.state_dict(), "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(), "position": asdict(self.at),
        }  # fmt: skip
        self.checkpoints.save(state, self.kept if new else None)

    def _resume(self) -> None:
        found = self.checkpoints.load()
        if found is None:
            return
        last, self.kept = found
        self.model.load_state_dict(last["model"])
        self.average.model.load_state_dict(last["average"])
        self.optimizer.load_state_dict(last["optimizer"])
        self.at = Position(**last["position"])


def _augmented(settings: Settings, size: int) -> Transform:
    def change(x_NCHW: Tensor, chance: Chance) -> Tensor:
        x_NCHW = augment(x_NCHW, chance, flips=settings.flips)
        if settings.scale_jitter is not None:
            x_NCHW = scale_jitter(x_NCHW, size, chance, settings.scale_jitter)
        return x_NCHW

    return change


def one_cycle(progress: float) -> float:
    """The share of the highest learning rate: a linear rise over the first tenth, half a cosine down to a hundredth.

    >>> [round(one_cycle(p), 3) for p in (0, 0.05, 0.1, 1)]
    [0.01, 0.505, 1.0, 0.01]
    """
    if progress < WARM_UP:
        return 0.01 + 0.99 * progress / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def first_to_keep(balance: Balance, epochs: int) -> int:
    """The first epoch, from 0 on, all of which comes after the remedy has settled; the last one where there is none.

    >>> first_to_keep(Balance(), 10), first_to_keep(Balance(settled=0.5), 7), first_to_keep(Balance(settled=0.8), 2)
    (0, 4, 1)
    """
    return min(math.ceil((balance.settled or 0.0) * epochs), epochs - 1)


def stale(history: History) -> int:
    """Epochs since the best validation AUPRC, which the first of equals is.

    >>> stale([{"validation_auprc": 0.5}, {"validation_auprc": 0.7}, {"validation_auprc": 0.7}]), stale([])
    (1, 0)
    """
    scores = [row.get("validation_auprc", 0.0) for row in history]
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def as_good_as_any(history: History) -> bool:
    """Whether the last epoch's validation AUPRC is the best so far, or within the best one's standard error of it; not of none.

    The rule of one standard error (Breiman et al. 1984, section 3.4.3): among epochs that validation cannot tell apart
    the last one is kept, as weights settle while the learning rate falls.

    >>> first = {"validation_auprc": 0.80, "validation_auprc_error": 0.02}
    >>> [as_good_as_any([first, {"validation_auprc": value}]) for value in (0.81, 0.79, 0.77)]
    [True, True, False]
    >>> as_good_as_any([first | {"validation_auprc_error": float("nan")}, {"validation_auprc": 0.7}])
    True
    """
    if not history:
        return False
    best = max(history, key=lambda row: row.get("validation_auprc", 0.0))
    least = best.get("validation_auprc", 0.0) - best.get("validation_auprc_error", 0.0)
    return not history[-1].get("validation_auprc", 0.0) < least  # an error that nobody knows tells no epochs apart


def criterion_of(balance: Balance, targets: Tensor, progress: float) -> Callable[[Tensor], Tensor]:
    """The remedy's loss of logits against these targets, at this share of training."""

    def criterion(logits_NK: Tensor) -> Tensor:
        if balance.loss is not None:
            return balance.loss(logits_NK, targets, progress)
        return functional.cross_entropy(logits_NK, targets)

    return criterion
