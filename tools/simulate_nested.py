"""How often the intervals of a nested cross-validation hold the truth, by simulation of small studies.

    python tools/simulate_nested.py [--studies 400] [--resamples 300] [--only "30 + 120"]

A study draws patients of two classes (30 normal features, 1.6 standard deviations apart in all), and trains shrunken linear
discriminants that see a random 60 % of the features, so that trainings differ as networks of different seeds do. Youden's
threshold is chosen on a seventh of the training patients. The study is cross-validated in 5 folds, repeated 3 times, and a model
for use is trained on all of it, whose true figures are known from 5,000 other patients. The table says how often the
interval holds the figure of that model, and that of the procedure (the mean over the models of all studies), and how often the
patients' interval alone would hold that of the model. What lies outside .92 to .98 is marked with *.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from evenray.core.types import Estimate, Predictions
from evenray.metrics import choose_threshold, over_repeats, score

Floats = NDArray[np.float64]
FEATURES, APART, SEEN, SHRINK = 30, 1.6, 0.6, 20
FOLDS, VALIDATION, LARGE = 5, 7, 2_500
WORLDS = ((15, 60), (15, 135), (30, 120), (49, 300))
FIGURES = (
    "auroc", "auprc", "balanced_accuracy", "sensitivity", "specificity", "accuracy", "ppv", "npv", "f1", "mcc", "brier",
    "log_loss", "ece", "calibration_slope", "calibration_in_the_large", "oe_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Studies of so many patients of each class."""

    sick: int
    well: int

    @property
    def shares(self) -> tuple[float, float]:
        return self.well / (self.sick + self.well), self.sick / (self.sick + self.well)


@dataclass(frozen=True)
class Model:
    """A linear rule for the log-odds of the sick."""

    weights: Floats
    offset: float

    def probabilities(self, x_ND: Floats) -> Floats:
        return np.asarray(expit(x_ND @ self.weights + self.offset))


@dataclass(frozen=True)
class Study:
    """What a study says of each figure, what it would say over patients alone, and the truth of its model for use."""

    found: Mapping[str, Estimate]
    patients: Mapping[str, Estimate]
    model: Mapping[str, float]


def study(seed: int, world: World, *, repeats: int = 3, resamples: int = 300) -> Study:
    """Draw a study, cross-validate it, train a model on all of it and look up the truth."""
    rng = np.random.default_rng([seed, world.sick, world.well])
    x_ND, y = drawn(rng, world.sick, world.well)
    each = [_repeat(x_ND, y, [seed, repeat]) for repeat in range(repeats)]

    found = over_repeats(each, lambda told, bounded: score(told, resamples=resamples if bounded else 0))
    whole = [score(one, resamples=resamples).estimates for one in each]
    patients = {name: _mean([one[name] for one in whole]) for name in whole[0]}
    model, threshold = trained(x_ND, y, [seed, 999])
    truth = score(
        _told(model.probabilities(_others()[0]), _others()[1]), threshold, resamples=0, prevalence=world.shares
    )
    return Study(found.estimates, patients, {name: one.value for name, one in truth.estimates.items()})


def _mean(each: list[Estimate]) -> Estimate:
    value, low, high = np.mean([(one.value, one.low, one.high) for one in each], axis=0)
    return Estimate(float(value), float(low), float(high), each[0].baseline)


def drawn(rng: np.random.Generator, sick: int, well: int) -> tuple[Floats, NDArray[np.int64]]:
    y = np.repeat([1, 0], [sick, well]).astype(np.int64)
    return rng.normal(size=(len(y), FEATURES)) + APART / np.sqrt(FEATURES) * y[:, None], y


@cache
def _others() -> tuple[Floats, NDArray[np.int64]]:
    return drawn(np.random.default_rng(77), LARGE, LARGE)


def fitted(x_ND: Floats, y: NDArray[np.int64], rng: np.random.Generator) -> Model:
    seen = np.flatnonzero(rng.permutation(FEATURES) < SEEN * FEATURES)
    own = x_ND[:, seen]
    middles = np.stack([own[y == k].mean(axis=0) for k in (0, 1)])
    rest, n = own - middles[y], len(y)
    covariance = (rest.T @ rest + SHRINK * np.eye(len(seen))) / (n + SHRINK)
    weights = np.zeros(FEATURES)
    weights[seen] = np.linalg.solve(covariance, middles[1] - middles[0])
    offset = np.log(y.mean() / (1 - y.mean())) - weights[seen] @ middles.sum(axis=0) / 2
    return Model(weights, float(offset))


def trained(x_ND: Floats, y: NDArray[np.int64], seed: list[int]) -> tuple[Model, float]:
    """A model of the training part, and its threshold of the validation part."""
    rng = np.random.default_rng(seed)
    held = parts(y, VALIDATION, rng) == 0
    model = fitted(x_ND[~held], y[~held], rng)
    shares = (float((y[~held] == 0).mean()), float((y[~held] == 1).mean()))
    return model, choose_threshold(_told(model.probabilities(x_ND[held]), y[held]), "youden", shares)


def parts(y: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Parts that divide each class evenly; part 0 has a case of each."""
    found = np.zeros(len(y), dtype=np.int64)
    for k in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == k))
        found[rows] = np.arange(len(rows)) % count
    return found


def _repeat(x_ND: Floats, y: NDArray[np.int64], seed: list[int]) -> Predictions:
    fold = parts(y, FOLDS, np.random.default_rng([*seed, 5]))
    p, thresholds = np.zeros(len(y)), np.zeros(len(y))
    for held in range(FOLDS):
        rows = fold == held
        model, thresholds[rows] = trained(x_ND[~rows], y[~rows], [*seed, held])
        p[rows] = model.probabilities(x_ND[rows])
    return _told(p, y, fold=pl.Series(fold), threshold=pl.Series(thresholds))


def _told(p: Floats, y: NDArray[np.int64], **more: pl.Series) -> Predictions:
    names = [str(i) for i in range(len(y))]
    table = {"case": names, "patient": names, "target": y, "p_0": 1 - p, "p_1": p}
    return Predictions(pl.DataFrame(table).with_columns(**more), ("well", "sick"), "sick")


def _share(held: list[bool]) -> str:
    share = float(np.mean(held)) if held else float("nan")
    return f"{share:.2f}{'' if 0.915 <= share < 0.985 else '*'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=300)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    for sick, well in WORLDS:
        if asked.only not in f"{sick} + {well}":
            continue
        found = [study(seed, World(sick, well), resamples=asked.resamples) for seed in range(asked.studies)]
        print(
            f"\n{sick} + {well} patients, {len(found)} studies\n\n| Figure | model | procedure | patients alone | bias | width |"
        )
        print("|---|---|---|---|---|---|")
        for name in FIGURES:
            truth = float(np.nanmean([each.model[name] for each in found]))
            told = [(each.found[name], each.patients[name], each.model[name]) for each in found]
            told = [one for one in told if np.isfinite([one[0].low, one[0].high, one[2]]).all()]
            shares = (
                _share([whole.low <= own <= whole.high for whole, _, own in told]),
                _share([whole.low <= truth <= whole.high for whole, _, _ in told]),
                _share([alone.low <= own <= alone.high for _, alone, own in told]),
            )
            bias = float(np.mean([whole.value for whole, _, _ in told])) - truth
            width = float(np.mean([whole.high - whole.low for whole, _, _ in told]))
            print(f"| {name} | {' | '.join(shares)} | {bias:+.3f} | {width:.2f} |", flush=True)


if __name__ == "__main__":
    main()
