"""What a comparison costs: `python benchmarks/compare.py [--quick]`.

A grid of 5 contrasts x 5 remedies on chest-xray-224 with the frozen VGG16 trunk, against the time of its five passes through the
trunk; samplers on ten million cases; losses against torch's cross-entropy. Figures that compare are ratios within this run.
`--data FOLDER` holds chest-xray-224 and weights; `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from contrast import Figures, default_data, note
from metrics import least
from threadpoolctl import threadpool_limits
from torch.nn.functional import cross_entropy

import evenray as er
from evenray.core.types import Dataset
from evenray.data.split import folds, groups
from evenray.data.store import prepare
from evenray.evidence.compare import Cell, Setup, compare
from evenray.learning import networks
from evenray.learning.balance import balances, make
from evenray.learning.features import compute, views_of
from evenray.learning.train import Settings, keep_malloc, machine
from evenray.scale import local

CONTRASTS = ("none", "equalize", "clahe(clip=2)", "percentile(1, 99)", "gamma(0.7)")
REMEDIES = ("none", "weighted", "oversample", "undersample", "focal")
NETWORK, SIZE = "vgg16", 224
WEIGHTS = "weights/vgg16-imagenet-conv-bgr-fp16.safetensors"
CASES = 10_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="under a minute: 64 images in the grid, samplers at 1:499 alone"
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
    losses(figures, 1 if options.quick else 5)
    if options.data and (options.data / "chest-xray-224").is_dir():
        grid(figures, options.data, options.images or (64 if options.quick else 10**9))
    else:
        print("no chest-xray-224: the grid is not timed; give --data")
    print(f"\n{'figure':66} {'value':>8} {'target':>9}")
    for key, found in figures.items():
        print(f"{key:66} {found['value']:8.2f} {found['target']:>9} {'met' if found['met'] else 'NOT MET'}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def grid(figures: Figures, data: Path, most: int) -> None:
    """Seconds of five passes through the trunk, and of all that the grid does after them."""
    keep_malloc()
    fabric = machine("cpu")
    source = data / "chest-xray-224" / ("test" if most < 600 else "")  # fewer files to look through
    dataset = some(er.scan(source, patient=r"(person\d+|IM-\d+)", map=local(0)), most)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pixels = prepare(dataset, CONTRASTS, size=SIZE, channels=1, folder=folder, map=local(0))
        model = networks.build(NETWORK, classes=2, channels=1, size=SIZE, weights=data / WEIGHTS)
        model, rows = networks.freeze(model, "frozen"), np.arange(len(dataset))
        stores, passes = {}, []
        for contrast, store in pixels.items():
            start = time.perf_counter()
            stores[contrast] = compute(model, store, rows, views_of(flips=False), folder, fabric)
            passes.append(time.perf_counter() - start)
        start = time.perf_counter()
        group = groups(dataset)
        batch = 64 if len(dataset) >= 2000 else 16
        epochs = int(np.clip(800 * batch / len(dataset), 6, 40))  # the plan's 800 steps, as for `--effort standard`
        setup = Setup(
            dataset=dataset, group=group, fold=folds(dataset, group, 2 if most < 1000 else 3), stores=stores, rows=rows,
            settings=Settings(epochs, batch, 1e-3), channels=1, size=SIZE, device="cpu",
            weights=str(data / WEIGHTS), finetune="frozen", frozen=True,
        )  # fmt: skip
        cells = [Cell(contrast, balance, NETWORK) for contrast in CONTRASTS for balance in REMEDIES]
        found = compare(cells, setup, folder / "cells")
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
        f"indices of an epoch for {CASES:,} cases: s, and memory at the peak beyond the index (MB; of half the cases)"
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
                print(f"  {name:22} {seconds:6.2f} {whole:6.0f} ({part:.0f})")
                note(figures, f"sampler {name}: s for 10 million cases", seconds, "<= 1.0")
                note(figures, f"sampler {name}: MB beyond the index / at half the cases", whole / part, "<= 1.5")
    for kind, cached in (("", True), (", compiled anew", False))[: 1 if times == 1 else 2]:
        seconds = float(np.median([first(cached) for _ in range(times)]))
        print(f"  1:499 oversample, first of a process{kind}: {seconds:.2f}")
        note(figures, f"sampler 1:499 oversample: s, first of a process{kind}", seconds, "<= 1.0")


FIRST = """
import time, numpy as np
from evenray.learning.balance import make
targets = (np.random.default_rng(0).random({cases}) < 1 / 500).astype(np.int64)
start = time.perf_counter()
make("oversample", np.bincount(targets), ("healthy", "sick")).sampler(targets, batch=64, seed=0, epoch=0)
print(time.perf_counter() - start)
"""


def first(cached: bool) -> float:
    """Seconds of the first epoch that a new process draws, its loading (or compiling) of the shuffle included."""
    with tempfile.TemporaryDirectory() as empty:
        where = {} if cached else {"NUMBA_CACHE_DIR": empty}
        command = [sys.executable, "-c", FIRST.format(cases=CASES)]
        return float(subprocess.run(command, env=os.environ | where, capture_output=True, check=True, text=True).stdout)


def beyond(draw: Callable[[], np.ndarray]) -> float:
    tracemalloc.start()
    index = draw()
    found = (tracemalloc.get_traced_memory()[1] - index.nbytes) / 1e6
    tracemalloc.stop()
    return max(found, 1.0)


def losses(figures: Figures, rounds: int) -> None:
    """Forward and backward of every loss against torch's cross-entropy on the same logits, in turn."""
    sizes = [(64, 2), (64, 14), (1024, 2), (65_536, 2), (65_536, 14)]
    torch.set_num_threads(1)
    print("forward and backward of a loss / of torch's cross-entropy, at batch x classes")
    print(f"  {'':22}" + "".join(f"{f'{n:,} x {k}':>12}" for n, k in sizes))
    for name in balances:
        ratios = []
        for n, k in sizes:
            remedy = make(name, np.arange(1, k + 1) * 10, tuple(map(str, range(k))))
            if remedy.loss is None:
                break
            ratios.append(_ratio(remedy.loss, n, k, rounds))
        if ratios:
            print(f"  {name:22}" + "".join(f"{r:12.2f}" for r in ratios))
            for (n, k), value in zip(sizes, ratios, strict=True):
                if n != 1024:
                    note(figures, f"loss {name} / cross-entropy at {n:,} x {k}", value, "<= 1.1")
    torch.set_num_threads(torch.get_num_interop_threads())


def _ratio(loss: Callable[..., torch.Tensor], n: int, k: int, rounds: int) -> float:
    """The median over rounds, each of which times both in turn."""
    z, t = torch.randn(n, k, requires_grad=True), torch.randint(0, k, (n,))
    times = 200 if n * k < 10_000 else 10

    def work(loss: Callable[..., torch.Tensor], *progress: float) -> float:
        start = time.process_time()
        for _ in range(times):
            z.grad = None
            loss(z, t, *progress).backward()
        return time.process_time() - start

    work(loss, 1.0)
    return float(np.median([work(loss, 1.0) / work(cross_entropy) for _ in range(rounds * 3)]))


if __name__ == "__main__":
    main()
