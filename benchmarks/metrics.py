"""What metrics, samplers and losses cost: `python benchmarks/metrics.py`. One thread; the least of several runs."""

from __future__ import annotations

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
import polars as pl
import torch
from threadpoolctl import threadpool_limits
from torch.nn.functional import cross_entropy

from evenray.balance import balances, make
from evenray.core.types import Predictions
from evenray.metrics import delong, score


def least(work: Callable[[], object], times: int) -> float:
    """Seconds of processor time, so that a busy machine tells nearly the same."""
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


def intervals() -> None:
    print("2,000 bootstrap resamples of 10,000 cases, all metrics together (s)")
    for name, made in {
        "two classes": forecasts(10_000, 2, 10_000, None),
        "two classes, 6,000 patients": forecasts(10_000, 2, 6_000, None),
        "two classes, tied scores": forecasts(10_000, 2, 10_000, 2),
        "five classes": forecasts(10_000, 5, 10_000, None),
    }.items():
        print(f"  {name:32} {least(lambda made=made: score(made, resamples=2000), 2):6.2f}")
    two = forecasts(10_000, 2, 10_000, None)
    print(f"  {'DeLong (AUROC alone)':32} {least(lambda: delong(two), 3):6.3f}")


def samplers(cases: int) -> None:
    print(f"indices of an epoch for {cases:,} cases: s, and memory at the peak beyond the index (MB)")
    for share in (1 / 500, 1 / 2):
        targets = (np.random.default_rng(0).random(cases) < share).astype(np.int64)
        counts = np.bincount(targets)
        for spec in ("oversample", "undersample", "progressive"):
            sampler = make(spec, counts, ("healthy", "sick")).sampler
            assert sampler is not None
            draw = lambda sampler=sampler, targets=targets: sampler(targets, batch=64, seed=0, epoch=3)  # noqa: E731
            seconds = least(draw, 3)
            tracemalloc.start()
            index = draw()
            beyond = (tracemalloc.get_traced_memory()[1] - index.nbytes) / 1e6
            tracemalloc.stop()
            print(f"  1:{1 / share - 1:<4.0f} {spec:12} {len(index):12,} {seconds:6.2f} {beyond:6.0f}")


def losses() -> None:
    sizes = [(64, 2), (64, 14), (1024, 2), (65_536, 2), (65_536, 14)]
    print("forward and backward of a loss / of torch's cross-entropy, at batch x classes")
    print(f"  {'':22}" + "".join(f"{f'{n:,} x {k}':>12}" for n, k in sizes))
    plain = [_loss(lambda z, t: cross_entropy(z, t), n, k) for n, k in sizes]
    print(f"  {'cross-entropy (us)':22}" + "".join(f"{s * 1e6:12.0f}" for s in plain))
    for name in balances:
        ratios = []
        for (n, k), base in zip(sizes, plain, strict=True):
            remedy = make(name, np.arange(1, k + 1) * 10, tuple(map(str, range(k))))
            if remedy.loss is None:
                break
            ratios.append(_loss(lambda z, t, loss=remedy.loss: loss(z, t, 1.0), n, k) / base)
        if ratios:
            print(f"  {name:22}" + "".join(f"{r:12.2f}" for r in ratios))


def _loss(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], n: int, k: int) -> float:
    z, t = torch.randn(n, k, requires_grad=True), torch.randint(0, k, (n,))
    rounds = 500 if n * k < 10_000 else 20

    def work() -> None:
        for _ in range(rounds):
            z.grad = None
            loss(z, t).backward()

    work()
    return least(work, 5) / rounds


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=10_000_000, help="cases that the samplers draw from")
    asked = options.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)
    warnings.simplefilter("error")
    intervals()
    samplers(asked.cases)
    losses()
