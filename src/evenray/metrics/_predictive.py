"""The intervals of accuracy, PPV and NPV at a prevalence, from those of sensitivity and specificity.

A resample of the cases is weighted by the shares that it happened to draw, and where one of both rates is 0 or 1 it sees
no spread in what stands for most of a rare class's calls.
"""

from __future__ import annotations

import math

__all__ = ["accuracy_interval", "predictive_interval"]

Rate = tuple[float, float, float]  # value, low, high


def accuracy_interval(sensitivity: Rate, specificity: Rate, prevalence: float) -> tuple[float, float]:
    """Of the share that is called rightly: the distances to the rates' bounds, squared and added (Zou & Donner 2008).

    >>> [round(bound, 3) for bound in accuracy_interval((0.8, 0.7, 0.9), (0.9, 0.8, 0.95), 0.5)]
    [0.779, 0.906]
    """
    (se, se_low, se_high), (sp, sp_low, sp_high) = sensitivity, specificity
    rest = 1 - prevalence
    value = prevalence * se + rest * sp
    return (
        max(0.0, value - math.hypot(prevalence * (se - se_low), rest * (sp - sp_low))),
        min(1.0, value + math.hypot(prevalence * (se_high - se), rest * (sp_high - sp))),
    )


def predictive_interval(found: Rate, spared: Rate, share: float) -> tuple[float, float]:
    """Of the share of the calls that are right, for a class of this `share` of which so many are `found`, while so many of the
    others are `spared`: PPV from sensitivity and specificity, NPV the other way round.

    By Bayes' rule the log-odds are a sum, whose distances are added as in `accuracy_interval`; where a rate is 0 or 1 and
    has no logarithm, both rates stand at their bounds.

    >>> [round(bound, 3) for bound in predictive_interval((0.9, 0.8, 0.95), (0.99, 0.95, 0.998), 0.05)]
    [0.485, 0.96]
    >>> [round(bound, 3) for bound in predictive_interval((0.9, 0.8, 0.95), (1.0, 0.964, 1.0), 0.05)]
    [0.539, 1.0]
    """
    (hit, hit_low, hit_high), (right, right_low, right_high) = found, spared
    before = math.log(share / (1 - share))
    least = before + _log(hit_low) - _log(1 - right_low)
    most = before + _log(hit_high) - _log(1 - right_high)
    if hit > 0 and right < 1:
        middle = before + math.log(hit) - math.log(1 - right)
        if hit_low > 0:
            least = middle - math.hypot(math.log(hit / hit_low), math.log((1 - right_low) / (1 - right)))
        if right_high < 1:
            most = middle + math.hypot(math.log(hit_high / hit), math.log((1 - right) / (1 - right_high)))
    return _share(least), _share(most)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _share(log_odds: float) -> float:
    return 0.0 if log_odds == -math.inf else 1 / (1 + math.exp(-log_odds))
