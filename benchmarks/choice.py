"""What the comparison's choice is worth on test cases: `python benchmarks/choice.py [--quick] [--results FILE]`.

For each set and seed the comparison chooses, with the test part closed; then every cell of the grid is trained as the final
network, and the test part says what was lost: test AUPRC of the cell chosen, of none x none, of a random cell (the mean of all)
and of the best in hindsight, and the seconds that the choice took. `--quick` takes 700 of the demo's phantoms, two contrasts and
two remedies. Every figure is kept in `--results` (a line of JSON each), so that a stopped benchmark goes on there.
`--data FOLDER` holds medmnist, chest-xray-224 and breast-ultrasound-256; `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from contrast import Figures, note
from xray import default_data

import evenray as er
from evenray.core.types import Dataset
from evenray.data import demo
from evenray.learning.balance import thin
from evenray.scale import engine

CONTRASTS, REMEDIES = ("none", "equalize", "clahe"), ("none", "weighted", "oversample")
Options = dict[str, Any]
Target = Dataset | Path


def phantoms(images: int) -> Callable[[Path, Path, int], tuple[Target, Options]]:
    """About as many to learn from as the demo has, and all others to test on."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Target, Options]:
        place = folder / f"phantoms-{seed}-{images}"
        with engine("local") as found:
            demo.make(place, seed=100 + seed, patients=round(images * 0.8), images=images, map=found.map)
        return place, {"test": 1 - 493 / images if images > 1000 else 0.3, "validation": 0.15 * 493 / images}

    return make


def medmnist(name: str, ratio: float | None = None) -> Callable[[Path, Path, int], tuple[Target, Options]]:
    """An official file with its own split; where a ratio is asked for, so many others to a positive case to learn from."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Target, Options]:
        source = data / "medmnist" / f"{name}.npz"
        if ratio is None:
            return source, {}
        arrays = dict(np.load(source))
        for part in ("train", "val"):
            targets = arrays[f"{part}_labels"].ravel().astype(np.int64)
            kept = thin(targets, np.arange(len(targets)), 1, ratio, seed)
            arrays |= {
                f"{part}_images": arrays[f"{part}_images"][kept],
                f"{part}_labels": arrays[f"{part}_labels"][kept],
            }
        place = folder / f"{name}-{seed}-{ratio:g}" / f"{name}.npz"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(place, **arrays)
        return place, {"positive": "1"}

    return make


def folder_of(
    name: str, classes: tuple[str, ...], patient: str | None, most: int, ratio: float | None
) -> Callable[[Path, Path, int], tuple[Target, Options]]:
    """A folder of images, some classes of it, thinned: at most so many images, and so many others to a positive case."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Target, Options]:
        dataset = er.scan(data / name, patient=patient, positive=classes[-1])
        cases = dataset.cases.filter(pl.col("label").is_in(list(classes)))
        rng = np.random.default_rng(seed)
        learn = cases.filter(pl.col("part").is_null() | (pl.col("part") != "test"))
        wanted = dict.fromkeys(classes, most) | ({classes[-1]: round(most / ratio)} if ratio else {})
        kept = [
            name for label, count in wanted.items()
            for name in rng.permutation(learn.filter(label=label)["case"].to_numpy())[:count]
        ]  # fmt: skip
        tested = cases.filter(pl.col("part") == "test")["case"].to_list()
        cases = cases.filter(pl.col("case").is_in([*kept, *tested]))
        return replace(dataset, cases=cases, classes=tuple(sorted(classes)), positive=classes[-1]), {"test": 0.3}

    return make


SETS: dict[str, Callable[[Path, Path, int], tuple[Target, Options]]] = {
    "phantoms": phantoms(1480),
    "BreastMNIST": medmnist("breastmnist"),
    "PneumoniaMNIST 1:1": medmnist("pneumoniamnist", 1),
    "PneumoniaMNIST 1:50": medmnist("pneumoniamnist", 50),
    "chest X-rays 1:15": folder_of("chest-xray-224", ("NORMAL", "PNEUMONIA"), r"(train|test)/.*?(person\d+|IM-\d+)", 1200, 15),
    "ultrasound": folder_of("breast-ultrasound-256", ("benign", "malignant"), None, 500, None),
}  # fmt: skip


def one(data: Path, folder: Path, name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Choose, train every cell, and open the test part."""
    quick = options.quick
    make = phantoms(700) if quick else SETS[name]
    contrasts, remedies = (CONTRASTS[:2], REMEDIES[::2]) if quick else (CONTRASTS, REMEDIES)
    target, more = make(data, folder, seed)
    where = folder / name.replace(" ", "-").replace(":", "-") / str(seed)
    asked = {"seed": seed, "effort": "quick", "allow": ("leakage_duplicates", "leakage_patients"), **more}
    start = time.perf_counter()
    chosen = er.compare(target, None, where / "choice", contrast=contrasts, balance=remedies, **asked).choice
    seconds = time.perf_counter() - start
    assert chosen is not None
    tested = {}
    for contrast in contrasts:
        for balance in remedies:
            cell = where / f"{contrast}-{balance}"
            run = er.evaluate(target, None, cell, contrast=contrast, balance=balance, **asked)
            tested[f"{contrast} x {balance}"] = float(run.scores["test"].auprc.value)
    print(f"{name}, seed {seed}: {chosen.contrast} x {chosen.balance}; {chosen.why['code']}; {tested}", flush=True)
    return {
        "set": name, "seed": seed, "chosen": f"{chosen.contrast} x {chosen.balance}", "why": chosen.why["code"],
        "seconds": seconds, "tested": tested,
    }  # fmt: skip


def summary(rows: list[dict[str, Any]], figures: Figures) -> None:
    """The table of regrets, and the targets."""
    print("\n| set | seeds | chosen | none x none | random | best | regret | of none x none | s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    lost, plain = [], []
    for name in dict.fromkeys(row["set"] for row in rows):
        own = [row for row in rows if row["set"] == name]
        best = np.array([max(row["tested"].values()) for row in own])
        taken = np.array([row["tested"][row["chosen"]] for row in own])
        none = np.array([row["tested"]["none x none"] for row in own])
        random = np.mean([np.mean(list(row["tested"].values())) for row in own])
        lost, plain = [*lost, *(best - taken)], [*plain, *(best - none)]
        print(
            f"| {name} | {len(own)} | {taken.mean():.3f} | {none.mean():.3f} | {random:.3f} | {best.mean():.3f} |"
            f" {(best - taken).mean():.3f} | {(best - none).mean():.3f} | {np.mean([row['seconds'] for row in own]):.0f} |"
        )
        if len(own) > 1:
            error = (none - taken).std(ddof=1) / len(own) ** 0.5
            ratio = (none - taken).mean() / max(error, 1e-9)
            note(figures, f"{name}: AUPRC below none x none / its standard error", ratio, "<= 1.0")
    note(figures, "regret / regret of none x none", float(np.mean(lost) / max(np.mean(plain), 1e-9)), "<= 0.333")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="phantoms, one seed, a grid of 2 x 2")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, help="a file that keeps what is done")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the real sets")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names, seeds = (["phantoms"], 1) if options.quick else (options.sets, options.seeds)
    known = options.results and options.results.exists()
    rows = [json.loads(line) for line in options.results.read_text().splitlines()] if known else []
    done = {(row["set"], row["seed"]) for row in rows}
    for seed in range(seeds):
        for name in names:
            if (name, seed) in done or (options.data is None and name != "phantoms"):
                continue
            with tempfile.TemporaryDirectory() as folder:
                rows.append(one(options.data, Path(folder), name, seed, options))
            if options.results:
                with options.results.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    figures: Figures = {}
    summary(rows, figures)
    print(f"\n{'figure':66} {'value':>8} {'target':>9}")
    for key, found in figures.items():
        print(f"{key:66} {found['value']:8.2f} {found['target']:>9} {'met' if found['met'] else 'NOT MET'}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
