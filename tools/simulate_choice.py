"""Simulates comparisons of known truth and judges rules of choice by what they lose: `python tools/simulate_choice.py [--runs N]`.

A grid of contrasts x remedies, 37 sick of 493 as in the demo. Scores are binormal; how much of their variance the cells share, how
much is a cell's own and how much a single training's, and how far trainings differ in what they have learnt, was measured on
trainings of the demo's phantoms (docs/log.md). In each world the rules choose from the same out-of-fold scores. Printed are the
mean regret (expected AUPRC of the best cell less that of the chosen one), how often none x none was taken, and how often the 95 %
interval of the difference between the cell chosen by expectation and the reference held the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from evenray.evidence.compare._choice import LUCK, Posterior, error, posterior, settle
from evenray.metrics import holm

Floats = NDArray[np.float64]
LOW, HIGH, CHANCE = 0.30, 0.41, 0.0751  # AUPRC
SIDES = (3, 5, 7)  # contrasts, and as many remedies


@dataclass(frozen=True)
class World:
    """How scores vary: `shared` and `own` are the shares of a score's variance that all cells have in common and that all
    trainings of a cell have; `seed` and `cases` the standard deviations, in those of the scores, of how far sick and healthy
    stand apart, between seeds and between training folds."""

    sick: int = 37
    every: int = 493
    folds: int = 2
    seeds: int = 3
    shared: float = 0.60
    own: float = 0.14
    seed: float = 0.11
    cases: float = 0.08


@dataclass(frozen=True)
class Seen:
    """What a comparison sees: AUPRC of C cells, S seeds and F folds, the influence of each case on a cell's mean from each
    seed (C, S, N), and the scores (C, S, N) with who is sick."""

    figures: Floats
    influence: Floats
    scores: Floats
    sick: NDArray[np.bool_]
    contrast: NDArray[np.int64]
    balance: NDArray[np.int64]


def grid(side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Contrast and remedy of every cell, the simplest first."""
    cells = [(contrast, balance) for contrast in range(side) for balance in range(side)]
    cells.sort(key=lambda cell: ((cell[0] > 0) + (cell[1] > 0), cell[0] > 0, cell))
    return np.array([c for c, _ in cells]), np.array([b for _, b in cells])


def truths(name: str, contrast: NDArray[np.int64], balance: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """The AUPRC that each cell stands for."""
    C, side = len(contrast), int(contrast.max()) + 1
    better = rng.choice(np.arange(1, side), side // 2, replace=False)
    step = HIGH - LOW
    found = np.full(C, LOW)
    if name == "nothing learnt":
        found[:] = CHANCE
    elif name == "half, at random":
        found[rng.choice(np.arange(1, C), C // 2, replace=False)] = HIGH
    elif name == "half of the contrasts":
        found[np.isin(contrast, better)] = HIGH
    elif name == "half of the remedies":
        found[np.isin(balance, better)] = HIGH
    elif name == "one of each, adding up":
        found += step / 2 * (contrast == better[0]) + step / 2 * (balance == better[-1])
    elif name == "one cell alone":
        found[rng.integers(1, C)] = HIGH
    elif name == "evenly spread":
        found += step * rng.random(C)
        found[0] = LOW
    elif name == "others at chance":
        found[:] = CHANCE
        found[np.isin(contrast, better)] = LOW
    elif name == "none x none is best":
        found += step * rng.random(C)
        found[0] = HIGH
    return found


WORLDS = (
    "all equal", "nothing learnt", "half, at random", "half of the contrasts", "half of the remedies", "one of each, adding up",
    "one cell alone", "evenly spread", "others at chance", "none x none is best",
)  # fmt: skip


@cache
def _table(prevalence: float) -> tuple[Floats, Floats]:
    apart, cut = np.linspace(0, 5, 201), np.linspace(-6, 11, 4001)
    healthy = stats.norm.sf(cut)
    areas = []
    for d in apart:
        sick = stats.norm.sf(cut - d)
        areas.append(-np.trapezoid(prevalence * sick / (prevalence * sick + (1 - prevalence) * healthy + 1e-300), sick))
    return apart, np.array(areas)


def expected(truth_C: Floats, world: World) -> Floats:
    """The AUPRC to expect of a training of each cell on as many cases."""
    apart, areas = _table(world.sick / world.every)
    d = np.interp(truth_C, areas, apart)[:, None]
    spread = np.where(d > 0.01, np.hypot(world.seed, world.cases), 0)
    drawn = np.maximum(d + spread * np.random.default_rng(5).standard_normal((1, 400)), 0)
    found: Floats = np.interp(drawn, apart, areas).mean(axis=1)
    return found


def see(
    truth_C: Floats, contrast: NDArray[np.int64], balance: NDArray[np.int64], world: World, rng: np.random.Generator
) -> Seen:
    """A comparison of cells of these truths."""
    C, S, F, N = len(truth_C), world.seeds, world.folds, world.every
    sick = np.arange(N) < world.sick
    fold = np.empty(N, np.int64)
    for members in (np.flatnonzero(sick), np.flatnonzero(~sick)):
        fold[rng.permutation(members)] = np.arange(len(members)) % F
    apart, areas = _table(world.sick / N)
    d = np.interp(truth_C, areas, apart)[:, None, None]
    learnt = d > 0.01
    drawn = world.seed * rng.standard_normal((C, S, F)) + world.cases * rng.standard_normal((C, 1, F))
    d = np.maximum(d + learnt * drawn, 0)
    rest = 1 - world.shared - world.own
    scores = np.sqrt(world.shared) * rng.standard_normal(N) + np.sqrt(world.own) * rng.standard_normal((C, 1, N))
    scores = scores + np.sqrt(rest) * rng.standard_normal((C, S, N)) + d[:, :, fold] * sick
    figures, influence = np.empty((C, S, F)), np.empty((C, S, N))
    for f in range(F):
        held = fold == f
        area, moved = average_precision(scores[:, :, held].reshape(C * S, -1), sick[held])
        figures[:, :, f] = area.reshape(C, S)
        influence[:, :, held] = moved.reshape(C, S, -1) / F
    return Seen(figures, influence, scores, sick, contrast, balance)


def average_precision(scores_MN: Floats, sick_N: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Average precision of M rankings, and its derivative by the weight of each case (the infinitesimal jackknife)."""
    order = np.argsort(-scores_MN, axis=1)
    sick, rank = sick_N[order], np.arange(1, scores_MN.shape[1] + 1)
    precision, total = np.cumsum(sick, axis=1) / rank, sick.sum(axis=1, keepdims=True)
    area = (precision * sick).sum(axis=1, keepdims=True) / total
    below = lambda x: np.cumsum(x[:, ::-1], axis=1)[:, ::-1]  # noqa: E731
    as_sick = precision - area + below(sick * (1 - precision) / rank)
    ranked = np.where(sick, as_sick, -below(sick * precision / rank)) / total
    influence = np.empty_like(ranked)
    np.put_along_axis(influence, order, ranked, axis=1)
    return area[:, 0], influence


def measured(seen: Seen, seeds: NDArray[np.int64]) -> tuple[list[Floats], Floats, Floats]:
    """Figures of each cell's first `seeds`, their means, and the covariance that cases account for."""
    figures = [each[:count] for each, count in zip(seen.figures, seeds, strict=True)]
    influence = np.array([each[:count].mean(axis=0) for each, count in zip(seen.influence, seeds, strict=True)])
    return figures, np.array([each.mean() for each in figures]), influence @ influence.T


def belief(seen: Seen, seeds: NDArray[np.int64]) -> Posterior:
    figures, value, sampling = measured(seen, seeds)
    return posterior(value, error(figures, sampling), (seen.contrast, seen.balance), draws=1000)


def all_seeds(seen: Seen) -> NDArray[np.int64]:
    C, S, _ = seen.figures.shape
    return np.full(C, S)


def holm_backwards(seen: Seen) -> int:
    """The simplest that Holm's correction cannot tell from the best: one training a cell, its folds pooled (until 0.1)."""
    area, influence = average_precision(seen.scores[:, 0], seen.sick)
    best = int(area.argmax())
    deviation = np.sqrt(((influence[best] - influence) ** 2).sum(axis=1))
    others = np.arange(len(area)) != best
    p = np.ones(len(area))
    p[others] = holm(2 * stats.norm.sf((area[best] - area[others]) / deviation[others]))
    return int(np.flatnonzero(p >= 0.05)[0])


def highest(seen: Seen) -> int:
    return int(seen.figures.mean(axis=(1, 2)).argmax())


def _one_standard_error(value: Floats, covariance: Floats) -> int:
    best = int(value.argmax())
    own = np.diag(covariance)
    deviation = np.sqrt(np.maximum(own + own[best] - 2 * covariance[best], 0))
    return int(np.flatnonzero(value >= value[best] - deviation)[0])


def one_standard_error(seen: Seen) -> int:
    figures, value, sampling = measured(seen, all_seeds(seen))
    return _one_standard_error(value, error(figures, sampling))


def main_effects(seen: Seen) -> int:
    """The contrast over all remedies, then the remedy over all contrasts, each by one standard error."""
    figures, value, sampling = measured(seen, all_seeds(seen))
    covariance = error(figures, sampling)
    levels = []
    for factor in (seen.contrast, seen.balance):
        mean = np.array([factor == level for level in range(factor.max() + 1)], dtype=np.float64)
        mean /= mean.sum(axis=1, keepdims=True)
        levels.append(_one_standard_error(mean @ value, mean @ covariance @ mean.T))
    return int(np.flatnonzero((seen.contrast == levels[0]) & (seen.balance == levels[1]))[0])


def confidence_set(seen: Seen, level: float = 0.25) -> int:
    """The simplest of the model confidence set (Hansen, Lunde & Nason 2011) by the largest standardised shortfall."""
    figures, value, sampling = measured(seen, all_seeds(seen))
    drawn = np.random.default_rng(0).multivariate_normal(
        np.zeros(len(value)), error(figures, sampling), 400, method="eigh"
    )
    left = np.arange(len(value))
    while len(left) > 1:
        behind, chance = value[left].mean() - value[left], drawn[:, left].mean(axis=1, keepdims=True) - drawn[:, left]
        deviation = chance.std(axis=0)
        if ((chance / deviation).max(axis=1) >= (behind / deviation).max()).mean() >= level:
            break
        left = np.delete(left, (behind / deviation).argmax())
    return int(left[0])


def expected_figure(seen: Seen) -> int:
    return settle(belief(seen, all_seeds(seen)))


RULES: dict[str, Callable[[Seen], int]] = {
    "simplest not told from the best (Holm)": holm_backwards,
    "highest figure": highest,
    "one standard error": one_standard_error,
    "main effects, one standard error": main_effects,
    "model confidence set (75 %)": confidence_set,
    f"expected figure, luck {LUCK}": expected_figure,
}


def covered(seen: Seen, truth_C: Floats) -> bool:
    """Whether the claim's interval holds the difference of a cell, drawn beforehand, to the reference."""
    figures, value, sampling = measured(seen, all_seeds(seen))
    F = seen.figures.shape[2]
    both = error(figures, sampling, overlap=1 / (F - 1))[np.ix_([0, 1], [0, 1])]
    deviation = np.sqrt(both[0, 0] + both[1, 1] - 2 * both[0, 1])
    return bool(abs(value[1] - value[0] - (truth_C[1] - truth_C[0])) <= 1.96 * deviation)


def simulate(name: str, side: int, world: World, runs: int, seed: int = 0) -> pl.DataFrame:
    """One row a rule: mean regret, the share of runs in which the reference was taken, and its standard error."""
    contrast, balance = grid(side)
    rng = np.random.default_rng([seed, side, WORLDS.index(name)])
    regret: dict[str, list[float]] = {rule: [] for rule in RULES}
    kept: dict[str, list[bool]] = {rule: [] for rule in RULES}
    inside, reference = [], []
    for _ in range(runs):
        truth = truths(name, contrast, balance, rng)
        worth = expected(truth, world)
        seen = see(truth, contrast, balance, world, rng)
        reference.append(worth.max() - worth[0])
        inside.append(covered(seen, worth))
        for rule, choose in RULES.items():
            taken = choose(seen)
            regret[rule].append(float(worth.max() - worth[taken]))
            kept[rule].append(taken == 0)
    return pl.DataFrame({
        "world": name, "cells": side * side, "of none x none": float(np.mean(reference)), "rule": list(RULES),
        "regret": [float(np.mean(each)) for each in regret.values()],
        "error": [float(np.std(each) / len(each) ** 0.5) for each in regret.values()],
        "none x none": [float(np.mean(each)) for each in kept.values()], "covered": float(np.mean(inside)),
    })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="comparisons a world and size of the grid")
    parser.add_argument("--sides", type=int, nargs="+", default=list(SIDES), help="contrasts, and as many remedies")
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=WORLDS)
    parser.add_argument("--seeds", type=int, default=World.seeds)
    parser.add_argument("--folds", type=int, default=World.folds)
    options = parser.parse_args()
    world = replace(World(), seeds=options.seeds, folds=options.folds)
    for side in options.sides:
        for name in options.worlds:
            found = simulate(name, side, world, options.runs)
            row = found.row(0, named=True)
            print(f"\n{name}, {side * side} cells: regret of none x none {row['of none x none']:.3f}; intervals of a"
                  f" difference that cover {row['covered']:.3f}")  # fmt: skip
            for each in found.iter_rows(named=True):
                print(
                    f"  {each['rule']:42} regret {each['regret']:.3f} +- {each['error']:.3f}   none x none {each['none x none']:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
