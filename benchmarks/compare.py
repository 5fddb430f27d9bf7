"""What a comparison costs: `python benchmarks/compare.py [--quick]`.

A grid of 5 contrasts x 5 remedies on chest-xray-224 with the frozen VGG16 trunk, against the time of its five passes through the
trunk; samplers on ten million cases. Figures that compare are ratios within this run.
`--data FOLDER` holds chest-xray-224 and weights; `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from figures import Figures, note, told
from metrics import least
from threadpoolctl import threadpool_limits
from xray import default_data

import evenray as er
from evenray.core.types import Dataset
from evenray.data.split import folds, groups
from evenray.data.store import prepare
from evenray.evidence.compare import Cell, Setup, compare
from evenray.learning import networks
from evenray.learning.balance import make
from evenray.learning.features import compute, forms_of
from evenray.learning.train import Settings, keep_malloc, machine
from evenray.scale import isolated

CONTRASTS = ("none", "equalize", "clahe(clip=2)", "percentile(1, 99)", "gamma(0.7)")
REMEDIES = ("none", "weighted", "oversample", "undersample", "focal")
NETWORK, SIZE, QUICK = "vgg16(head=average)", 224, 96
WEIGHTS = "weights/vgg16-imagenet-conv-bgr-fp16.safetensors"
CASES = 10_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="under a minute: 64 images of 96 pixels in the grid, samplers at 1:499 alone",
    )
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument(
        "--data", type=Path, default=default_data(), help="folder that holds chest-xray-224 and weights"
    )
    parser.add_argument("--images", type=int, help="images in the grid [default: all, 64 with --quick]")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    figures: Figures = {}
    samplers(figures, 1 if options.quick else 3)
    if options.data and (options.data / "chest-xray-224").is_dir():
        grid(
            figures, options.data, options.images or (64 if options.quick else 10**9), QUICK if options.quick else SIZE
        )
    else:
        print("no chest-xray-224: the grid is not timed; give --data")
    told(figures, options.json)


def grid(figures: Figures, data: Path, most: int, size: int) -> None:
    """Seconds of five passes through the trunk, and of all that the grid does after them."""
    keep_malloc()
    fabric = machine("cpu")
    source = data / "chest-xray-224" / ("test" if most < 600 else "")  # fewer files to look through
    dataset = some(er.scan(source, patient=r"(person\d+|IM-\d+)", map=isolated(0)), most)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pixels = prepare(dataset, CONTRASTS, size=size, channels=1, folder=folder, map=isolated(0))
        model = networks.build(NETWORK, classes=2, channels=1, size=size, pretrained=data / WEIGHTS)
        model, rows = networks.freeze(model, "frozen"), np.arange(len(dataset))
        stores, passes = {}, []
        for contrast, store in pixels.items():
            start = time.perf_counter()
            stores[contrast] = compute(model, store, rows, forms_of(flips=False), folder, fabric)
            passes.append(time.perf_counter() - start)
        start = time.perf_counter()
        group = groups(dataset)
        batch = 64 if len(dataset) >= 2000 else 16
        epochs = int(np.clip(800 * batch / len(dataset), 6, 40))  # the plan's 800 steps, as for `--effort standard`
        setup = Setup(
            dataset=dataset, group=group, fold=folds(dataset, group, 2 if most < 1000 else 3), stores=stores, rows=rows,
            settings=Settings(epochs, batch, 1e-3), channels=1, size=size, device="cpu",
            weights=str(data / WEIGHTS), finetune="frozen", frozen=True,
        )  # fmt: skip
        cells = [Cell(contrast, balance, NETWORK) for contrast in CONTRASTS for balance in REMEDIES]
        found = compare(cells, setup, folder / "cells").table
        rest = time.perf_counter() - start
    print(
        f"{len(dataset)} images: five passes {sum(passes):.1f} s ({5 * len(dataset) / sum(passes):.1f} images/s), then"
    )
    print(f"{len(cells)} cells x {setup.fold.max() + 1} folds x {epochs} epochs and the table {rest:.1f} s")
    print(
        f"AUPRC {found['auprc'].min():.4f} to {found['auprc'].max():.4f}; {found['tied'].sum()} of {found.height} tied"
    )
    note(figures, "grid of 5 x 5, trunk frozen / its five passes", (sum(passes) + rest) / sum(passes), "<= 1.3")


def some(dataset: Dataset, most: int) -> Dataset:
    """The whole, or as many patients as make about so many images."""
    if most >= len(dataset):
        return dataset
    known = dataset.cases.filter(pl.col("patient").is_not_null())
    wanted = known["patient"].unique(maintain_order=True).shuffle(seed=0).head(most)
    kept = known.filter(pl.col("patient").is_in(wanted.implode()))
    thin = kept.with_columns(n=pl.int_range(pl.len()).shuffle(seed=0).over("label")).filter(pl.col("n") < most // 2)
    return replace(dataset, cases=thin.drop("n"))


def samplers(figures: Figures, times: int) -> None:
    """Seconds of an epoch of ten million indices, and what is held at the peak beyond the index."""
    print(
        f"| indices of an epoch of {CASES:,} cases | s | MB beyond the index | of half the cases |\n|---|---:|---:|---:|"
    )
    with threadpool_limits(1):
        for share in (1 / 500, 1 / 2) if times > 1 else (1 / 500,):
            targets = (np.random.default_rng(0).random(CASES) < share).astype(np.int64)
            for spec in ("oversample", "undersample", "progressive"):
                sampler = make(spec, np.bincount(targets), ("healthy", "sick")).sampler
                assert sampler is not None
                draw = lambda n, sampler=sampler, targets=targets: sampler(targets[:n], batch=64, seed=0, epoch=3)  # noqa: E731
                seconds = least(lambda draw=draw: draw(CASES), times)
                whole, part = (beyond(lambda n=n, draw=draw: draw(n)) for n in (CASES, CASES // 2))
                name = f"1:{1 / share - 1:.0f} {spec}"
                print(f"| {name} | {seconds:.2f} | {whole:.0f} | {part:.0f} |")
                note(figures, f"sampler {name}: s for 10 million cases", seconds, "<= 1.0")
                note(figures, f"sampler {name}: MB beyond the index / at half the cases", whole / part, "<= 1.5")


def beyond(draw: Callable[[], np.ndarray]) -> float:
    tracemalloc.start()
    index = draw()
    found = (tracemalloc.get_traced_memory()[1] - index.nbytes) / 1e6
    tracemalloc.stop()
    return max(found, 1.0)


if __name__ == "__main__":
    main()
