"""From a question's own logits to what is called: calibration, the prevalence of the place of use, and the threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenray.core.spec import Step
from evenray.learning.tasks.question import Question
from evenray.metrics import Calibration

__all__ = ["Decision"]

BY_RATE = ("youden", "sensitivity", "specificity")  # rules that choose a place on the ROC curve
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """How one question is answered; `prevalence` (K,) are the class shares that probabilities and `threshold` are for, None
    for those of the training part."""

    question: Question
    calibration: Calibration
    threshold: float | None
    rule: str | None
    prevalence: Floats | None = None

    @property
    def given(self) -> Floats:
        """The class shares that the probabilities are for, float64 (K,)."""
        return self.question.prior if self.prevalence is None else self.prevalence

    @property
    def positive(self) -> int:
        return self.question.classes.index(self.question.positive)

    def at(self, target: Floats | None) -> Decision:
        """The same where the classes have other shares (K,); a threshold goes with them where its rule chose by rates."""
        if target is None:
            return self
        threshold = self.threshold
        if threshold is not None and self.rule is not None:
            step = Step.of(self.rule)
            if _by_rate(step):
                threshold = self._moved(threshold, target)
            elif step.name == "prevalence":
                threshold = float(target[self.positive])
        return replace(self, prevalence=target, threshold=threshold)

    def _moved(self, threshold: float, target: Floats) -> float:
        """The probability that a case at `threshold` has under the class shares `target`; what calls everybody, or nobody
        whatever they get, stays.
        """
        if not 0 < threshold < 1:
            return threshold
        k, ratio = self.positive, target / self.given
        odds = threshold / (1 - threshold) * ratio[k] / ratio[1 - k]
        return float(odds / (1 + odds))

    def called(self, probabilities_NK: Floats) -> list[str]:
        """The class that each case is called: by the threshold with two classes, the most probable with more."""
        called = probabilities_NK.argmax(axis=1)
        if self.threshold is not None:
            k = self.positive
            called = np.where(probabilities_NK[:, k] >= self.threshold, k, 1 - k)
        return [self.question.classes[k] for k in called]


def _by_rate(rule: Step) -> bool:
    """Whether a rule chooses a place on the ROC curve; the others choose a probability, and mean the same at any prevalence.

    >>> _by_rate(Step.of("net_benefit")), _by_rate(Step.of("net_benefit(at=0.1)"))
    (True, False)
    """
    given = any((*rule.args, *rule.kwargs.values()))
    return rule.name in BY_RATE or (
        rule.name == "net_benefit" and not given
    )  # at the prevalence, that is Youden's rule
