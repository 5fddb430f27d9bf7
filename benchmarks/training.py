"""How fast training is beside a bare loop of torch, and what it holds in memory: `python benchmarks/training.py [--quick]`.

    bare       an epoch of `fit` (fetching, augmentation, clipping, the average, its checkpoint) against a loop that does
               nothing but step the same network over one batch in memory, same precision, same process, in turns; the
               bare loop once with AdamW, as `fit` has it, and once with SGD and momentum, the cheapest there is
    choices    that bare loop under the automatic choice (bfloat16 where native, channels last, malloc kept) and under
               the others, each in a process of its own, in turns; "plain" is what torch does by itself
    remedies   a training step under every remedy against the plain one: what its loss, its mixing and its sampler take beyond
               plain cross-entropy on cases as they come, over what the whole plain step takes, in one process; in seconds
               of the processor on one thread, where other work counts little, and the plain step as if two shared it
    memory     training from 10,000, 100,000 and 1,000,000 images of 224 x 224 (the same shards listed many times): the most
               that the process held
    start      from the command to the first step, when scan, split and store stand

Validation is not part of an epoch here; history.csv has its seconds in a column of their own. Figures are images a second,
the best of the rounds, for anything else that runs makes them lower. `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH = {28: 64, 224: 16}
Figures = dict[str, dict[str, Any]]


# -- what a child process does; torch is imported there, after malloc is set ---------------------------------------------
def network(size: int) -> Any:
    from evenray.learning import networks

    return networks.build("vgg16_bn(head=average)", classes=2, channels=1, size=size, seed=0)


def bare_loop(
    model: Any, size: int, batch: int, *, bf16: bool, channels_last: bool, optimizer: str
) -> Callable[[int], float]:
    """A function that does some steps and returns images a second."""
    import torch

    form = torch.channels_last if channels_last else torch.contiguous_format
    model = model.to(memory_format=form).train()
    x = torch.rand(batch, 1, size, size).contiguous(memory_format=form)
    targets = torch.randint(0, 2, (batch,))
    made = {
        "adamw": lambda: torch.optim.AdamW(model.parameters(), 1e-4, fused=True),
        "sgd": lambda: torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9),
    }[optimizer]()

    def steps(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = torch.nn.functional.cross_entropy(model(x), targets)
            made.zero_grad()
            loss.backward()
            made.step()
        return count * len(x) / (time.perf_counter() - start)

    return steps


def child_bare(size: int, batch: int, steps: int, rounds: int) -> dict[str, float]:
    from evenray.learning.train import keep_malloc

    keep_malloc()
    import numpy as np

    from evenray.data.store import Store
    from evenray.learning.balance import Balance
    from evenray.learning.train import Part, Settings, fit, machine

    fabric = machine("cpu")
    bf16 = fabric.precision == "bf16-mixed"
    pixels = np.random.default_rng(0).integers(0, 256, (steps * batch, size, size), dtype=np.uint8)
    store = Store(tuple(pixels[i : i + 512] for i in range(0, len(pixels), 512)), 255)

    def epoch(steps: int) -> float:
        rows = np.arange(steps * batch)
        with tempfile.TemporaryDirectory() as folder:
            part, settings = Part(store, rows, rows % 2), Settings(1, batch, 1e-4)
            _, history = fit(network(size), part, None, settings, Balance(), fabric, folder=Path(folder))
        return len(rows) / history[0]["seconds"]

    loops = {
        f"bare {name}": bare_loop(network(size), size, batch, bf16=bf16, channels_last=True, optimizer=name)
        for name in ("adamw", "sgd")
    }
    loops["evenray"] = epoch
    for loop in loops.values():  # warms up
        loop(1)
    found = [{name: loop(steps) for name, loop in loops.items()} for _ in range(rounds)]
    return {name: max(turn[name] for turn in found) for name in loops}


def child_choice(size: int, steps: int, choice: str) -> dict[str, float]:
    if "malloc" in choice:
        from evenray.learning.train.machine import (
            keep_malloc,  # imports torch: in evenray, too, malloc is set after that
        )

        keep_malloc()
    loop = bare_loop(
        network(size), size, BATCH[size], bf16="bf16" in choice, channels_last="last" in choice, optimizer="sgd"
    )
    loop(1)
    return {choice: loop(steps)}


REMEDIES = (
    "weighted", "oversample", "undersample", "progressive", "oversample_augmented", "minority_mixup", "focal",
    "class_balanced_focal", "logit_adjustment", "ldam", "threshold",
)  # fmt: skip
COUNTS = (9_000, 1_000)


def child_remedies(size: int, batch: int, steps: int, repeats: int) -> dict[str, float]:
    """Milliseconds of a plain step on two threads, and of what each remedy adds to it: the least and the medians."""
    from evenray.learning.train import keep_malloc

    keep_malloc()
    import numpy as np
    import torch

    from evenray.learning.balance import Balance, make
    from evenray.learning.train import machine

    torch.set_num_threads(1)
    bf16 = machine("cpu").precision == "bf16-mixed"
    loop = bare_loop(network(size), size, batch, bf16=bf16, channels_last=True, optimizer="adamw")

    def step() -> float:
        start = time.process_time()
        loop(1)
        return time.process_time() - start

    step()
    plain_step = 1e3 * min(step() for _ in range(steps)) / 2
    targets_N = np.random.default_rng(0).permutation(np.repeat([0, 1], COUNTS))
    x, y = torch.rand(batch, 1, size, size), torch.arange(batch) % 2  # half are rare, as where they are repeated
    z = torch.randn(batch, 2, requires_grad=True)

    def once(balance: Balance, epoch: int) -> float:
        start = time.process_time()
        targets = y if balance.mix is None else balance.mix(x, y, np.random.default_rng(0))[1]
        loss = torch.nn.functional.cross_entropy(z, targets) if balance.loss is None else balance.loss(z, targets, 0.9)
        loss.backward()
        own = time.process_time() - start
        start = time.process_time()
        if balance.sampler is None:
            drawn = np.random.default_rng(epoch).permutation(len(targets_N))
        else:
            drawn = balance.sampler(targets_N, batch=batch, seed=0, epoch=epoch)
        return 1e3 * (own + (time.process_time() - start) * batch / len(drawn))

    made = {name: make(name, COUNTS, ("well", "sick"), epochs=10) for name in ("none", *REMEDIES)}
    found = {
        name: sorted(once(balance, turn) for turn in range(repeats))[repeats // 2] for name, balance in made.items()
    }
    return {"step": plain_step, **{name: found[name] - found["none"] for name in REMEDIES}}


def child_memory(count: int, batches: int) -> dict[str, float]:
    """The most that a training on `count` images held after its first steps, in MB, and before it."""
    import numpy as np
    import torch

    from evenray.data.store import SHARD, Mapped, Store
    from evenray.learning import networks
    from evenray.learning.balance import Balance
    from evenray.learning.train import Part, Settings, machine
    from evenray.learning.train.loop import fit

    folder = Path(os.environ["BENCHMARK_STORE"])
    shards = [folder / f"{number}.npy" for number in range(20)]
    paths = [shards[number % len(shards)] for number in range(-(-count // SHARD))]
    store = Store(Mapped(paths), 255)
    part = Part(store, np.arange(count), np.arange(count) % 2)
    seen: list[int] = []

    class Enough(BaseException):
        pass

    def tick() -> None:
        seen.append(resident())
        if len(seen) == batches:
            raise Enough

    torch.set_num_threads(2)
    model = networks.build("vgg11_bn(head=average, width=0.05)", classes=2, channels=1, size=224, seed=0)
    before = resident()
    try:
        fit(model, part, None, Settings(1, 16, 1e-3), Balance(), machine("cpu"), tick=tick)
    except Enough:
        return {"before": before / 1e3, "most": max(seen) / 1e3, "last": seen[-1] / 1e3}
    raise AssertionError("the epoch was too short")


def resident() -> int:
    """What this process holds in memory, mapped files included, in kB."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


# -- the parent --------------------------------------------------------------------------------------------------------
def child(*words: str, **environment: str) -> dict[str, float]:
    """The figures of a process that does one thing; waiting threads sleep, as under the command line."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", *words], capture_output=True, text=True, check=False,
        env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **environment},
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def note(figures: Figures, name: str, value: float, target: str) -> None:
    comparison, bound = target.split()
    met = value >= float(bound) if comparison == ">=" else value <= float(bound)
    figures[name] = {"value": round(value, 3), "target": target, "met": met}
    print(f"  {name:58} {value:8.2f}   {target:8} {'' if met else 'MISSED'}")


def bare(figures: Figures, quick: bool) -> None:
    print("\nAn epoch against a bare loop over one batch in memory (images/s)")
    for size, batch, steps, rounds in ((28, 64, 8, 1), (224, 3, 2, 1)) if quick else ((28, 64, 20, 6), (224, 16, 4, 4)):
        found = child("bare", *map(str, (size, batch, steps, rounds)))
        print(f"  {size}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
        note(figures, f"bare: fit / AdamW alone, {size}", found["evenray"] / found["bare adamw"], ">= 0.92")
        note(figures, f"bare: fit / SGD alone, {size}", found["evenray"] / found["bare sgd"], ">= 0.92")


def remedies(figures: Figures, quick: bool) -> None:
    print("\nA step under each remedy against the plain one (28 pixels, batch 64)")
    found = child("remedies", "28", "64", *(("3", "31") if quick else ("12", "201")))
    step = found.pop("step")
    print(f"  the plain step {step:.1f} ms; more: " + ", ".join(f"{name} {more:.2f}" for name, more in found.items()))
    for name, more in found.items():
        note(figures, f"remedies: {name} / plain", 1 + more / step, "<= 1.03")


CHOICES = ("plain", "malloc", "last", "last malloc", "bf16 last", "bf16 last malloc")
AUTOMATIC = "bf16 last malloc"


def choices(figures: Figures, quick: bool) -> None:
    print("\nThe bare loop under each choice (images/s)")
    for size, steps, rounds, wanted in ((28, 4, 1, 1.4),) if quick else ((28, 30, 3, 1.4), (224, 4, 3, 2.5)):
        asked = ("plain", "bf16 last", AUTOMATIC) if quick else CHOICES
        best = dict.fromkeys(asked, 0.0)
        for _ in range(rounds):
            for choice in asked:
                best[choice] = max(best[choice], child("choice", str(size), str(steps), choice)[choice])
        print(f"  {size}: " + ", ".join(f"{name} {value:.1f}" for name, value in best.items()))
        note(figures, f"choices: automatic / best, {size}", best[AUTOMATIC] / max(best.values()), ">= 0.95")
        note(figures, f"choices: automatic / plain, {size}", best[AUTOMATIC] / best["plain"], f">= {wanted}")


def memory(figures: Figures, quick: bool) -> None:
    import numpy as np

    print("\nMemory of a training on images of 224 x 224 (MB)")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(20):
            pixels = np.random.default_rng(number).integers(0, 256, (512, 224, 224), dtype=np.uint8)
            np.save(Path(folder) / f"{number}.npy", pixels)
        for count in (10_000, 100_000, 1_000_000):
            held = child("memory", str(count), "4" if quick else "400", BENCHMARK_STORE=folder)
            found[count] = held["most"]
            print(f"  {count:9,} images: {held['before']:.0f} before, {held['most']:.0f} at most")
    note(figures, "memory: 1,000,000 / 10,000 images", found[1_000_000] / found[10_000], "<= 1.15")


def start(figures: Figures, quick: bool, data: Path) -> None:
    print("\nFrom the command to the first step, when all stands (s)")
    words = [sys.executable, "-c", "from evenray.cli import main; main()"]
    options = [
        "--network",
        "vgg11_bn(head=average, width=0.1)",
        "--contrast",
        "none",
        "--balance",
        "none",
        "--epochs",
        "1",
    ]
    options += ["--choose", "members=1"]
    with tempfile.TemporaryDirectory() as folder:
        run, later = f"{folder}/run", list[float]()
        for seed in range(2 if quick else 5):
            marks = {"EVENRAY_STORE": f"{folder}/store", "OMP_WAIT_POLICY": "PASSIVE"}
            began = time.perf_counter()
            code = f"import sys, time\nsys.argv = ['evenray', 'train', {str(data)!r}, '-o', {run!r}, *{options!r},"
            code += f" '--learning-rate', '0.00{seed + 1}']\n" + WATCH
            done = subprocess.run(
                [words[0], "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **marks}
            )
            found = re.search(r"FIRST STEP (\S+)", done.stdout)
            if not found:
                sys.exit(done.stderr)
            taken = float(found[1]) - began
            print(f"  run {seed + 1}: {taken:.2f}")
            later += [taken] if seed else []  # the first one scans and prepares
    note(figures, "start: seconds to the first step of a later run", min(later), "<= 2")


# Tells when the first step begins, in a process whose imports are else left as they are.
WATCH = """
import importlib.abc, importlib.util

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "evenray.learning.train.loop":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module
        def watched(module):
            execute(module)
            def first(training, *args):
                print("FIRST STEP", time.perf_counter(), flush=True)
                raise SystemExit
            module._Training._step = first
        spec.loader.exec_module = watched
        return spec

sys.meta_path.insert(0, Watch())
from evenray.cli import main
main()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["bare", "choices", "remedies", "memory", "start"])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="under a minute on an idle machine: one round, choices at 28 only",
    )
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data/medmnist/breastmnist.npz")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, *words = options.child
        work = {"bare": child_bare, "choice": child_choice, "memory": child_memory, "remedies": child_remedies}[what]
        print(json.dumps(work(*(int(word) if word.isdecimal() else word for word in words))))
        return
    figures: Figures = {}
    for part in options.parts:
        if part == "start":
            start(figures, options.quick, options.data)
        else:
            {"bare": bare, "choices": choices, "remedies": remedies, "memory": memory}[part](figures, options.quick)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
