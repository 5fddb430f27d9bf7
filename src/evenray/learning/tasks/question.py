"""A question: a set of classes of which every case has exactly one, and the way from logits to their probabilities.

A data set of classes asks one; one of findings asks one a finding, with the classes absent and present.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.learning.balance import Balance, correct
from evenray.metrics import Calibration
from evenray.metrics.operating import TINY

__all__ = ["Question", "Target"]

Floats = NDArray[np.float64]
Target = Sequence[
    Floats | None
]  # for each question the class shares (K,) of the place of use; None where not asked for


@dataclass(frozen=True)
class Question:
    """`name` is that of the finding, "" where there is one question; `prior` (K,) the class shares of the training part;
    `balance` undoes what the remedy did to them."""

    name: str
    classes: tuple[str, ...]
    positive: str
    balance: Balance
    prior: Floats

    def probabilities(
        self, logits_NK: Floats, calibration: Calibration | None = None, target: Floats | None = None
    ) -> Floats:
        """Float64 (N, K) from the question's own logits.

        What the remedy did to the class prior is undone in closed form: probabilities are those at `prior`. Then
        `calibration` is applied, and last the probabilities are moved to `target` (K,), the shares of the place of use.
        """
        corrected = self.balance.correct(logits_NK, self.prior)
        posterior = np.exp(corrected) if calibration is None else calibration.apply(corrected)
        if target is not None:
            posterior = np.exp(correct(np.log(np.clip(posterior, TINY, 1)), target, self.prior))
        return np.asarray(posterior)
