"""What metrics cost: `python benchmarks/metrics.py [--quick]`. One thread; the least of several runs.

`--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from figures import Figures, note
from threadpoolctl import threadpool_limits

from evenray.core.types import Predictions
from evenray.metrics import delong, score


def least(work: Callable[[], object], times: int) -> float:
    """The least seconds of processor time, which hardly depend on what else runs."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def forecasts(cases: int, classes: int, patients: int, decimals: int | None) -> Predictions:
    rng = np.random.default_rng(0)
    target = rng.choice(classes, size=cases, p=np.array([0.9, *[0.1 / (classes - 1)] * (classes - 1)]))
    z = rng.normal(size=(cases, classes))
    z[np.arange(cases), target] += 1
    p = np.exp(z)
    p = p / p.sum(axis=1, keepdims=True)
    p = p if decimals is None else p.round(decimals) / p.round(decimals).sum(axis=1, keepdims=True)
    table = {"case": np.arange(cases).astype(str), "patient": rng.integers(0, patients, cases).astype(str)}
    table |= {"target": target, **{f"p_{k}": p[:, k] for k in range(classes)}}
    return Predictions(pl.DataFrame(table), tuple(map(str, range(classes))), "1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    options = parser.parse_args()
    threadpool_limits(1)
    warnings.simplefilter("error")
    figures: Figures = {}
    intervals(figures, 1 if options.quick else 3)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def intervals(figures: Figures, times: int) -> None:
    """Seconds of `score`, and of AUROC's own interval."""
    print("| 2,000 resamples of 10,000 cases, all metrics | s |\n|---|---:|")
    for name, made in {
        "two classes": forecasts(10_000, 2, 10_000, None),
        "two classes, 6,000 patients": forecasts(10_000, 2, 6_000, None),
        "two classes, tied scores": forecasts(10_000, 2, 10_000, 2),
        "five classes": forecasts(10_000, 5, 10_000, None),
    }.items():
        seconds = least(lambda made=made: score(made, resamples=2000), times)
        print(f"| {name} | {seconds:.2f} |")
        if made.positive == "1" and len(made.classes) == 2:
            note(figures, f"2,000 resamples of 10,000 cases, all metrics, {name} (s)", seconds, "<= 2.0")
    two = forecasts(10_000, 2, 10_000, None)
    print(f"| AUROC with DeLong's interval alone | {least(lambda: delong(two), times):.3f} |")


if __name__ == "__main__":
    main()
