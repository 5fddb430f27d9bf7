"""What simple models reach in seconds on the sets of choice.py: `python benchmarks/baselines.py [--quick] [--results FILE]`.

For each set: test AUROC and AUPRC with their 95 % intervals (resampled patients) of each simple model that stands beside every
network (`header`, `histogram`, `thumbnail`; evenray.learning.baselines), the seconds that all of them took, and where
`--results FILE` has the rows of choice.py, the test AUPRC of none x none there (the mean over its seeds). `--quick` takes 700 of
the demo's phantoms. `--json FILE` writes {name: {"value", "target", "met"}}: the network's lead over the best simple model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from choice import SETS
from figures import Figures, note, told
from sets import Made, phantoms
from xray import default_data

import evenray as er
from evenray.learning.baselines import baselines
from evenray.learning.tasks import task_of
from evenray.metrics import score


def one(data: Path, make: Made) -> tuple[dict[str, er.metrics.Scores], float, str]:
    """The scores of every simple model, their seconds, and how many images there were to learn from and to test on."""
    with tempfile.TemporaryDirectory() as folder:
        target, more = make(data, Path(folder), 0)
        allowed = ("leakage_duplicates", "leakage_patients")
        dataset = er.run(target, None, Path(folder) / "run", until="split", seed=0, allow=allowed, **more).dataset
        assert dataset is not None
        test, K = dataset.part("test"), len(dataset.classes)
        like = task_of("classify").predictions(test, np.zeros((len(test), K)), np.full((len(test), K), 1 / K))
        start = time.perf_counter()
        found = baselines(dataset, like)
        seconds = time.perf_counter() - start
        return (
            {name: score(each) for name, each in found.items()},
            seconds,
            f"{len(dataset.part('train'))} + {len(test)}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="phantoms alone")
    parser.add_argument("--results", type=Path, help="what choice.py has kept")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the real sets")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    kept = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results else []
    sets = {"phantoms": phantoms(700)} if options.quick else SETS
    figures: Figures = {}
    print("| set | training + test images | model | AUROC (95 %) | AUPRC (95 %) | s |\n|---|---|---|---|---|---:|")
    for name, make in sets.items():
        if options.data is None and name != "phantoms":
            continue
        found, seconds, images = one(options.data, make)
        for model, scores in found.items():
            auroc, auprc = (f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for e in (scores.auroc, scores.auprc))
            print(f"| {name} | {images} | {model} | {auroc} | {auprc} | {seconds:.1f} |", flush=True)
        own = [row["tested"]["none x none"] for row in kept if row["set"] == name]
        if own:
            print(
                f"| {name} | {images} | network, none x none, {len(own)} seeds | | {np.mean(own):.3f} | |", flush=True
            )
            best = max(scores.auprc.value for scores in found.values())
            note(
                figures,
                f"{name}: AUPRC of none x none above the best simple model",
                float(np.mean(own)) - best,
                ">= 0.0",
            )
    told(figures, options.json)


if __name__ == "__main__":
    main()
