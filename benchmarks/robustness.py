"""Does evening out the light make a model steadier? `python benchmarks/robustness.py --work FOLDER [--quick] [--json FILE]`.

On four sets (the demo's phantoms, BreastMNIST, PneumoniaMNIST, the breast ultrasounds) networks are trained on images whose light was
evened out, and on images as they are, from the same seeds; then the test images are corrupted in eight ways and five grades.
Told is how much more the networks without the contrast lose, on the same patients. `--data FOLDER` holds medmnist and
breast-ultrasound-256. Every run stays in `--work`, so that what was stopped goes on with the same command. Three to four
hours on two quiet cores, by estimate; `--quick` (a thin network, 28 pixels, one seed, clahe alone) takes minutes and answers
nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from statistics import mean, variance
from typing import Any

from xray import default_data

import evenray as er
from evenray.core.artefacts.scores import Gap
from evenray.data.demo import make as draw
from evenray.images.corruptions import CORRUPTIONS

WHOLE: dict[str, Any] = {"effort": "quick", "balance": "none", "design": "split"}
QUICK = WHOLE | {"network": "vgg11_bn(width=0.1)", "size": 28, "epochs": 3, "choose": {"members": 1}}
METRICS = ("auroc", "balanced_accuracy")
ALL = "all"


@dataclass(frozen=True)
class Answer:
    """How much less is lost with the contrast: the mean over the seeds, with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, gaps: list[Gap]) -> Answer:
        """Of several seeds: the error over patients, which they share, and that between seeds."""
        value, patients = mean(gap.value for gap in gaps), mean(((gap.high - gap.low) / 3.92) ** 2 for gap in gaps)
        between = variance([gap.value for gap in gaps]) / len(gaps) if len(gaps) > 1 else 0.0
        half = 1.96 * math.sqrt(patients + between)
        return cls(value, value - half, value + half)

    def __str__(self) -> str:
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where the runs are kept, to go on with")
    parser.add_argument("--quick", action="store_true", help="minutes; to see that it works")
    parser.add_argument(
        "--contrasts", nargs="+", default=["clahe", "equalize"], help="those that are held against none"
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument(
        "--data", type=Path, default=default_data(), help="folder of medmnist and breast-ultrasound-256"
    )
    parser.add_argument("--jobs", type=int, default=0, help="processes that read and corrupt images; 0 is one a core")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is done is seen while the rest goes on
    work = options.work / ("quick" if options.quick else "whole")
    contrasts, seeds = (["clahe"], range(1)) if options.quick else (options.contrasts, range(options.seeds))
    figures: dict[str, dict[str, Any]] = {}
    print(
        "How much less is lost with the contrast than without, of the clean figure; above 0 the contrast makes it steadier."
    )
    for contrast in contrasts:
        shown = dict.fromkeys(METRICS, 0)
        for name, data in sets(options.data, work):
            records = []
            for seed in seeds:
                place = work / f"{name}-{contrast}-{seed}"
                settings = (QUICK if options.quick else WHOLE) | {"contrast": contrast, "seed": seed}
                er.evaluate(data(), None, place, jobs=options.jobs, **settings)
                record = er.robustness(place, against="none", jobs=options.jobs).robustness
                assert record is not None
                records.append(record)
            clean = [[mean(each.networks[row].clean[m].value for each in records) for m in METRICS] for row in (0, 1)]
            print(
                f"\n{name}, {contrast}: {records[0].cases} test images of {records[0].patients} patients, {len(seeds)} seeds"
            )
            print(f"clean AUROC and balanced accuracy: {contrast} {told(clean[0])}, none {told(clean[1])}")
            print(f"| corruption | {' | '.join(METRICS)} |\n|---|{'---|' * len(METRICS)}")
            for corruption in (*CORRUPTIONS, ALL):
                answers = {m: Answer.of([each.steadier[corruption][m] for each in records]) for m in METRICS}
                print(f"| {corruption} | {' | '.join(map(str, answers.values()))} |")
            for metric, answer in answers.items():
                shown[metric] += answer.low > 0
                key = f"{name}, {contrast}: less {metric} lost"
                figures[key] = {"value": answer.value, "target": "> 0", "met": answer.low > 0}
        for metric, count in shown.items():
            print(f"\n{contrast}: shown to be steadier by {metric} on {count} of the sets")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def told(values: list[float]) -> str:
    return " and ".join(f"{value:.3f}" for value in values)


def sets(data: Path | None, work: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Each set by its name, with what makes its images; those that are absent are named."""

    def phantoms() -> str:
        folder = work / "phantoms"
        if not (folder / "labels.csv").exists():
            draw(folder, seed=0, images=620)
        return str(folder)

    yield "phantoms", phantoms
    for name, place in {
        "BreastMNIST": "medmnist/breastmnist.npz", "PneumoniaMNIST": "medmnist/pneumoniamnist.npz",
        "ultrasound": "breast-ultrasound-256",
    }.items():  # fmt: skip
        if data is None or not (data / place).exists():
            print(f"\nno {place}: {name} is left out; give --data")
            continue
        yield name, lambda place=place: str(data / place)


if __name__ == "__main__":
    main()
