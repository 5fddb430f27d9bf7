"""The exponential average of the weights: what is validated, kept and used."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from evenray.learning.networks import Classifier

from .alone import Machine

__all__ = ["Average"]

MEMORY = 1 / 20  # the share of the training that it remembers
SHORTEST = 10
LOOKS = 10  # how often the model is looked at within that memory; more changes nothing but the time it takes


class Average:
    """Follows a model through training. It begins as the plain mean of what it has seen, then forgets exponentially.

    `plain`: forgets at once, so that it is the model as it is at the end of each epoch.
    """

    def __init__(self, model: Classifier, steps: int, *, plain: bool = False) -> None:
        self._plain = plain
        shared = {id(p): p for p in model.parameters() if not p.requires_grad}  # what is frozen is not copied
        self.model = copy.deepcopy(model, shared).requires_grad_(False).eval()
        self._pairs = list(zip(self.model.modules(), model.modules(), strict=True))
        self._old, self._new = _changing(self._pairs)
        self._memory = max(SHORTEST, steps * MEMORY)
        self._every = max(1, int(self._memory / LOOKS))

    def follow(self, step: int, number: int, *, last: bool) -> None:
        """Move towards the model after step `step` of training, which is batch `number` of its epoch, both from 0."""
        gap = (number + 1) % self._every or self._every
        if (gap < self._every or self._plain) and not last:
            return
        share = 1.0 if self._plain else max(1 - (1 - 1 / self._memory) ** gap, gap / (step + 1))
        torch._foreach_lerp_(self._old, self._new, share)

    def settle(self, batches: Iterable[Tensor], fabric: Machine) -> None:
        """Measure the statistics of batch normalisation anew, for the averaged weights, on training images as they are.

        Those gathered while training are of other weights and of augmented images; with them the ranking is right but
        the probabilities are not (docs/log.md, 2026-11-22). What is frozen keeps its own. Each process has its own
        batches, and the means over batches are made one.
        """
        norms = [
            mean
            for mean, own in self._pairs
            if isinstance(mean, nn.modules.batchnorm._BatchNorm) and (own.weight is None or own.weight.requires_grad)
        ]
        if not norms:
            return
        self.model.eval()
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
            norm.train()
        seen = 0
        with torch.no_grad(), fabric.autocast():
            for x_NCHW in batches:
                self.model(x_NCHW)
                seen += 1
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
        if fabric.world_size > 1:
            _unite(norms, seen)


def _changing(pairs: list[tuple[nn.Module, nn.Module]]) -> tuple[list[Tensor], list[Tensor]]:
    """The tensors that training changes, of the average and of the model; counters are of no use to anybody."""
    found = [
        (old, new)
        for mean, own in pairs
        for old, new in zip(_held(mean), _held(own), strict=True)
        if new.is_floating_point() and (new.requires_grad or not isinstance(new, nn.Parameter))
    ]
    return [old.detach() for old, _ in found], [new.detach() for _, new in found]


def _held(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


def _unite(norms: list[nn.modules.batchnorm._BatchNorm], seen: int) -> None:
    """Running statistics as they were over the batches of all processes, of which this one saw some."""
    kept = [tensor for norm in norms for tensor in (norm.running_mean, norm.running_var) if tensor is not None]
    flat = torch.cat([*(tensor * seen for tensor in kept), kept[0].new_tensor([seen])])
    torch.distributed.all_reduce(flat)
    for tensor, total in zip(kept, torch.split(flat[:-1], [len(tensor) for tensor in kept]), strict=True):
        tensor.copy_(total / flat[-1])
    for norm in norms:
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.fill_(int(flat[-1]))
