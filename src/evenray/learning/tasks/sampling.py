"""Remedies of findings: losses finding by finding, samplers by the rarest finding that a case has.

A case has several findings, so no sampler can give each the share that it would have for classes; what a sampler does to
the share of each finding is computed from the cases, and undone as for any other remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from evenray.core.spec import parse
from evenray.core.tags import ABSENT, PRESENT, rarest
from evenray.learning.balance import Balance, make
from evenray.learning.balance._balance import Mix, Sampler

__all__ = ["TWO", "Strata", "draws", "masked_loss", "sampling", "shares"]

TWO = (ABSENT, PRESENT)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Loss = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True)
class Strata:
    """Training cases by the rarest finding that each has: `order` has the findings from the rarest on, `which` numbers the
    strata that have cases, by finding, -1 for others; `cases` (S,) counts them."""

    order: Ints
    which: Ints
    cases: Ints

    @classmethod
    def of(cls, targets_NF: Ints) -> Strata:
        """
        >>> Strata.of(np.array([[1, 1], [1, 0], [0, 0], [0, 0]])).cases
        array([1, 1, 2])
        """
        order = np.argsort((targets_NF == 1).sum(axis=0), kind="stable")
        counts = np.bincount(rarest(targets_NF, order), minlength=targets_NF.shape[1] + 1)
        which = np.where(counts > 0, np.cumsum(counts > 0) - 1, -1)
        return cls(order, which, counts[counts > 0])

    def of_cases(self, targets_NF: Ints) -> Ints:
        """The stratum of each training case, int64 (cases,)."""
        return self.which[rarest(targets_NF, self.order)]


def sampling(spec: str, targets_NF: Ints, epochs: int) -> tuple[Balance, Floats | None]:
    """What of a chain draws or mixes cases, as a Balance whose targets are findings, and what each case counts as they are
    drawn, (cases,); None where they are drawn as they come."""
    strata = Strata.of(targets_NF)
    names = tuple(str(number) for number in range(len(strata.cases)))
    drawing = [str(step) for step in parse(spec) if draws(str(step), epochs)]
    if not drawing or len(names) < 2:
        return Balance(), None
    plain = make(" | ".join(drawing), strata.cases, names, epochs=epochs)
    drawn = None if plain.prior is None else (plain.prior / strata.cases)[strata.of_cases(targets_NF)]
    balance = Balance(
        sampler=None if plain.sampler is None else _sampler(plain.sampler, strata),
        mix=None if plain.mix is None else _mix(plain.mix, strata), needs_images=plain.needs_images,
        constant_from=plain.constant_from,
    )  # fmt: skip
    return balance, drawn


def draws(step: str, epochs: int) -> bool:
    """Whether a step of a chain is about which cases come, or how they are mixed."""
    made = make(step, [2, 1], TWO, PRESENT, epochs=epochs)
    return made.sampler is not None or made.mix is not None


def shares(weight_N: Floats, targets_NF: Ints) -> Floats:
    """The share that has each finding among those of whom it is known, as cases of these weights are drawn."""
    present, known = (weight_N @ mask for mask in (targets_NF == 1, targets_NF >= 0))
    return np.divide(present, known, out=np.zeros(len(known)), where=known > 0)


def _sampler(plain: Sampler, strata: Strata) -> Sampler:
    def sampler(targets_N: Ints, *, batch: int, seed: int, epoch: int) -> Ints:
        return plain(strata.of_cases(targets_N), batch=batch, seed=seed, epoch=epoch)

    return sampler


def _mix(plain: Mix, strata: Strata) -> Mix:
    def mix(
        x_NCHW: Tensor, classes_N: Tensor, rng: np.random.Generator, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        of = torch.from_numpy(strata.of_cases(classes_N.cpu().numpy())).to(classes_N.device)
        return plain(x_NCHW, of, rng, classes_N)

    return mix


def masked_loss(losses: Sequence[Balance], known: float) -> Loss:
    """The mean over all known entries of what each finding's own remedy makes of it, as of two classes, absent and present;
    unknown entries have no loss.

    `known` is how many entries of an image are known on average. Batches are divided by that and not by their own number, so
    that every entry counts alike in whichever batch it comes, and the parts of a batch that processes share add up.

    >>> loss = masked_loss([Balance(), Balance()], known=1.0)
    >>> loss(torch.zeros(2, 2), torch.tensor([[1, -1], [0, -1]]), 0.0)  # nothing is known of the second finding
    tensor(0.6931)
    """

    def at_once(logits_NF: Tensor, targets_NF: Tensor, progress: float) -> Tensor:
        known_NF = targets_NF >= 0
        y_NF = targets_NF.clamp_min(0).to(logits_NF)
        each_NF = binary_cross_entropy_with_logits(logits_NF, y_NF, reduction="none")
        return (each_NF * known_NF).sum() / (known * len(logits_NF))

    def one_by_one(logits_NF: Tensor, targets_NF: Tensor, progress: float) -> Tensor:
        total = logits_NF.sum() * 0
        for f, balance in enumerate(losses):
            told = targets_NF[:, f] >= 0
            z, y = logits_NF[told, f], targets_NF[told, f].to(logits_NF)
            if len(z):
                pair, soft = torch.stack([torch.zeros_like(z), z], 1), torch.stack([1 - y, y], 1)
                mean = cross_entropy(pair, soft) if balance.loss is None else balance.loss(pair, soft, progress)
                total = total + mean * len(z)
        return total / (known * len(logits_NF))

    return one_by_one if any(balance.loss is not None for balance in losses) else at_once
