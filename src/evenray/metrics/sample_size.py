"""How precise figures of a test part of so many patients can be, and how many patients a given precision takes."""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.special import owens_t

__all__ = ["auroc_interval", "detectable_difference", "patients_for", "share_interval"]

AUROC = 0.85  # the typical AUROC at which a difference is asked for
CORRELATION = 0.5  # of the two AUROCs, measured on the same cases
TWO_SIDED = NormalDist().inv_cdf(0.975)


def auroc_interval(positives: int, negatives: int, auroc: float = AUROC) -> tuple[float, float]:
    """The 95 % interval to expect of an AUROC in (0.5, 1) on so many patients of each class, one case each.

    On the logit scale, by the standard error of two normal distributions of scores.

    >>> [round(bound, 2) for bound in auroc_interval(42, 114)]
    [0.77, 0.91]
    """
    middle = math.log(auroc / (1 - auroc))
    half = TWO_SIDED * _error(positives, negatives, auroc) / (auroc * (1 - auroc))
    return _logistic(middle - half), _logistic(middle + half)


def share_interval(patients: int, share: float) -> tuple[float, float]:
    """The 95 % interval to expect of a share, such as a sensitivity, on so many patients (Wilson, JASA 1927).

    >>> [round(bound, 2) for bound in share_interval(42, 0.9)]
    [0.77, 0.96]
    """
    z = TWO_SIDED**2 / patients
    middle, half = (share + z / 2) / (1 + z), math.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def detectable_difference(
    positives: int, negatives: int, auroc: float = AUROC, correlation: float = CORRELATION, power: float = 0.8
) -> float:
    """The smallest difference of two AUROCs, measured on the same cases, that a test at 5 % sees with this power.

    (z(0.975) + z(power)) SE sqrt(2 (1 - correlation)), after Hanley and McNeil (Radiology 1983).

    >>> round(detectable_difference(42, 114), 3)
    0.095
    """
    error = _error(positives, negatives, auroc) * math.sqrt(2 * (1 - correlation))
    return (TWO_SIDED + NormalDist().inv_cdf(power)) * error


def patients_for(width: float, patients: int, wanted: float) -> int:
    """About how many patients make an interval `wanted` wide, with the classes in the same shares, where it is `width` wide
    with so many `patients`: widths go with the inverse root of the number. At least the patients there are.

    Targets of width after Riley et al. (Stat Med 2021, sample size for external validation): .1 for an AUROC, .4 for a
    calibration slope.

    >>> patients_for(0.14, 156, 0.1)
    306
    """
    return max(patients, math.ceil(patients * (width / wanted) ** 2 - 1e-9))


def _error(positives: int, negatives: int, auroc: float) -> float:
    """The standard error of an AUROC (Hanley and McNeil, Radiology 1982, equation 2), where scores of both classes are normal
    with one deviation: Q1 = Q2 is the chance that two of one class rank on the right side of one of the other, by Owen's T.

    Their own Q1 and Q2, of exponential scores, make the error a fifth larger where one class is much rarer.
    """
    z = NormalDist().inv_cdf(auroc)
    q = auroc - 2 * float(owens_t(z, math.sqrt(1 / 3)))
    spread = auroc * (1 - auroc) + (positives + negatives - 2) * (q - auroc**2)
    return math.sqrt(spread / (positives * negatives))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
