"""How often an external test names the right reason, in drawn worlds where it is known: `python tools/simulate_external.py`.

Small pictures have a disc whose brightness tells, with noise, whether the case is sick; a fixed function of the pixels stands
for the network, so that what is done to the pixels reaches its probabilities as it would those of a network. Each world has
training images, an internal test part and another hospital's set, in which one thing differs, or nothing. All that decides is
the code that decides in an external test.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset, Estimate, Image, Predictions
from evenray.data.external.drift import drifted
from evenray.data.external.light import light_put_back
from evenray.images.contrast import enhance
from evenray.metrics import delong
from evenray.metrics.transport import causes, restored, transport
from evenray.metrics.unpaired import unpaired

SIDE = 16
APART = 2.2  # standard deviations between the sick and the healthy: an AUROC of .94
SHARE = 0.35
LEVEL, PER_SIGNAL, SPREAD = (
    0.45,
    0.03,
    0.03,
)  # the grey level of a picture, what the signal adds to the disc, and how levels vary
DISC = (np.hypot(*(np.indices((SIDE, SIDE)) - 7.5)) < 4).astype(bool)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Elsewhere:
    """What differs in the other hospital."""

    share: float = SHARE
    apart: float = APART
    slope: float = 1.0
    shift: float = 0.0
    gamma: float = 1.0


TRUTHS = {
    "none": Elsewhere(),
    "prevalence": Elsewhere(share=0.15),
    "calibration": Elsewhere(slope=2.0, shift=1.2),
    "ranking": Elsewhere(apart=1.0),
    "light": Elsewhere(gamma=1.8),
}


@dataclass(frozen=True)
class Drawn:
    pictures: NDArray[np.uint8]
    sick: NDArray[np.bool_]
    patients: NDArray[np.int64]

    @property
    def dataset(self) -> Dataset:
        histograms = np.stack([np.bincount(one.ravel(), minlength=256) for one in self.pictures]).astype(np.uint32)
        flat = self.pictures.reshape(len(self.pictures), -1) / 255
        table = pl.DataFrame({
            "case": [f"c{i}" for i in range(len(flat))], "patient": [f"p{i}" for i in self.patients],
            "label": np.where(self.sick, "sick", "well"), "sketch": np.arange(len(flat), dtype=np.uint32),
            "mean": flat.mean(axis=1), "std": flat.std(axis=1),
        })  # fmt: skip
        return Dataset(table, ("sick", "well"), "sick", ".", sketches={"histogram": histograms})


def drawn(there: Elsewhere, patients: int, rng: np.random.Generator) -> Drawn:
    """One to three pictures a patient."""
    who = np.repeat(np.arange(patients), rng.choice([1, 1, 1, 2, 3], patients))
    sick = (rng.random(patients) < there.share)[who]
    signal = (
        np.where(sick, there.apart, 0) + rng.standard_normal(patients)[who] * 0.6 + rng.standard_normal(len(who)) * 0.8
    )
    level = LEVEL + SPREAD * rng.standard_normal(len(who))
    x = (
        level[:, None, None]
        + 0.02 * rng.standard_normal((len(who), SIDE, SIDE))
        + PER_SIGNAL * signal[:, None, None] * DISC
    )
    return Drawn((255 * x.clip(0, 1) ** there.gamma).round().astype(np.uint8), sick, who)


def said(pictures: NDArray[np.uint8], there: Elsewhere) -> Floats:
    """The probability of sick: right for pictures as they are drawn here. It also looks a little at the light."""
    x = pictures / 255
    inside, around = x[:, DISC].mean(axis=1), x[:, ~DISC].mean(axis=1)
    signal = (inside - around + 0.3 * (around - LEVEL)) / PER_SIGNAL
    noise = 1 + (0.3 * SPREAD / PER_SIGNAL) ** 2
    z = (APART * signal - APART**2 / 2) / noise + np.log(SHARE / (1 - SHARE))
    return np.asarray(1 / (1 + np.exp(-(there.slope * z + there.shift))))


def predictions(world: Drawn, pictures: NDArray[np.uint8], there: Elsewhere) -> Predictions:
    p = said(pictures, there)
    table = world.dataset.cases.select("case", "patient", "label").with_columns(
        target=pl.Series(np.where(world.sick, 0, 1)), p_0=pl.Series(p), p_1=pl.Series(1 - p)
    )
    return Predictions(table, ("sick", "well"), "sick")


def named(there: Elsewhere, patients: int, seed: int) -> tuple[str, ...]:
    """What an external test would name in one world."""
    rng = np.random.default_rng(seed)
    training, inside, other = (drawn(where, patients, rng) for where in (Elsewhere(), Elsewhere(), there))
    found, internal = predictions(other, other.pictures, there), predictions(inside, inside.pictures, Elsewhere())
    drift = drifted(training.dataset, other.dataset, seed=seed)
    one, two = delong(found), delong(internal)
    loss = transport(found, internal, unpaired(Estimate(**vars(one)), Estimate(**vars(two))), seed=seed, resamples=300)
    assert loss is not None
    gain = None
    if {"calibration", "ranking"} & set(loss.lost) and any(each.name == "light" and each.shown for each in drift):
        curve = light_put_back(training.dataset, other.dataset)
        assert curve is not None
        put_back = np.stack([np.asarray(enhance(Image(each, (0, 255)), curve).pixels) for each in other.pictures])
        gain = restored(found, predictions(other, put_back, there), internal, seed=seed, resamples=300)
    return causes(loss, gain)


def table(
    worlds: int, patients: int, tick: Callable[[str, Counter[str]], None] = lambda truth, found: None
) -> dict[str, Counter[str]]:
    """For each truth, what was named first in how many worlds ("none": nothing)."""
    found = {}
    for number, (truth, there) in enumerate(TRUTHS.items()):
        seeds = range(10_000 * number, 10_000 * number + worlds)
        found[truth] = Counter((named(there, patients, seed) or ("none",))[0] for seed in seeds)
        tick(truth, found[truth])
    return found


def false_alarms(worlds: int, patients: int) -> tuple[int, int]:
    """In how many of the worlds where nothing differs any drift is named, and any cause."""
    drift = cause = 0
    for seed in range(worlds):
        rng = np.random.default_rng(500_000 + seed)
        one, two = (drawn(Elsewhere(), patients, rng) for _ in range(2))
        drift += any(each.shown for each in drifted(one.dataset, two.dataset, seed=seed))
        cause += bool(named(Elsewhere(), patients, 700_000 + seed))
    return drift, cause


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100, help="of each truth")
    parser.add_argument("--patients", type=int, default=200, help="of each of the three sets")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begun = time.process_time()
    print(f"{options.worlds} worlds of each truth, {options.patients} patients a set; named first:")
    found = table(
        options.worlds, options.patients, lambda truth, counts: print(f"  {truth:12} {dict(counts)}", flush=True)
    )
    drift, cause = false_alarms(options.worlds, options.patients)
    seconds = time.process_time() - begun
    print(f"nothing differs: drift named in {drift}, a cause in {cause} of {options.worlds}; {seconds:.0f} s of a core")
    if options.json:
        told = {truth: dict(counts) for truth, counts in found.items()}
        options.json.write_text(json.dumps({"named": told, "drift": drift, "cause": cause}, indent=2) + "\n")


if __name__ == "__main__":
    main()
