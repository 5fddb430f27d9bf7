"""Kill a training with signal 9 at random moments, start it again, and compare what comes out: `python tools/kill_training.py`.

Each trial runs the stages from the images to the trained network in a process of its own, kills it at a random moment,
starts it again (and kills it again, with --kills), and compares the model's bytes and the history with those of a run that
nobody killed. Checkpoints are written within epochs as fast as they can be, so that kills fall into writing, too. Data and
network are tiny: twenty trials take some three minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import polars as pl
import torch

import evenray as er

RECIPE = er.Recipe(
    network="vgg11_bn(width=0.05, head=classical)", epochs=8, batch=16, size=28, contrast="none", flips=True,
    balance="minority_mixup", choose={"keep": "best"},
)  # fmt: skip
SERVER = multiprocessing.get_context("forkserver")
TIMES = ("seconds", "validation_seconds")


def archive(path: Path) -> Path:
    """200 training images of 28 pixels in the form of MedMNIST; a bright square tells the sick, more or less."""
    rng, arrays = np.random.default_rng(0), {}
    for part, n in (("train", 200), ("val", 72), ("test", 30)):
        labels = (np.arange(n) % 3 == 0).astype(np.uint8)
        images = rng.integers(0, 90, (n, 28, 28), dtype=np.uint8)
        images[labels == 1, 8:18, 8:18] += rng.integers(0, 60, (int(labels.sum()), 1, 1), dtype=np.uint8)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    np.savez(path, **arrays)
    return path


def child(data: Path, folder: Path) -> BaseProcess:
    """A process that trains; a server forks it, which has imported everything already and has computed nothing."""
    process = SERVER.Process(target=train, args=(data, folder))
    process.start()
    return process


def train(data: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    er.train(str(data), RECIPE, folder, device="cpu", save_every=0.0)


def outcome(folder: Path) -> tuple[str, str]:
    """The model's bytes and the history, apart from the times it took."""
    history = pl.read_csv(folder / "history.csv").drop(TIMES).write_csv()
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(), history


def stands_at(folder: Path) -> str:
    """Where the last checkpoint would go on, and what a kill in the middle of writing left."""
    found = list(folder.glob("checkpoints/*/last.pt"))
    left = " (and a half-written file)" if list(folder.rglob(".*.tmp")) else ""
    if not found:
        return f"before the first checkpoint{left}"
    position = torch.load(found[0], weights_only=True)["position"]
    return f"epoch {position['epoch'] + 1}, batch {position['batch']}{left}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--kills", type=int, default=1, help="how often each run is killed before it is let go on")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    SERVER.set_forkserver_preload(["evenray.stages", "evenray.learning.train"])
    with tempfile.TemporaryDirectory() as place:
        data = archive(Path(place) / "images.npz")
        whole = Path(place) / "whole"
        child(data, Path(place) / "first").join()  # the server starts, and imports
        start = time.perf_counter()
        child(data, whole).join()
        seconds, expected = time.perf_counter() - start, outcome(whole)
        print(
            f"uninterrupted: {seconds:.1f} s, model {expected[0][:12]}\n\ntrial  killed after  it stood at{'':33}the same in the end"
        )
        same = 0
        for trial in range(1, options.trials + 1):
            folder = Path(place) / f"trial-{trial}"
            for _ in range(options.kills):
                after = rng.uniform(0.02, 1.0) * seconds
                process = child(data, folder)
                process.join(after)
                process.kill()  # signal 9
                process.join()
                where = stands_at(folder) if process.exitcode else "finished before the kill"
                print(f"{trial:5}  {after:10.2f} s  {where:43}", end="")
            child(data, folder).join()
            found = outcome(folder)
            same += found == expected
            print(f"  {'yes' if found == expected else 'NO: model ' + found[0][:12]}", flush=True)
            shutil.rmtree(folder)
    print(f"\n{same} of {options.trials} trainings ended with the same bytes as the one that was not killed")
    sys.exit(same != options.trials)


if __name__ == "__main__":
    main()
