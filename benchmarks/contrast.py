"""How fast contrast is beside OpenCV: `python benchmarks/contrast.py [--quick] [--json FILE] [--tables]`.

All runners take turns in one process, round by round, and a ratio is the median over rounds. A busy machine moves
both sides, but not evenly where one of them has two threads: run it on an idle one.
`--data FOLDER` (with chest-xray-full) times whole folders and takes a real X-ray for the picture; `--json FILE` writes
{name: {"value", "target", "met"}}; `--tables` prints what is right instead of what is fast.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import contrast_tables
import cv2
import numpy as np
from figures import Figures, note, told
from numpy.typing import NDArray
from xray import default_data, picture

from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance
from evenray.images.contrast._kinds import needs_pixels

Array = NDArray[Any]
SIZE = 3000
CHAINS = ("percentile(1, 99) | gamma(0.8)", "linear | equalize | gamma(0.8) | sigmoid | log")
SECONDS = 0.05  # that a runner is called for in every round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures with their targets")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder that holds chest-xray-full")
    parser.add_argument("--tables", action="store_true", help="conformance, parity and depth instead of speed")
    options = parser.parse_args()
    if options.tables:
        contrast_tables.conformance()
        contrast_tables.parity(options.data)
        contrast_tables.depth(options.data)
        return
    figures: Figures = {}
    for bits in (8, 12):
        for threads in (2, 1):
            cv2.setNumThreads(threads)
            speed(figures, picture(options.data, SIZE, bits), bits, threads, rounds=5 if options.quick else 15)
    xrays = options.data / "chest-xray-full" if options.data else None
    folder(figures, xrays if xrays and xrays.is_dir() else None, rounds=1 if options.quick else 4)
    told(figures, options.json)


def race(runners: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Array]:
    """Seconds a call of every runner in every round, (rounds,): the least of the calls that fill SECONDS, as other work only adds.

    The first call of each is not counted: none pays for what the one before it left in the caches.
    """
    found: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, run in runners.items():
            run()
            calls: list[float] = []
            while sum(calls) < SECONDS:
                start = time.perf_counter()
                run()
                calls.append(time.perf_counter() - start)
            found[name].append(min(calls))
    return {name: np.array(times) for name, times in found.items()}


def speed(figures: Figures, pixels: Array, bits: int, threads: int, rounds: int) -> None:
    """Every global method against OpenCV's count and look-up, and local equalization against its CLAHE."""
    image, levels = Image(pixels, (0, 2**bits - 1)), 2**bits
    table = np.arange(256 if bits == 8 else 65_536, dtype=pixels.dtype)

    def count_and_look_up() -> None:
        cv2.calcHist([pixels], [0], None, [levels], [0, levels])
        cv2.LUT(pixels, table)

    def enhanced(spec: str) -> Callable[[], Any]:
        return lambda: enhance(image, spec)

    specs = [name for name in contrasts if name != "none" and not needs_pixels(contrasts[name])] + list(CHAINS)
    clahe = cv2.createCLAHE(2.0, (8, 8))
    found = race(
        {
            "calcHist + LUT": count_and_look_up,
            **({"equalizeHist": lambda: cv2.equalizeHist(pixels)} if bits == 8 else {}),
            **{spec: enhanced(spec) for spec in specs},
            "OpenCV CLAHE": lambda: clahe.apply(pixels),
            "clahe": enhanced("clahe(clip=2, tiles=8)"),
            "local(gamma(0.7))": enhanced("local(gamma(0.7))"),
        },
        rounds,
    )
    where = f"{bits} bits, {threads} thread{'s' if threads > 1 else ''}"
    print(f"\n{SIZE} x {SIZE}, {where}: least ms")
    for name, seconds in found.items():
        print(f"  {name:50} {seconds.min() * 1e3:8.2f}")
    name = "equalizeHist" if bits == 8 else "calcHist + LUT"
    note(figures, f"equalize / OpenCV's {name}, {where}", ratio(found["equalize"], found[name]), "<= 1.15")
    worst = max(specs, key=lambda spec: ratio(found[spec], found["calcHist + LUT"]))
    print(f"  slowest global method: {worst}")
    note(figures, f"slowest global / calcHist + LUT, {where}", ratio(found[worst], found["calcHist + LUT"]), "<= 1.15")
    note(figures, f"clahe / OpenCV's CLAHE, {where}", ratio(found["clahe"], found["OpenCV CLAHE"]), "<= 1.0")


def ratio(one: Array, other: Array) -> float:
    """Median over rounds of one / other."""
    return float(np.median(one / other))


def folder(figures: Figures, root: Path | None, rounds: int) -> None:
    """Enhanced copies of a folder: what share of the time is not reading or writing, and two jobs against one."""
    from evenray.verbs._copies import CopyJob, copies, files_of

    files = [] if root is None else files_of(root)
    for spec in ("equalize", "gamma(0.8)"):
        share: list[float] = []
        gain: list[float] = []
        with tempfile.TemporaryDirectory() as out:
            pairs = [(file, Path(out) / file.name) for file in files]
            list(copies(pairs[:2], CopyJob(spec), 1)) if pairs else None
            for _ in range(rounds if pairs else 0):
                start = time.perf_counter()
                done = list(copies(pairs, CopyJob(spec), 1))
                one = time.perf_counter() - start
                share.append(1 - sum(d.seconds["reading"] + d.seconds["writing"] for d in done) / one)
                start = time.perf_counter()
                list(copies(pairs, CopyJob(spec), 2))
                gain.append(one / (time.perf_counter() - start))
        measured = bool(pairs)
        name = f"folder, {spec}: share outside decoding and encoding"
        note(figures, name, float(np.median(share)) if measured else None, "<= 0.1")
        note(figures, f"folder, {spec}: one job / two jobs", float(np.median(gain)) if measured else None, ">= 1.7")


if __name__ == "__main__":
    main()
