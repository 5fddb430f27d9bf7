"""What each calibration makes of scores whose true posterior is known: expected over observed cases, and the log loss.

    python tools/calibration.py [--repeats 20]

Two classes, 20 sick cases in the validation part. The images of sick people give a log likelihood ratio of N(2, 4), those of
healthy ones N(-2, 4); the network sees it with some noise, stretched by a slope and shifted. "bent" networks learnt at equal
shares, and their prior was corrected in closed form; the others learnt at the prevalence. Then three classes, of which the rarest
has the prevalence. The tables in docs/guides/imbalance.md come from here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evenray.metrics import calibrate

METHODS = ("none", "temperature", "bias_corrected_temperature", "platt")
PREVALENCES = (0.05, 0.01, 0.002)
SICK, TESTED, NOISE = 20, 20_000, 0.3
# How the network errs: the slope of its log-odds, and a shift that is left after the correction.
NETWORKS = {"as it should be": (1.0, 0.0), "overconfident": (2.0, 0.5), "underconfident": (0.6, -0.5)}
Floats = NDArray[np.float64]


def drawn(
    shares: Floats, counts: NDArray[np.int64], bent: bool, slope: float, shift: float, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Corrected logits (N, K) and classes (N,), so many of each; class k has its evidence at place k."""
    K = len(shares)
    targets = np.repeat(np.arange(K), counts)
    evidence = 2 * (rng.normal(size=(len(targets), K)) + np.sqrt(2) * (targets[:, None] == np.arange(K))) / np.sqrt(2)
    seen = evidence + NOISE * rng.normal(size=evidence.shape)
    wrong = shift * np.linspace(0, 1, K)
    return slope * seen + wrong + np.log(shares) if bent else slope * (seen + np.log(shares)) + wrong, targets


def table(shares_of: dict[str, Floats], repeats: int) -> Iterator[str]:
    """Rows of Markdown: mean expected : observed of the rarest class, with its deviation, and the mean log loss."""
    yield "| shares | prior bent | network | " + " | ".join(f"`{name}`" for name in METHODS) + " |"
    yield "|---" * (3 + len(METHODS)) + "|"
    for name, shares in shares_of.items():
        counts = np.round(SICK / shares[-1] * shares).astype(np.int64)
        for bent in (True, False):
            for network, (slope, shift) in NETWORKS.items():
                cells = []
                for method in METHODS:
                    found = np.array(
                        [_one(shares, counts, bent, slope, shift, method, seed) for seed in range(repeats)]
                    )
                    (ratio, loss), deviation = found.mean(axis=0), found[:, 0].std()
                    cells.append(f"{ratio:.2f} ± {deviation:.2f}; {loss:.4f}")
                yield f"| {name} | {'yes' if bent else 'no'} | {network} | {' | '.join(cells)} |"


def _one(
    shares: Floats, counts: NDArray[np.int64], bent: bool, slope: float, shift: float, method: str, seed: int
) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    logits, targets = drawn(shares, counts, bent, slope, shift, rng)
    fitted = calibrate(logits, targets, method, shares)
    new, came = drawn(shares, np.full(len(shares), TESTED), bent, slope, shift, rng)
    said, weights = fitted.apply(new), shares[came] / TESTED
    return float(weights @ said[:, -1] / shares[-1]), float(-weights @ np.log(said[np.arange(len(came)), came]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    print(*table({f"{p:g}": np.array([1 - p, p]) for p in PREVALENCES}, repeats), sep="\n", flush=True)
    print()
    repeats = max(repeats // 3, 1)
    three = {f"{1 - 4 * p:g}, {3 * p:g}, {p:g}": np.array([1 - 4 * p, 3 * p, p]) for p in PREVALENCES}
    print(*table(three, repeats), sep="\n")


if __name__ == "__main__":
    main()
