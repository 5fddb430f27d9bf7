"""Every metric of the validation and the test part as value, interval and baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenray.core.artefacts.scores import BaselineScores, Figure, PartScores
from evenray.core.types import Predictions
from evenray.metrics import decide
from evenray.metrics.detection import RATES
from evenray.metrics.intervals import clustered_share
from evenray.metrics.sample_size import patients_for
from evenray.metrics.volumes import VOLUME_METRICS
from evenray.reporting.language import Language
from evenray.reporting.trunk import trunk_told
from evenray.reporting.view import RunView

__all__ = ["context"]

ORDER = (
    *("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "mcc", "f1"),
    *("accuracy", "brier", "ece", "log_loss", "calibration_slope", "calibration_in_the_large", "oe_ratio"),
    *("weighted_kappa", "grade_error"),
    *(
        "dice",
        "iou",
        "dice_pooled",
        "hd95",
        "lesion_sensitivity",
        "false_lesions",
        "clean",
        "area_bias",
        "area_low",
        "area_high",
        *VOLUME_METRICS,
        "dice_gain",
    ),
    *("map50", "map", "froc", *(f"sensitivity_at_{rate:g}" for rate in RATES), "false_positives"),
)
FREE = (
    "false_positives",
    "hd95",
    "false_lesions",
    "area_bias",
    "area_low",
    "area_high",
    *VOLUME_METRICS[1:],
)  # in units of their own
SIGNED = ("mcc", "weighted_kappa", "calibration_in_the_large")  # below 0, too
# Widths of intervals to aim at: Riley et al. (Stat Med 2021) for AUROC (.1) and calibration slope (.4).
WANTED = {
    "auroc": 0.1, "auprc": 0.1, "sensitivity": 0.1, "specificity": 0.1, "calibration_slope": 0.4, "dice": 0.1, "map50": 0.1,
    "froc": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class Needed:
    """How wide the interval of a metric is on the test part, the wanted width, and the patients that it takes; None where
    there are enough."""

    metric: str
    width: float
    wanted: float
    patients: int | None


Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Shown:
    parts: Sequence[tuple[str, int]]
    rows: list[tuple[str, list[Figure | None], tuple[float, float]]]
    per_class: list[tuple[str, int, float | None, float | None, Bounds, Bounds]]
    by_distance: list[tuple[int, int, float]]
    baselines: tuple[BaselineScores, ...]
    trunk: dict[str, str] | None
    needed: list[Needed]
    ranked_by: tuple[str, ...] = ("auroc", "auprc")


def context(run: RunView, say: Language) -> Shown | None:
    parts = run.results.parts if run.results else {}
    shown = [part for part in ("test", "validation") if part in parts]
    if not shown:
        return None
    held = {name for part in shown for name in parts[part].metrics}
    names = [*(name for name in ORDER if name in held), *sorted(held - set(ORDER))]
    rows = [(name, [parts[part].metrics.get(name) for part in shown], _domain(name, parts, shown)) for name in names]
    sizes = [(part, parts[part].cases) for part in shown]
    simple = run.results.baselines if run.results else ()
    return Shown(
        parts=sizes, rows=rows, per_class=_per_class(run), by_distance=_by_distance(run), baselines=simple,
        trunk=trunk_told(run.results, say) if run.results else None,
        needed=_needed(parts.get("test")),
    )  # fmt: skip


def _needed(test: PartScores | None) -> list[Needed]:
    if test is None:
        return []
    found = []
    for name, wanted in WANTED.items():
        figure = test.metrics.get(name)
        if figure is None or not (width := figure.high - figure.low) > 0:  # no interval, or none that can be narrowed
            continue
        needed = patients_for(width, test.patients, wanted)
        found.append(Needed(name, width, wanted, needed if needed > test.patients else None))
    return found


def _domain(name: str, parts: Mapping[str, PartScores], shown: Sequence[str]) -> tuple[float, float]:
    """The range of a metric's strip: 0 to 1, or -1 to 1, and up to the largest number for an unbounded one."""
    found = [parts[part].metrics[name] for part in shown if name in parts[part].metrics]
    values = [value for f in found for value in (f.value, f.low, f.high, f.baseline) if value == value]
    if name in SIGNED:
        most = max([1.0, *(abs(value) for value in values)])
        return -most, most
    least = 0.0 if name in FREE else 1.0
    return min([0.0, *values]), max([least, *values])


def _by_distance(run: RunView) -> list[tuple[int, int, float]]:
    """Of ordered classes, how many test images are called how many grades away from the truth, and their share."""
    if run.test is None or run.results is None or not run.results.ordered:
        return []
    confusion = run.test.confusion
    K, total = len(confusion), sum(map(sum, confusion))
    found = [sum(confusion[i][j] for i in range(K) for j in range(K) if abs(i - j) == apart) for apart in range(K)]
    return [(apart, n, n / max(total, 1)) for apart, n in enumerate(found)]


def _per_class(run: RunView) -> list[tuple[str, int, float | None, float | None, Bounds, Bounds]]:
    """Of each of many classes in the test part: cases, the share that is found, the share of its calls that is right, at the
    prevalence asked for, and the intervals of the two over patients; a share at another prevalence has none.
    """
    if run.binary or run.test is None or not run.test.confusion:
        return []
    confusion = run.test.confusion
    counts = [sum(row) for row in confusion]
    known = run.shares is None or all(counts)  # a class without a case cannot be given a share
    weights = (
        [1.0] * len(counts) if run.shares is None else [s / max(n, 1) for s, n in zip(run.shares, counts, strict=True)]
    )
    test = run.predictions.part("test") if run.predictions is not None else None
    said = decide(test, None) if test is not None and len(test.table) == sum(counts) else None
    found = []
    for k, (name, cases) in enumerate(zip(run.classes, counts, strict=True)):
        right, called = confusion[k][k], sum(weight * row[k] for weight, row in zip(weights, confusion, strict=True))
        precision = weights[k] * right / called if called and known else None
        bounds: list[Bounds] = [None, None]
        if test is not None and said is not None:
            true = test.targets == k
            bounds = [_share(test, said == k, true), _share(test, true, said == k) if run.shares is None else None]
        found.append((name, cases, right / cases if cases else None, precision, bounds[0], bounds[1]))
    return found


def _share(test: Predictions, came: NDArray[np.bool_], among: NDArray[np.bool_]) -> Bounds:
    return clustered_share(came[among], test.patients[among]) if among.any() else None
