"""How soon a slider of the light bench is seen: `python benchmarks/light_bench.py [--quick] [--json FILE]`.

Measured in Chromium by the page's own marks: from the time stamp of the input event until the frame with the new picture, histogram
and curve has been handed to the screen (a task queued behind its painting). A method that is a curve takes a request for 4,096
numbers and a look-up in the browser; one that looks at pixels (CLAHE) is computed by the server and sent whole; a curve drawn by hand
needs no request. Each slider is moved as often as stands below; every next move waits for the picture of the one before. The
server, the browser and this script share the machine, without a graphics card: everything is drawn by the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from playwright.sync_api import sync_playwright

from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.data.demo.film import picture
from evenray.data.demo.plan import Film
from evenray.serve.running import in_background

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
MEDIAN, LATE, LOCAL = 50.0, 100.0, 100.0  # ms
# name: (method, the values of its first slider)
SLIDERS = {
    "gamma": ("gamma", (0.3, 2.5)), "percentile": ("percentile", (0.0, 20.0)), "weighted equalization": ("weighted", (0.1, 1.0)),
    "CLAHE": ("clahe", (1.0, 8.0)),
}  # fmt: skip
MOVED = """async ([selector, values]) => {
  const slider = document.querySelector(selector), seen = () => performance.getEntriesByName("evenray.slider").length;
  performance.clearMeasures("evenray.slider");
  performance.clearResourceTimings();
  for (const [i, value] of values.entries()) {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (seen() <= i) await new Promise(done => setTimeout(done, 2));
  }
  const entries = [performance.getEntriesByName("evenray.slider"), performance.getEntriesByType("resource")];
  return entries.map(all => all.map(e => e.duration));
}"""
DRAWN = """async values => {
  const chart = document.getElementById("a-chart"), seen = () => performance.getEntriesByName("evenray.slider").length;
  performance.clearMeasures("evenray.slider");
  for (const [i] of values.entries()) {
    chart.dispatchEvent(new KeyboardEvent("keydown", { key: i % 7 ? "ArrowUp" : "ArrowLeft" }));
    while (seen() <= i) await new Promise(done => setTimeout(done, 2));
  }
  return [performance.getEntriesByName("evenray.slider").map(e => e.duration), [0]];
}"""


def drawn(side: int, bits: int) -> bytes:
    """A drawn radiograph of that size and depth, as PNG."""
    film = picture(Film(patient=3, number=0, sick=False, label="healthy", site="north"), seed=0).pixels
    large = cv2.resize(film, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float64) / 4095
    noisy = np.clip(large + np.random.default_rng(0).normal(0, 0.01, large.shape), 0, 1)
    kind = np.uint8 if bits == 8 else np.uint16
    return bytes(cv2.imencode(".png", np.rint(noisy * (2**bits - 1)).astype(kind))[1])


def told(name: str, found: tuple[list[float], list[float]]) -> tuple[float, float]:
    """Print a row; returns the median and the 95th percentile in ms."""
    times, requests = found
    middle, late = statistics.median(times), float(np.percentile(times, 95))
    asked = f"{statistics.median(requests):7.1f}" if any(requests) else "      -"
    print(f"{name:<42}{len(times):>6}{middle:>10.1f}{late:>9.1f}{max(times):>9.1f}{asked:>12}", flush=True)
    return middle, late


def measure(page: Any, side: int, bits: int, moves: int) -> dict[str, tuple[float, float]]:
    """Every slider on one image."""
    found = {}
    for name, (method, (low, high)) in SLIDERS.items():
        if name == "CLAHE" and side > 1024:
            continue
        page.select_option("#a-steps select.method", method)
        page.wait_for_selector(f"#a[data-shows$=' {method}']")
        values = np.random.default_rng(1).uniform(low, high, moves).round(3).tolist()
        selector = "#a-steps input[type=range]"
        row = f"{name}, {side} x {side}, {bits} bits"
        found[row] = told(row, page.evaluate(MOVED, [selector, values]))
    page.select_option("#a-steps select.method", "equalize")
    page.wait_for_selector("#a[data-shows$=' equalize']")
    page.click("#a-draw")
    page.focus("#a-chart")
    row = f"curve drawn by hand, {side} x {side}, {bits} bits"
    found[row] = told(row, page.evaluate(DRAWN, list(range(moves))))
    page.click("#a-draw")
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="1024 x 1024 alone, fewer moves")
    options.add_argument("--json", type=Path, help="write the figures with their targets to this file")
    asked = options.parse_args()
    program = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    sizes = [(1024, 8)] if asked.quick else [(512, 8), (1024, 8), (1024, 16), (2048, 8), (2048, 16)]
    moves, figures = 25 if asked.quick else 100, {}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; ms from the input to the painted frame")
    print(f"{'slider':<42}{'moves':>6}{'median':>10}{'p95':>9}{'longest':>9}{'request':>12}")
    with (
        tempfile.TemporaryDirectory() as folder,
        in_background(workbench(Workplace.of(folder))) as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        for side, bits in sizes:
            sent = httpx.post(f"{address}/light-bench/picture", content=drawn(side, bits), timeout=120).json()
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(f"{address}/light-bench")
            page.wait_for_selector("body[data-ready]", state="attached")
            page.select_option("#picture", sent["key"])
            page.wait_for_selector(f"#a[data-shows^='{sent['key']}']")
            for name, (middle, late) in measure(page, side, bits, moves).items():
                aim = LOCAL if name.startswith("CLAHE") else MEDIAN
                figures[f"{name}, median ms"] = {"value": round(middle, 1), "target": aim, "met": middle <= aim}
                if aim == MEDIAN:
                    figures[f"{name}, p95 ms"] = {"value": round(late, 1), "target": LATE, "met": late <= LATE}
            page.close()
        browser.close()
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
