"""Figures of networks under corruptions: what each loses, and how much more one loses than another, on the same patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.robustness import ALL, Degraded, Measured, NetworkRobustness
from evenray.core.artefacts.scores import Gap
from evenray.core.types import Predictions
from evenray.metrics import measured_by_task
from evenray.metrics.measuring import Cut, Prevalence
from evenray.metrics.paired import Difference, from_replicates
from evenray.metrics.scoring import Measure

from .corrupted import LOOKS, Look

__all__ = ["FIGURES", "measured_networks"]

FIGURES = ("auroc", "balanced_accuracy")  # the ranking, and the calls at the threshold that clean images chose
RESAMPLES = 500
Spread = tuple[float, NDArray[np.float64], float]  # a figure, its replicates, the freedom of their deviation
Losses = dict[str, dict[str, Spread]]


def measured_networks(
    networks: Mapping[str, tuple[Sequence[Predictions], Cut]], *, prevalence: Prevalence = None, seed: int = 0,
) -> tuple[tuple[NetworkRobustness, ...], dict[str, dict[str, Gap]]]:  # fmt: skip
    """Of each network, by its contrast, its predictions in every one of LOOKS and its thresholds: the records, and how much more the
    second network loses than the first (nothing where there is one).

    All resamples are of the same patients, so that losses and differences are paired; p is not corrected.
    """
    found, losses = list[NetworkRobustness](), list[Losses]()
    for contrast, (seen, cut) in networks.items():
        each = {
            look: measured_by_task(predicted, cut, prevalence=prevalence, seed=seed, resamples=RESAMPLES)
            for look, predicted in zip(LOOKS, seen, strict=True)
        }
        lost = _lost(each)
        losses.append(lost)
        found.append(
            NetworkRobustness(
                contrast=contrast, clean=_told(each[LOOKS[0]]), lost=_gaps(lost),
                degraded=tuple(
                    Degraded(corruption=look.corruption, grade=look.grade, figures=_told(figures))
                    for look, figures in each.items()
                    if look.grade
                ),
            )
        )  # fmt: skip
    steadier: Losses = {}
    if len(losses) == 2:
        own, other = losses
        steadier = {
            name: {metric: _less(other[name][metric], one) for metric, one in figures.items()}
            for name, figures in own.items()
        }
    return tuple(found), _gaps(steadier)


def _lost(each: Mapping[Look, Mapping[str, Measure]]) -> Losses:
    """The clean figure less the mean over the grades of each corruption, and of all corruptions."""
    clean, lost = each[LOOKS[0]], Losses()
    for name in dict.fromkeys(look.corruption for look in LOOKS if look.grade):
        grades = [figures for look, figures in each.items() if look.corruption == name]
        lost[name] = {}
        for metric in FIGURES:
            mean = (
                float(np.mean([grade[metric].value for grade in grades])),
                np.mean([grade[metric].replicates for grade in grades], axis=0),
                clean[metric].freedom,
            )
            lost[name][metric] = _less((clean[metric].value, clean[metric].replicates, clean[metric].freedom), mean)
    lost[ALL] = {
        metric: (
            float(np.mean([figures[metric][0] for figures in lost.values()])),
            np.mean([figures[metric][1] for figures in lost.values()], axis=0),
            clean[metric].freedom,
        )
        for metric in FIGURES
    }
    return lost


def _less(one: Spread, other: Spread) -> Spread:
    return one[0] - other[0], one[1] - other[1], min(one[2], other[2])


def _gaps(spreads: Losses) -> dict[str, dict[str, Gap]]:
    return {
        name: {metric: _gap(from_replicates(*spread)) for metric, spread in each.items()}
        for name, each in spreads.items()
    }


def _gap(found: Difference) -> Gap:
    return Gap(**vars(found))


def _told(figures: Mapping[str, Measure]) -> dict[str, Measured]:
    return {
        metric: Measured(value=figures[metric].value, low=figures[metric].low, high=figures[metric].high)
        for metric in FIGURES
    }
