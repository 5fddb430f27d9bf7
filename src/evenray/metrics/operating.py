"""Operating points: the threshold from which a case is called positive, chosen on validation and used on test."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import scipy  # its parts are imported when they are first used
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

from evenray.core import spec
from evenray.core.errors import DataError, UsageError
from evenray.core.registry import Registry
from evenray.core.threads import one_blas_thread
from evenray.core.types import Predictions

from ._curves import one_class, require_classes
from ._prior import class_prior
from .calibrators import fitted_line
from .intervals import multiplicities
from .ranking import Ranking

__all__ = ["LOOKING_AT_NO_CASE", "OperatingPoints", "choose_threshold", "rules", "threshold_spread"]

rules = Registry(
    "threshold rule",
    {
        "youden": "evenray.metrics.operating:youden",
        "sensitivity": "evenray.metrics.operating:sensitivity",
        "specificity": "evenray.metrics.operating:specificity",
        "accuracy": "evenray.metrics.operating:accuracy",
        "cost": "evenray.metrics.operating:cost",
        "net_benefit": "evenray.metrics.operating:net_benefit",
        "prevalence": "evenray.metrics.operating:prevalence",
        "fixed": "evenray.metrics.operating:fixed",
    },
    context=1,
)

LOOKING_AT_NO_CASE = ("fixed", "prevalence")
Share = Annotated[float, Gt(0), Lt(1)]
FAR = 1e-9  # probabilities nearer to 0 or 1 are clipped
TINY = 1e-12  # in place of 0 and 1, which no prevalence would move


@dataclass(frozen=True)
class OperatingPoints:
    """Every way to divide the cases by one threshold, from calling nobody positive to calling everybody.

    `thresholds` fall and lie halfway between neighbouring probabilities, `scores`, in log-odds: another prevalence moves
    all log-odds alike, so it moves them with the cases. `true_positives` and `false_positives` count the cases called
    positive at each; `share` is the prevalence that the choice is made for, `classes` are (negative, positive), and `patients`
    is how many of each have cases.
    """

    thresholds: NDArray[np.float64]
    scores: NDArray[np.float64]
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    share: float
    classes: tuple[str, str]
    patients: tuple[int, int]

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        return np.asarray(self.true_positives / self.true_positives[-1])

    @property
    def specificity(self) -> NDArray[np.float64]:
        return np.asarray(1 - self.false_positives / self.false_positives[-1])

    def best(self, merit: NDArray[Any]) -> float:
        """The threshold of the highest merit; of equals the highest threshold, that which calls the fewest positive."""
        return float(self.thresholds[int(np.argmax(merit))])

    @classmethod
    def of(cls, predictions: Predictions, share: float | None = None) -> OperatingPoints:
        """The points of two-class predictions; DataError where either class has no case."""
        scores, positive = one_class(predictions, None)
        if positive.all() or not positive.any():
            missing = predictions.positive if not positive.any() else "the other class"
            raise DataError(f"No threshold can be chosen: there is no case of {missing} to choose it on.")
        negative = predictions.classes[1 - predictions.positive_index]
        alone = np.arange(len(scores)) if "patient" not in predictions.table.columns else predictions.patients
        patients = (len(np.unique(alone[~positive])), len(np.unique(alone[positive])))
        ranking = Ranking.of(scores, positive)
        return cls._counted(ranking, np.ones(len(scores), np.int64), share, (negative, predictions.positive), patients)

    @classmethod
    def _counted(
        cls, ranking: Ranking, times_N: NDArray[np.int64], share: float | None, classes: tuple[str, str],
        patients: tuple[int, int],
    ) -> OperatingPoints:  # fmt: skip
        """The points of the cases of a ranking, each counted so many `times`."""
        ranked = times_N[ranking.order]
        true, every = (np.cumsum(counts)[ranking.ends] for counts in (ranked * ranking.positive, ranked))
        met = np.diff(every, prepend=0) > 0
        true, every, at = true[met], every[met], ranking.scores[ranking.ends][met]
        return cls(
            thresholds=_between(at),
            scores=at,
            true_positives=np.append(0, true),
            false_positives=np.append(0, every - true),
            share=float(true[-1] / every[-1]) if share is None else share,
            classes=classes,
            patients=patients,
        )

    @classmethod
    def resampled(
        cls, predictions: Predictions, share: float | None = None, *, resamples: int, seed: int = 0
    ) -> Iterator[OperatingPoints]:
        """The points of bootstrap resamples of the patients; resamples without a case of either class are left out."""
        own = cls.of(predictions, share)
        scores, positive = one_class(predictions, None)
        ranking = Ranking.of(scores, positive)
        for W in multiplicities(predictions.patients, resamples, seed):
            for times in W.astype(np.int64):
                if times[positive].any() and times[~positive].any():
                    yield cls._counted(ranking, times, share, own.classes, own.patients)


def _between(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A threshold above all of the falling scores (T,), one between any two, and one that none lies below: (T + 1,).

    Beyond the ends the odds are doubled and halved.

    >>> _between(np.array([0.9, 0.5, 0.1])).round(3)
    array([0.947, 0.75 , 0.25 , 0.053])
    """
    inside = np.where(scores <= 0, TINY, np.where(scores >= 1, 1 - TINY, scores))
    odds = scipy.special.logit(inside)
    steps = np.concatenate([[odds[0] + np.log(2)], (odds[1:] + odds[:-1]) / 2, [odds[-1] - np.log(2)]])
    between = scipy.special.expit(steps)
    # Where neighbours are too near to part, the upper of the two is called.
    between[1:] = np.where(
        (between[1:] <= scores) & (between[1:] > np.append(scores[1:], -np.inf)), between[1:], scores
    )
    between[0] = between[0] if between[0] > scores[0] else np.nextafter(scores[0], np.inf)
    return np.asarray(between)


def choose_threshold(
    predictions: Predictions, rule: str = "youden", prevalence: float | Sequence[float] | NDArray[Any] | None = None
) -> float:
    """The probability of the positive class from which on a case is to be called positive.

    `rule` is a spec: `youden`, `sensitivity(0.95)`, `specificity(0.95)`, `accuracy`, `cost(sick=500, healthy=1)`,
    `net_benefit(at=0.1)`, `prevalence`, `fixed(0.5)`. `prevalence` is that of the place of use (default: of the cases);
    it matters to accuracy, costs and net benefit. Raises UsageError for an unknown rule or more than two classes, DataError where
    a class has no case.

    >>> import polars as pl
    >>> table = pl.DataFrame({"target": [0, 0, 1, 1], "p_0": [0.9, 0.7, 0.4, 0.1], "p_1": [0.1, 0.3, 0.6, 0.9]})
    >>> round(choose_threshold(Predictions(table, ("healthy", "sick"), "sick")), 3)
    0.445
    """
    require_classes(predictions)
    if len(predictions.classes) != 2:
        raise UsageError(
            f"A threshold is for two classes, but there are {len(predictions.classes)}; the largest probability decides."
            f" Leave out {rule}."
        )
    share = None if prevalence is None else float(class_prior(prevalence, predictions)[predictions.positive_index])
    chosen: float = rules.bind(rule)(OperatingPoints.of(predictions, share))
    return chosen


def threshold_spread(
    predictions: Predictions,
    rule: str,
    prevalence: float | Sequence[float] | NDArray[Any] | None = None,
    *,
    resamples: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """The thresholds that a rule chooses on bootstrap resamples of the patients, float64 (resamples met,).

    Arguments as of `choose_threshold`. They tell how far another validation part would have led elsewhere.
    """
    share = None if prevalence is None else float(class_prior(prevalence, predictions)[predictions.positive_index])
    chosen = rules.bind(rule)
    drawn = OperatingPoints.resampled(predictions, share, resamples=resamples, seed=seed)
    with one_blas_thread():
        return np.array([chosen(points) for points in drawn])


def youden(points: OperatingPoints) -> float:
    """The largest sensitivity + specificity - 1 (Youden 1950)."""
    return points.best(
        points.true_positives * points.false_positives[-1] - points.false_positives * points.true_positives[-1]
    )  # whole numbers: no ties lost


def sensitivity(points: OperatingPoints, least: Share = 0.95) -> float:
    """The highest threshold, so the best specificity, at which a new positive case is called with a chance of `least`.

    Of n cases and a new one each is as likely to have the lowest score, so the k-th lowest of n is missed by a new case with a
    chance of k / (n + 1) (Wilks 1941; Vovk, Gammerman & Shafer 2005): k = (n + 1)(1 - least), rounded down, and DataError where
    that is 0. n are the patients.
    """
    spared = _spared(points, "sensitivity", least, of=1)
    return points.best(points.true_positives >= points.true_positives[-1] - spared)


def specificity(points: OperatingPoints, least: Share = 0.95) -> float:
    """The lowest threshold, so the best sensitivity, at which a new negative case is spared with a chance of `least`; see
    `sensitivity`.
    """
    allowed = _spared(points, "specificity", least, of=0)
    return points.best(np.where(points.false_positives <= allowed, points.true_positives, -1))


def _spared(points: OperatingPoints, rule: str, least: float, of: int) -> int:
    """How many cases of a class may lie on the wrong side of the threshold; DataError where even none is too few to promise."""
    n, total = points.patients[of], int((points.false_positives, points.true_positives)[of][-1])
    k = int(np.floor((n + 1) * (1 - least) + 1e-9))
    if k == 0:
        needed, within = int(np.ceil(least / (1 - least) - 1e-9)), np.floor(100 * n / (n + 1)) / 100
        raise DataError(
            f"{rule}({least:g}) needs {needed} patients of {points.classes[of]} to choose the threshold on, and there are {n};"
            f" take {rule}({within:g}) at most, youden, or a larger validation part."
        )
    return int(np.floor((k - 1) / n * total + 1e-9))


def accuracy(points: OperatingPoints) -> float:
    """The fewest errors to expect: where a logistic curve through all cases (Platt 1999) says that positive is as likely as not.

    Every case counts in the curve. The best of the cuts depends on the few cases beside it instead: where classes hardly
    overlap it can lie anywhere in the gap between them.
    """
    at = np.clip(points.scores, FAR, 1 - FAR)
    slope, intercept = fitted_line(
        scipy.special.logit(at), np.diff(points.true_positives), np.diff(points.false_positives)
    )
    odds = scipy.special.logit(points.share) - np.log(points.true_positives[-1] / points.false_positives[-1])
    if slope <= 0 or len(at) == 1:  # the scores do not tell: everybody is called what most are
        return 0.0 if points.share > 0.5 else float(points.thresholds[0])
    return float(np.clip(scipy.special.expit(-(intercept + odds) / slope), FAR, 1 - FAR))


Cost = Annotated[float, Ge(0)]


def cost(points: OperatingPoints, *, costs: dict[str, Cost] | None = None, **by_class: Cost) -> float:
    """The least expected cost; each class is named with what it costs to call one of its cases wrongly.

    Names that are no plain words go into `costs`: `cost(costs={'no finding': 1, 'sick': 500})`.
    """
    by_class = {**(costs or {}), **by_class}
    if set(by_class) != set(points.classes):
        negative, positive = points.classes
        raise UsageError(
            f"The costs are for {', '.join(by_class) or 'no class'}, but the classes are {negative}, {positive}; give one for"
            f" each, as in {spec.by_class('cost', 'costs', {positive: 500, negative: 1})}{_typed(positive, negative)}."
        )
    missed = by_class[points.classes[1]] * points.share * (1 - points.sensitivity)
    alarmed = by_class[points.classes[0]] * (1 - points.share) * (1 - points.specificity)
    return points.best(-np.round(missed + alarmed, 12))


def _typed(positive: str, negative: str) -> str:
    """The costs as they are typed in a shell; nothing where a name holds what stands between names there.

    >>> _typed("sick", "healthy"), _typed("sick", "no finding"), _typed("grade=2", "grade=1")
    (' or --cost sick=500,healthy=1', " or --cost 'sick=500,no finding=1'", '')
    """
    if any(letter in positive + negative for letter in "=,"):
        return ""
    return f" or --cost {shlex.quote(f'{positive}=500,{negative}=1')}"


def net_benefit(points: OperatingPoints, at: Share | None = None) -> float:
    """The largest net benefit for who would treat from a risk of `at` on (Vickers & Elkin 2006).

    A needless treatment then weighs at / (1 - at) of a needed one. `at` defaults to the prevalence, which comes to the
    same as Youden's rule.
    """
    odds = (points.share if at is None else at) / (1 - (points.share if at is None else at))
    gained = points.share * points.sensitivity - odds * (1 - points.share) * (1 - points.specificity)
    return points.best(np.round(gained, 12))


def prevalence(points: OperatingPoints) -> float:
    """The prevalence itself: positive is who is likelier to be so than the average case (threshold moving)."""
    return points.share


def fixed(points: OperatingPoints, at: Share = 0.5) -> float:
    """A threshold given beforehand."""
    return at
