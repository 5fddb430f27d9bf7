"""Run the line twice from the same recipe, once while other processes compute, and compare what comes out.

`python tools/equal_pairs.py DATA --pairs 10` makes pairs with a comparison and pairs without one (half of them each), each
run in a process of its own, and compares the predictions, the model, the choice and the history without its times. The
second run of a pair shares the processor with --load busy processes (as many as there are cores unless said otherwise).
`--plant` lets a thread of the second run set torch's number of threads again and again, as a task must never do: pairs that
are equal in spite of it would mean that this tool cannot see such a fault. Exit code 1 where a pair differs, or where every
pair is equal although the fault was planted.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

FRESH = multiprocessing.get_context("spawn")
TIMES = ("seconds", "validation_seconds")
BRIEF: dict[str, Any] = {
    "network": "vgg11_bn(width=0.25)", "epochs": 3, "size": 28, "folds": 2, "seeds": 1, "choose": {"compare_epochs": 2},
}  # fmt: skip
COMPARED: dict[str, Any] = {"contrast": ("none", "equalize"), "balance": ("none", "weighted")}
ALONE: dict[str, Any] = {"contrast": "none", "balance": "none"}


def run(data: str, folder: str, seed: int, compared: bool, planted: bool, brief: bool) -> None:
    """One run in this process."""
    import evenray as er

    if planted:
        threading.Thread(target=_toggle, daemon=True).start()
    asked = (COMPARED if compared else ALONE) | (BRIEF if brief else {})
    er.run(data, er.Recipe(effort="quick", seed=seed, **asked), output=folder, device="cpu")


def _toggle() -> None:
    import torch

    most = torch.get_num_threads()
    for turn in range(10**9):
        torch.set_num_threads(1 if turn % 2 else max(2, most))
        time.sleep(0.01)


def compute(parent: int) -> None:
    """Keep one core busy while the process that started this one lives."""
    while os.getppid() == parent:
        sum(range(10**6))


@contextmanager
def load(count: int) -> Iterator[None]:
    """`count` busy processes beside what runs within."""
    busy = [FRESH.Process(target=compute, args=(os.getpid(),), daemon=True) for _ in range(count)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.join()


def outcome(folder: Path) -> dict[str, str]:
    """A digest of each thing that two equal runs have to share."""

    def table(name: str) -> str:
        if not (folder / name).exists():
            return "none"
        read = pl.read_csv if name.endswith(".csv") else pl.read_parquet
        found = read(folder / name).drop(TIMES, strict=False)
        return hashlib.sha256(found.write_csv().encode()).hexdigest()

    def content(name: str) -> str:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest() if (folder / name).exists() else "none"

    models = {f"model {path.name}": content(path.name) for path in sorted(folder.glob("*.safetensors"))}
    tables = {name: table(name) for name in ("predictions.parquet", "grid.parquet", "history.csv")}
    return tables | models | {"choice.json": content("choice.json")}


def made(
    data: str, folder: Path, seed: int, compared: bool, *, planted: bool = False, brief: bool = False
) -> dict[str, str]:
    process = FRESH.Process(target=run, args=(data, str(folder), seed, compared, planted, brief))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"The run in {folder} ended with exit code {process.exitcode}.")
    return outcome(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", help="images or an archive, as 'evenray run' takes them")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--load", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--brief", action="store_true", help="a small network and few epochs, in place of --effort quick"
    )
    parser.add_argument("--plant", action="store_true", help="plant the fault that a pair has to show")
    asked = parser.parse_args()
    unequal = 0
    for pair in range(asked.pairs):
        compared = pair % 2 == 0
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            first = made(asked.data, Path(folder, "a"), asked.seed + pair // 2, compared, brief=asked.brief)
            with load(asked.load):
                second = made(
                    asked.data,
                    Path(folder, "b"),
                    asked.seed + pair // 2,
                    compared,
                    planted=asked.plant,
                    brief=asked.brief,
                )
        differ = [name for name in first if first[name] != second[name]]
        unequal += bool(differ)
        kind = "with comparison" if compared else "without comparison"
        told = f"differ in {', '.join(differ)}" if differ else f"equal in {len(first)} artefacts"
        print(f"pair {pair + 1:2d}, {kind}: {told} ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"{asked.pairs - unequal} of {asked.pairs} pairs are equal{', with the fault planted' * asked.plant}.")
    return int(unequal == 0 if asked.plant else unequal > 0)


if __name__ == "__main__":
    sys.exit(main())
