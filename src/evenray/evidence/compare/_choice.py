"""Which cell to train with: what each is expected to be worth when the others are heard too, and whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy  # its parts are imported when they are first used
from numpy.typing import NDArray

__all__ = ["LUCK", "Posterior", "apart", "come_through", "error", "posterior", "settle", "training_variance"]

Floats = NDArray[np.float64]

# Standard deviations that effects may have, in standard errors of a cell; 0 says that there is no such effect.
SCALES = (0.0, 0.5, 1.0, 2.0, 4.0)
ALIKE = 1e-6  # of a figure: what numbers of finite length differ by
FLOOR = 0.01  # of the mean variance of the cells, which each has at least
TYPICAL = 4.0  # degrees of freedom that the cells' typical variance weighs beside a cell's own
ALIKES = 400  # comparisons of cells that are alike
LUCK = 0.2  # of these, how many may expect as much of their best as was found (decision 19)


@dataclass(frozen=True)
class Posterior:
    """What is believed of the cells' figures: `mean` (C,) and, drawn from the belief, `draws` (D, C); and `luck`, how often as
    much would be expected of the best above the first, were all cells alike and only measured with these errors."""

    mean: Floats
    draws: Floats
    luck: float

    def better(self, cell: int, than: int = 0) -> float:
        """The probability that one cell is better than another; where no effect is believed in, neither is."""
        with np.errstate(invalid="ignore"):  # of two that are worth nothing neither is better
            gap = self.draws[:, cell] - self.draws[:, than]
        return float((gap > ALIKE * np.abs(self.draws[:, than])).mean())


def training_variance(figures: Sequence[Floats]) -> Floats:
    """The variance of a figure between trainings that differ in their seed alone, of each cell: float64 (C,).

    `figures` has for each of C cells those from its S seeds on F folds, (S, F); cells may have different S. A variance from a
    few seeds is itself a lottery, so that of each cell is drawn towards the median of all, which counts as much as TYPICAL
    degrees of freedom (the moderated variance of Smyth 2004). Zero where no cell has two seeds: nothing is known then.

    >>> training_variance([np.array([[0.1], [0.3]]), np.array([[0.2], [0.2]]), np.array([[0.2]])]).round(4).tolist()
    [0.012, 0.008, 0.01]
    """
    freedom = np.array([(len(each) - 1) * each.shape[1] for each in figures], dtype=np.float64)
    if not freedom.any():
        return np.zeros(len(figures))
    own = np.array([each.var(axis=0, ddof=1).mean() if len(each) > 1 else 0.0 for each in figures])
    found: Floats = (freedom * own + TYPICAL * np.median(own[freedom > 0])) / (freedom + TYPICAL)
    return found


def error(figures: Sequence[Floats], sampling_CC: Floats, *, overlap: float = 0.0) -> Floats:
    """The covariance of the cells' mean figures, float64 (C, C).

    `sampling_CC` is what the cases account for, which all cells share; training adds a variance to each. With `overlap`,
    the ratio of the cases tested on to those trained on, the variance holds for networks trained on other cases too
    (Nadeau & Bengio 2003): folds share cases, so that more trainings on them do not make it vanish.
    """
    trainings = np.array([each.size for each in figures])
    found: Floats = sampling_CC + np.diag(training_variance(figures) * (1 / trainings + overlap))
    return found


def posterior(
    value_C: Floats, error_CC: Floats, factors: Sequence[Sequence[object]], *, alike: Floats | None = None, seed: int = 0,
    draws: int = 4000,
) -> Posterior:  # fmt: skip
    """What is believed of the cells after all were measured, the errors of which have the covariance `error_CC`.

    A cell is a common level, an effect of each of its factors (`factors` has one sequence a factor: the contrast of every
    cell, its remedy, its network) and one of its own, the interaction; each kind of effect is normal about zero. How large a
    kind is nobody knows: the belief is averaged over SCALES, weighted by how well each explains the figures (Bayes). So a
    contrast that is better under every remedy is heard as often as it was trained, a single cell that sticks out is drawn
    back, and an interaction counts where the figures show one. `alike` (ALIKES, C) is what might have been measured were all cells
    alike, in standard errors, where that is not the errors alone: see `come_through`.
    """
    C = len(value_C)
    unit = float(np.sqrt(np.median(np.diag(apart(error_CC)))))
    if C == 1 or not unit > 0:
        return Posterior(value_C, np.tile(value_C, (draws, 1)), 1.0)
    # A ranking without a mistake shows no error at all, and would pull the others to it whatever they showed.
    error_CC = error_CC + FLOOR * float(np.diag(error_CC).mean()) * np.eye(C)
    kinds = [_same(factor) for factor in factors if 1 < len(set(factor)) < C] + [np.eye(C)]
    rng = np.random.default_rng([seed, 3])
    if alike is None:
        alike = rng.multivariate_normal(np.zeros(C), error_CC, ALIKES, method="eigh")
    else:
        alike = alike * np.sqrt(np.diag(apart(error_CC)))
    seen = np.vstack(
        [value_C - value_C.mean(), alike]
    ).T  # (C, 1 + ALIKES): what was measured, and what might have been
    told = [
        _given(seen, error_CC, sum(((scale * unit) ** 2 * kind for scale, kind in zip(scales, kinds, strict=True)), np.zeros((C, C))))
        for scales in product(SCALES, repeat=len(kinds))
    ]  # fmt: skip
    shares = scipy.special.softmax([likelihood for likelihood, _, _ in told], axis=0)
    means = np.einsum("kr,kcr->cr", shares, np.array([mean for _, mean, _ in told]))
    ahead = means.max(axis=0) - means[0]
    counts = rng.multinomial(draws, shares[:, 0])
    drawn = [
        rng.multivariate_normal(mean[:, 0], covariance, count, method="eigh")
        for count, (_, mean, covariance) in zip(counts, told, strict=True)
        if count
    ]
    level = value_C.mean()
    return Posterior(
        level + means[:, 0], level + np.concatenate(drawn), float(((ahead[1:] >= ahead[0]).sum() + 1) / (ALIKES + 1))
    )


def come_through(counts: Sequence[int], together: Sequence[float], seed: int = 0) -> Floats:
    """What the cells of the last rung would show there, in standard errors, were all that began alike: float64 (ALIKES, counts[-1]).

    `counts` has the cells of each rung; the first, the reference, stays, and the others go on by their figures. `together` has for
    each rung but the last how far these go with the figures of the last one (a correlation).

    >>> came, stayed = (come_through([27, 3], [together])[:, 1:].mean() for together in (1.0, 0.0))
    >>> bool(came > 1.5), bool(abs(stayed) < 0.15)
    (True, True)
    """
    rng = np.random.default_rng([seed, 5])
    last = rng.standard_normal((ALIKES, counts[0]))
    left = np.tile(np.arange(1, counts[0]), (ALIKES, 1))
    for count, r in zip(counts[1:], together, strict=True):
        shown = r * last + np.sqrt(1 - r**2) * rng.standard_normal(last.shape)
        ahead = np.argsort(-np.take_along_axis(shown, left, axis=1), axis=1)[:, : count - 1]
        left = np.take_along_axis(left, np.sort(ahead, axis=1), axis=1)  # in their order, as they stand
    return np.column_stack([last[:, 0], np.take_along_axis(last, left, axis=1)])


def settle(belief: Posterior) -> int:
    """The cell to train with: the one of the highest expected figure, or the reference, which stands first, where as much
    would be expected of the best by LUCK alone."""
    return int(belief.mean.argmax()) if belief.luck <= LUCK else 0


def _given(seen_CR: Floats, error_CC: Floats, prior_CC: Floats) -> tuple[Floats, Floats, Floats]:
    """Of R measurements the restricted log-likelihood (R,) and the cells' expected figures (C, R), and their covariance
    (C, C); the common level is left free."""
    C = len(error_CC)
    both = error_CC + prior_CC
    precision = scipy.linalg.inv(both)
    V1 = precision.sum(axis=1)
    information = float(V1.sum())
    free = precision - np.outer(V1, V1) / information  # the precision of what differs from the level
    fit = np.einsum("cr,cr->r", seen_CR, free @ seen_CR)
    likelihood = -0.5 * (np.linalg.slogdet(both)[1] + np.log(information) + fit)
    mean = V1 @ seen_CR / information + prior_CC @ free @ seen_CR
    rest = np.ones(C) - prior_CC @ V1  # what the level's own error adds
    covariance = prior_CC - prior_CC @ precision @ prior_CC + np.outer(rest, rest) / information
    return likelihood, mean, (covariance + covariance.T) / 2


def apart(error_CC: Floats) -> Floats:
    """The errors without what all cells share, which moves none against another."""
    C = len(error_CC)
    centre = np.eye(C) - 1 / C
    found: Floats = centre @ error_CC @ centre * C / max(C - 1, 1)
    return found


def _same(names: Sequence[object]) -> Floats:
    """1 where two cells share the level of a factor."""
    return np.array([[float(one == other) for other in names] for one in names])
