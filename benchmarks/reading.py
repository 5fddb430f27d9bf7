"""What it costs to read files in processes that may die: a scan with and without them, in CPU time, on one core.

`python benchmarks/reading.py [--quick] [--json FILE]`. CPU time, because a machine that others use makes clocks useless; the two
ways take turns, and the median of the ratios stands. The start of a process is shown apart: it is paid once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from evenray.data.scan import scan
from evenray.scale import isolated

TARGET = 1.05
RNG = np.random.default_rng(0)


def draw(folder: Path, size: int, count: int) -> None:
    """Smooth pictures of `size` pixels a side, in two classes."""
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = RNG.integers(0, 256, (size, size), np.uint8)
        cv2.imwrite(str(path), cv2.GaussianBlur(noise, (9, 9), 0))


def seconds(work: Callable[[], object]) -> float:
    """CPU time of this process and of those that it has waited for, plus that of the workers, who live on."""
    before = _spent()
    work()
    return _spent() - before


def _spent() -> float:
    spent = time.process_time()
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = process.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found: dict[str, dict[str, object]] = {}
    say = sys.stdout.write
    began = time.monotonic()
    start = seconds(lambda: list(isolated(1)(abs, [1])))
    say(f"start of a process: {start:.2f} s of CPU, {time.monotonic() - began:.2f} s by the clock\n")
    say(f"{'pictures':<22} {'here':>10} {'apart':>10} {'ratio':>7}\n")
    for size, count in ((28, 2000), (224, 600), (1024, 60)):
        rounds = 3 if options.quick else 9
        with tempfile.TemporaryDirectory() as name:
            draw(Path(name), size, count)
            pairs = []
            for number in range(rounds + 1):
                pair = (seconds(lambda: scan(name)), seconds(lambda: scan(name, map=isolated(1))))
                pairs += [pair] * (number > 0)  # the first is for warmth
        here, apart = (statistics.median(pair[way] for pair in pairs) * 1000 / count for way in (0, 1))
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        say(f"{f'{count} of {size} pixels':<22} {here:>7.2f} ms {apart:>7.2f} ms {ratio:>7.3f}\n")
        found[f"scan apart {size}"] = {"value": round(ratio, 3), "target": TARGET, "met": ratio <= TARGET}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
