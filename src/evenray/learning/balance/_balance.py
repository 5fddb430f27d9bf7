"""What a remedy for class imbalance is: a loss, a sampler and the class prior that they leave the network with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenray.core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Balance", "DoubleCorrectionWarning", "Mix", "Sampler", "correct"]


class DoubleCorrectionWarning(UserWarning):
    """Two steps of one spec bend the class prior (resampling and weighting, say), so the rare class counts twice."""


class Sampler(Protocol):
    """Draws the indices of one epoch, int64, to be consumed in consecutive batches of `batch`."""

    def __call__(self, targets_N: NDArray[np.int64], *, batch: int, seed: int, epoch: int) -> NDArray[np.int64]: ...


class Mix(Protocol):
    """Changes a batch of training images, by their classes, and the targets with them."""

    def __call__(
        self, x_NCHW: Tensor, classes_N: Tensor, rng: np.random.Generator, targets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Balance:
    """A remedy; whatever is None stays as in plain training.

    `loss(logits_NK, targets, progress) -> scalar tensor`: targets are int64 (N,) or soft float (N, K); progress runs
    from 0 to 1 through training. `sampler` draws the indices of an epoch. `mix(x_NCHW, classes_N, rng, targets) -> (x, targets)`
    changes a batch of training images by their classes; targets are these where none are given, and may be soft. Others
    given, (N, M) with -1 for unknown, are blended as the images are. `prior` is float64 (K,), the class prior that the
    network learns under; None where it is that of the data. `link` turns the logits that the loss leads to into log
    posteriors under `prior`; None where a softmax does. `rule` is the rule for choosing the threshold that goes with
    the remedy (see evenray.metrics.choose_threshold). `needs_images` says that `mix` works on images alone, not on what a
    frozen trunk made of them. `constant_from` is the share of training from which the remedy no longer changes, so that `prior`
    holds: no earlier state of the network is kept, and training does not stop before.

    Of masks alone: `region(tp_K, fp_K, fn_K) -> scalar tensor` is added to the loss of the pixels, or stands for it where
    there is no `loss`; it has the soft counts of each class but the background. `foreground` is the share of training patches
    that lie about a pixel of a class. `posterior` False says that no closed form leads to probabilities, only a calibration.
    Of boxes alone: `hard_negatives` is how many places without an object are learnt from for each one with an object.

    >>> Balance(prior=np.array([0.5, 0.5])).correct([[0.0, 0.0]], data_prior=[0.9, 0.1]).round(3)
    array([[-0.105, -2.303]])
    """

    loss: Callable[[Tensor, Tensor, float], Tensor] | None = None
    sampler: Sampler | None = None
    prior: NDArray[np.float64] | None = None
    mix: Mix | None = None
    link: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    rule: str | None = None
    needs_images: bool | None = None
    constant_from: float | None = None
    region: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None
    foreground: float | None = None
    posterior: bool | None = None
    hard_negatives: float | None = None

    def correct(
        self, logits_NK: ArrayLike, data_prior: ArrayLike, target_prior: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Logits as log posteriors under `target_prior` (K,), by default `data_prior`, that of the training part."""
        logits = np.asarray(logits_NK, dtype=np.float64)
        if self.link is not None:
            logits = self.link(logits)
        learnt = data_prior if self.prior is None else self.prior
        return correct(logits, data_prior if target_prior is None else target_prior, learnt)


def correct(logits_NK: ArrayLike, true_prior: ArrayLike, learnt_prior: ArrayLike) -> NDArray[np.float64]:
    """Log posteriors under `true_prior`, float64 (N, K), from logits learnt under `learnt_prior`; both priors (K,).

    logits + log true - log learnt, then normalised so that their exponentials sum to one. By Bayes' rule, when the
    images of a class look the same under both (Saerens, Latinne & Decaestecker 2002, eq. 2.4).

    >>> np.exp(correct([[0.0, 0.0]], true_prior=[0.99, 0.01], learnt_prior=[0.5, 0.5])).round(3)
    array([[0.99, 0.01]])
    """
    logits = np.asarray(logits_NK, dtype=np.float64)
    shifted = logits + np.log(_prior(true_prior, "true_prior", logits)) - np.log(_prior(learnt_prior, "learnt", logits))
    highest = shifted.max(axis=-1, keepdims=True)
    normalised: NDArray[np.float64] = shifted - highest - np.log(np.exp(shifted - highest).sum(axis=-1, keepdims=True))
    return normalised


def _prior(prior: ArrayLike, name: str, logits: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(prior, dtype=np.float64)
    if values.shape != logits.shape[-1:] or not (np.isfinite(values).all() and (values > 0).all()):
        raise UsageError(f"{name} is {values.tolist()}; expected {logits.shape[-1]} shares, each above 0.")
    normalised: NDArray[np.float64] = values / values.sum()
    return normalised
