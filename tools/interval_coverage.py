"""How often the 95 % intervals of a report hold the truth, by simulation: every figure, at several sizes and prevalences.

    python tools/interval_coverage.py [--repeats 300] [--resamples 500] [--only "two classes"]

Test parts are drawn with a given number of cases of each class, as a split by class leaves them, from a world whose true
figures are known from 40,000 cases of each class. Images of the sick give a log likelihood ratio of N(1.1, 2.2), those of the
healthy N(-1.1, 2.2) (AUROC .85); forecasts are right, or too sure by a slope of 1.5. What lies outside .92
to .98 is marked with *; where a figure has no interval in some parts, the share that has one follows.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import log_softmax

from evenray.core.types import Predictions
from evenray.metrics import (
    calibration_by_class,
    calibration_curve,
    decision_curve,
    delong_difference,
    difference,
    per_patient,
    score,
    sensitivity_at_specificity,
)  # fmt: skip

Bounds = dict[str, tuple[float, float, float]]  # value, low, high
LARGE = 40_000  # of each class, weighted to the shares
DISTANCE = 1.48  # of the evidence for a class in its own cases and in others, in standard deviations
RISKS = (0.05, 0.2, 0.5)


@dataclass(frozen=True)
class World:
    """Test parts of so many cases of each class; `images` of each patient share half of their variance."""

    counts: tuple[int, ...]
    slope: float = 1.0
    images: int = 1
    at: tuple[float, ...] | None = None  # the prior to score at

    @property
    def shares(self) -> NDArray[np.float64]:
        return np.array(self.counts) / sum(self.counts)

    def draw(self, rng: np.random.Generator, counts: tuple[int, ...] | None = None) -> Predictions:
        counts = self.counts if counts is None else counts
        K, two = len(counts), len(counts) == 2
        targets = np.repeat(np.arange(K), counts)
        # Patients hold images of one class; the last of a class may hold fewer.
        within = np.concatenate([np.arange(n) // self.images for n in counts])
        patients = np.unique(targets * len(targets) + within, return_inverse=True)[1]
        common = rng.normal(size=(patients.max() + 1, K))[patients]
        share = 0.5 if self.images > 1 else 0.0
        noise = np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(size=common.shape)
        own = targets[:, None] == np.arange(K)
        evidence = DISTANCE * (noise / np.sqrt(2) + DISTANCE / 2 * (own - 0.5) if two else noise + DISTANCE * own)
        logits = self.slope * (evidence + np.log(self.shares))
        p = np.exp(log_softmax(logits, axis=1))
        if self.at is not None:
            p = p * (np.array(self.at) / self.shares)
            p /= p.sum(axis=1, keepdims=True)
        classes = (*(f"class{k}" for k in range(K - 1)), "sick")
        columns = {"case": np.arange(len(targets)).astype(str), "patient": patients.astype(str), "target": targets}
        return Predictions(pl.DataFrame(columns | {f"p_{k}": p[:, k] for k in range(K)}), classes, "sick")


Prior = tuple[float, ...] | None
Measure = Callable[[World, Predictions, Prior, int], Bounds]


def main_table(world: World, predictions: Predictions, at: Prior, resamples: int) -> Bounds:
    """The figures of the table of metrics, of groups and of the operating points."""
    threshold = float(world.shares[-1]) if len(world.counts) == 2 else None
    if world.at is not None:
        threshold = world.at[-1]
    scores = score(predictions, threshold, resamples=resamples, prevalence=at)
    found = {name: (each.value, each.low, each.high) for name, each in scores.estimates.items()}
    if len(world.counts) == 2 and world.at is None:
        each = sensitivity_at_specificity(predictions, resamples=resamples)
        found["sensitivity_at_specificity"] = (each.value, each.low, each.high)
    if len(world.counts) > 2:
        for name, figure in calibration_by_class(predictions, None if at is None else np.array(at))["sick"].items():
            found[f"{name} of the rarest"] = figure
    return found


def curves(world: World, predictions: Predictions, at: Prior, resamples: int) -> Bounds:
    """The decision curve at some risks, and the points of the reliability diagram, whose truth is the forecast's own."""
    curve = decision_curve(predictions, RISKS, prevalence=at, resamples=resamples)
    found = {}
    for row in curve.iter_rows(named=True):
        found[f"net benefit at {row['at']:g}"] = (row["net_benefit"], row["low"], row["high"])
        if "over_all" in row:
            found[f"net benefit over treat-all at {row['at']:g}"] = tuple(
                row[f"over_all{part}"] for part in ("", "_low", "_high")
            )
    return found


def reliability(world: World, predictions: Predictions, at: Prior, resamples: int) -> Bounds:
    """Bars of the reliability diagram less their forecast, of which the truth is 0 where the slope is 1."""
    curve = calibration_curve(predictions)
    names = ("lowest", *[""] * (curve.height - 2), "highest")
    return {
        f"reliability diagram, {name} group": (row["observed"] - row["forecast"], row["low"] - row["forecast"],
                                               row["high"] - row["forecast"])
        for name, row in zip(names, curve.iter_rows(named=True), strict=True) if name
    }  # fmt: skip


def pairs(world: World, predictions: Predictions, at: Prior, resamples: int) -> Bounds:
    """Paired differences to a second model, which sees the same cases with more noise."""
    rng = np.random.default_rng(len(predictions.table) + int(1e6 * predictions.probabilities[0, 0]))
    K = len(predictions.classes)
    z = np.log(predictions.probabilities) + 0.7 * rng.normal(size=(predictions.table.height, K))
    p = np.exp(log_softmax(z, axis=1))
    other = Predictions(
        predictions.table.with_columns(**{f"p_{k}": p[:, k] for k in range(K)}), predictions.classes, "sick"
    )
    found = {}
    for metric in ("auroc", "auprc"):
        each = difference(predictions, other, metric, prevalence=at, resamples=resamples)
        found[f"difference of {metric}"] = (each.value, each.low, each.high)
    each = delong_difference(predictions, other)
    return found | {"difference of auroc (DeLong)": (each.value, each.low, each.high)}


def by_patient(world: World, predictions: Predictions, at: Prior, resamples: int) -> Bounds:
    """AUROC and AUPRC of patients in place of images."""
    scores = score(per_patient(predictions), prevalence=at, resamples=resamples)
    return {
        f"{name} by patient": (e.value, e.low, e.high) for name in ("auroc", "auprc") for e in [scores.estimates[name]]
    }


@cache
def truth(world: World, measure: Measure) -> dict[str, float]:
    """The figures of a world, from many cases."""
    many = world.draw(np.random.default_rng(99), (LARGE // world.images * world.images,) * len(world.counts))
    with warnings.catch_warnings(action="ignore"):  # of intervals without a resample
        found = measure(world, many, world.at or tuple(world.shares), 0)
    return {name: 0.0 if name.startswith("reliability") else value for name, (value, *_) in found.items()}


TWO = {
    "10 + 50": World((50, 10)), "42 + 114": World((114, 42)), "40 + 760": World((760, 40)), "20 + 1980": World((1980, 20)),
}  # fmt: skip
WORLDS: dict[str, tuple[dict[str, World], tuple[Measure, ...]]] = {
    "two classes": (TWO, (main_table, curves, reliability)),
    "forecasts too sure": (
        {"42 + 114": World((114, 42), slope=1.5), "40 + 760": World((760, 40), slope=1.5)}, (main_table, curves),
    ),
    "another prevalence": (
        {
            "42 + 114 at .2": World((114, 42), at=(0.8, 0.2)), "50 + 450 at .01": World((450, 50), at=(0.99, 0.01)),
            "300 + 800 at .05": World((800, 300), at=(0.95, 0.05)),
        },
        (main_table,),
    ),
    "three classes": (
        {"90 + 60 + 10": World((90, 60, 10)), "180 + 120 + 25": World((180, 120, 25))}, (main_table,),
    ),
    "4 images a patient": (
        {"15 + 60 patients": World((240, 60), images=4), "40 + 160 patients": World((640, 160), images=4)},
        (main_table, curves, by_patient),
    ),
    "pairs": ({name: TWO[name] for name in ("42 + 114", "40 + 760")}, (pairs,)),
}  # fmt: skip


def coverage(world: World, measure: Measure, repeats: int, resamples: int) -> dict[str, tuple[float, float]]:
    """{figure: (share of the intervals that hold the truth, share of the parts that have an interval)}."""
    rng = np.random.default_rng(1)
    true = truth(world, measure)
    held: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for name, (_, low, high) in measure(world, world.draw(rng), world.at, resamples).items():
            held[name].append(np.nan if np.isnan([low, high]).any() else low - 1e-9 <= true[name] <= high + 1e-9)
    return {
        name: (float(np.nanmean(values)) if not np.isnan(values).all() else np.nan, float((~np.isnan(values)).mean()))
        for name, values in held.items()
    }


def told(covered: float, given: float) -> str:
    """.95; .95* outside of what is promised; in brackets how often there was an interval, where not always."""
    if given == 0:
        return "none"
    text = f"{covered:.2f}".lstrip("0") + ("" if 0.92 <= round(covered, 2) <= 0.98 else "*")
    return text if given > 0.995 else f"{text} ({given:.2f})".replace("(0", "(")


def table(name: str, repeats: int, resamples: int) -> Iterator[str]:
    """Rows of Markdown."""
    worlds, measures = WORLDS[name]
    rows: dict[str, list[str]] = defaultdict(list)
    for world in worlds.values():
        for measure in measures:
            for figure, (covered, given) in coverage(world, measure, repeats, resamples).items():
                rows[figure].append(told(covered, given))
    yield f"| {name} | " + " | ".join(worlds) + " |"
    yield "|---" * (1 + len(worlds)) + "|"
    for figure, cells in rows.items():
        yield f"| {figure} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--only", choices=[*WORLDS])
    given = parser.parse_args()
    for name in WORLDS if given.only is None else (given.only,):
        print(*table(name, given.repeats, given.resamples), sep="\n", flush=True)
        print()


if __name__ == "__main__":
    main()
