"""Table 7 of the VGG paper, shorter: `python benchmarks/table7.py [--quick]`.

All 15 rows (49 nets) on PneumoniaMNIST at `--effort quick`, some ten minutes of two cores; with `--quick` six rows of one
net on BreastMNIST, under a minute. What a user waits for is timed: the command `evenray table7`, then the same command
again, which finds everything made. `--data FOLDER` holds medmnist; `--json FILE` writes {name: {"value", "target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import Figures, note, told
from xray import default_data

from evenray.evidence.table7 import SYSTEMS, chosen, nets_of

QUICK = ("vgg-1", "googlenet-1", "clarifai-1", "zeiler-fergus-1", "overfeat-1", "krizhevsky-1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: six rows of one net, on BreastMNIST")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder that holds medmnist")
    options = parser.parse_args()
    name = "breastmnist" if options.quick else "pneumoniamnist"
    data = options.data and options.data / "medmnist" / f"{name}.npz"
    if not data or not data.exists():
        parser.exit(1, f"{data or 'medmnist'} is not there: give --data FOLDER, which holds medmnist/{name}.npz\n")
    systems = list(QUICK if options.quick else SYSTEMS)
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        rows, first = table(data, systems, Path(folder))
        again, second = table(data, systems, Path(folder))
        promised = minutes_promised(Path(folder))
    judge(figures, rows, systems, first / 60)
    note(figures, "minutes taken / minutes promised", first / 60 / promised, "<= 1.0")
    note(figures, "made again / made", second / first, "<= 0.2")
    note(figures, "rows that are the same when made again / rows", float(rows == again), ">= 1.0")
    told(figures, options.json)


def table(data: Path, systems: list[str], folder: Path) -> tuple[list[dict[str, Any]], float]:
    """The command as a user gives it, in a process of its own: (rows, seconds)."""
    command = ["table7", str(data), "--systems", ",".join(systems), "--effort", "quick", "-o", str(folder), "--json"]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from evenray.cli import main; main()", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"evenray {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    found: list[dict[str, Any]] = json.loads(done.stdout)["table"]
    return found, seconds


def minutes_promised(folder: Path) -> float:
    """What the budget says that the nets take, in the sentence of its width."""
    said = re.search(r"about (\S+) min of two cores", (folder / "table7.json").read_text(encoding="utf-8"))
    assert said, "the budget names its minutes"
    return float(said[1])


def judge(figures: Figures, rows: list[dict[str, Any]], systems: list[str], minutes: float) -> None:
    print(f"{len(nets_of(chosen(','.join(systems))))} nets, {minutes:.1f} minutes\n")
    print(
        f"{'row':18} {'nets':>4} {'val. AUROC':>10} {'test AUROC, 95 % interval':>26} {'top-1 error':>12} {'train s':>8} {'eval s':>7}"
    )
    for row in rows:
        area = f"{row['test_auroc']:.3f} ({row['test_auroc_low']:.3f} to {row['test_auroc_high']:.3f})"
        print(
            f"{row['system']:18} {row['nets']:4} {row['validation_auroc']:10.3f} {area:>26} {row['test_top1']:12.1%}"
            f" {row['training_seconds']:8.1f} {row['evaluation_seconds']:7.1f}"
        )
    print(f"{'majority-class baseline':52} {rows[0]['test_auroc_baseline']:8.3f} {rows[0]['test_top1_baseline']:12.1%}")
    note(figures, "rows made / rows asked for", len(rows) / len(systems), ">= 1.0")
    note(figures, "lowest test AUROC, lower end of its interval", min(r["test_auroc_low"] for r in rows), ">= 0.5")


if __name__ == "__main__":
    main()
