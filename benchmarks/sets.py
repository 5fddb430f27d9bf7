"""The sets that choices are judged on by repeated training, and the loop over sets and seeds that can be stopped and goes on."""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from xray import default_data

import evenray as er
from evenray.core.types import Dataset
from evenray.data import demo
from evenray.learning.balance import thin
from evenray.scale import engine

Options = dict[str, Any]
Row = dict[str, Any]
Made = Callable[[Path, Path, int], tuple[Dataset | Path, Options]]  # (data, folder, seed) -> what to run on, and how


def phantoms(images: int) -> Made:
    """About as many to learn from as the demo has, and all others to test on."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Dataset | Path, Options]:
        place = folder / f"phantoms-{seed}-{images}"
        with engine("local") as found:
            demo.make(place, seed=100 + seed, patients=round(images * 0.8), images=images, map=found.map)
        return place, {"test": 1 - 493 / images if images > 1000 else 0.3, "validation": 0.15 * 493 / images}

    return make


def medmnist(name: str, ratio: float | None = None) -> Made:
    """An official file with its own split; where a ratio is asked for, so many others to a positive case to learn from."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Dataset | Path, Options]:
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


def folder_of(name: str, classes: tuple[str, ...], patient: str | None, most: int, ratio: float | None) -> Made:
    """A folder of images, some classes of it, thinned: at most so many images, and so many others to a positive case."""

    def make(data: Path, folder: Path, seed: int) -> tuple[Dataset | Path, Options]:
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


def arguments(doc: str | None, sets: Sequence[str], quick: str) -> argparse.ArgumentParser:
    """The options that such a benchmark has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--sets", nargs="+", default=list(sets), choices=list(sets))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, help="a file that keeps what is done")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the real sets")
    return parser


def rows_of(names: Sequence[str], seeds: int, results: Path | None, one: Callable[[Path, str, int], Row]) -> list[Row]:
    """What `one` makes in a folder of its own of every set and seed; what stands in `results`, a line of JSON each, is not made
    again."""
    warnings.simplefilter("ignore")
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results and results.exists() else []
    done = {(row["set"], row["seed"]) for row in rows}
    for seed in range(seeds):
        for name in names:
            if (name, seed) in done:
                continue
            with tempfile.TemporaryDirectory() as folder:
                rows.append(one(Path(folder), name, seed))
            if results:
                with results.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    return rows
