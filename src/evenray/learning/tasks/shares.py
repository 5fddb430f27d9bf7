"""The class shares of the place of use, as the user gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["target_prior"]


def even_shares(count: int) -> list[float]:
    """Rounded equal shares that sum to one; the last takes what is left, within a tenth of the others.

    >>> even_shares(3), even_shares(4), even_shares(7)[-2:]
    ([0.33, 0.33, 0.34], [0.25, 0.25, 0.25, 0.25], [0.143, 0.142])
    """
    digits = max(2, math.ceil(math.log10(5 * count**2)))  # each share is rounded by half a digit at most
    share = round(1 / count, digits)
    return [share] * (count - 1) + [round(1 - share * (count - 1), digits)]


def target_prior(
    prevalence: float | Mapping[str, float] | None, classes: Sequence[str], positive: str
) -> NDArray[np.float64] | None:
    """The class shares (K,) of the place of use, from the share of the positive class (two classes) or of every class.

    >>> target_prior(0.01, ("healthy", "sick"), "sick"), target_prior(None, ("healthy", "sick"), "sick")
    (array([0.99, 0.01]), None)
    """
    if prevalence is None:
        return None
    if not isinstance(prevalence, Mapping):
        if len(classes) != 2:
            raise UsageError(
                f"The prevalence is {prevalence:g}, but there are {len(classes)} classes; give a share for each, as in"
                f" {','.join(f'{name}={share:g}' for name, share in zip(classes, even_shares(len(classes)), strict=True))}."
            )
        prevalence = {name: prevalence if name == positive else 1 - prevalence for name in classes}
    if set(prevalence) != set(classes):
        raise UsageError(
            f"The prevalence names {', '.join(prevalence)}, but the classes are {', '.join(classes)}; give a share for each."
        )
    shares = np.array([float(prevalence[name]) for name in classes])
    if not ((shares > 0) & (shares < 1)).all() or abs(shares.sum() - 1) > 1e-3:
        raise UsageError(
            f"The prevalence gives the shares {', '.join(f'{share:g}' for share in shares)}; expected each above 0 and"
            " below 1, and 1 together."
        )
    return np.asarray(shares / shares.sum())
