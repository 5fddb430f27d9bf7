"""What the workbench costs in a browser: `python benchmarks/workbench.py [--quick] [--json FILE]`; needs Chromium.

`window`: a picture of 2,048 x 2,048 pixels of 16 bits on a canvas as large, its window another one in every frame: milliseconds a
frame, median and 95th percentile. `zoom`: the same where the place is another one too.
`grid`: 100,000 cases, scrolled a screen further in every frame: milliseconds of work a frame, and the tiles that stand in the page.
`answers`: milliseconds until the server has given the columns of 100,000 cases, and 256 thumbnails.

Times are of the wall, in one process of the browser, so a busy machine makes them longer. `--json FILE` writes {name: {"value",
"target", "met"}}.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.core.artefacts import RunFolder
from evenray.core.artefacts.asked import Asked
from evenray.core.artefacts.cases import save
from evenray.core.findings import table_of
from evenray.core.recipe import Recipe
from evenray.core.types import Dataset
from evenray.serve.running import in_background

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FRAME = 1000 / 60
FRAMES = """async ([side, frames, moves]) => {
  const { Picture, Painter, windowTable } = await import("/static/picture.js");
  const numbers = new Uint16Array(side * side).map((_, i) => (i * 7919) % 4096);
  const about = { rows: side, columns: side, channels: 1, width: 2, offset: 0, slope: 1, low: 0, high: 4095, masked: false };
  const picture = new Picture(about, numbers.buffer), canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  document.body.append(canvas);
  const painter = new Painter(canvas), times = [];
  for (let k = 0; k < frames; k++) {
    await new Promise(requestAnimationFrame);
    const start = performance.now(), zoom = moves ? 1 + k / frames : 1;
    painter.draw(picture, { x: side / 2, y: side / 2, scale: zoom }, windowTable(picture, 2048 + k, 4000 - 9 * k), moves);
    times.push(performance.now() - start);
  }
  return times.slice(3);
}"""
SCROLL = """async frames => {
  const box = document.querySelector(".grid"), times = [];
  let most = 0;
  for (let k = 0; k < frames; k++) {
    await new Promise(requestAnimationFrame);
    box.scrollTop += box.clientHeight;
    const start = performance.now();
    box.dispatchEvent(new Event("scroll"));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
    most = Math.max(most, document.querySelectorAll(".tile").length);
  }
  return [times, most];
}"""


def drawn_run(place: Path, count: int) -> Path:
    """A scanned run of drawn thumbnails."""
    rng = np.random.default_rng(0)
    names = [f"case-{k:08x}" for k in range(count)]
    cases = pl.DataFrame({
        "case": names, "file": names, "fragment": [""] * count, "label": rng.choice(["healthy", "sick"], count, p=[0.95, 0.05]),
        "patient": names, "site": rng.choice(["north", "south"], count), "part": rng.choice(["train", "test"], count),
        "pixel_hash": names, "sketch": pl.Series(np.arange(count), dtype=pl.UInt32), "rows": [512] * count, "columns": [400] * count,
        "channels": [1] * count, "bits": [12] * count,
    })  # fmt: skip
    sketches = {
        "thumbnail": rng.integers(0, 256, (count, 32, 32), dtype=np.uint8),
        "histogram": rng.integers(0, 999, (count, 256)).astype(np.uint32),
    }
    folder = place / "many"
    folder.mkdir()
    save(Dataset(cases, ("healthy", "sick"), "sick", str(place), sketches=sketches), RunFolder(folder))
    RunFolder(folder).write_table("findings.parquet", table_of([]))
    Asked(str(place), Recipe()).write(folder)
    return folder


def told(name: str, times: list[float], target: float, figures: dict[str, Any]) -> None:
    ordered = sorted(times)
    median, late = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name:34} least {ordered[0]:7.1f}   median {median:7.1f}   95 % {late:7.1f} ms   target {target:.1f}")
    figures[name] = {"value": round(median, 2), "target": round(target, 2), "met": median <= target}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer frames")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    frames, figures = 30 if asked.quick else 150, dict[str, Any]()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as p:
        drawn_run(Path(name), 100_000)
        with in_background(workbench(Workplace.of(name))) as url:
            browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(300_000)
            page.goto(f"{url}/data")
            page.wait_for_selector(".tile.here")
            told("window, 2,048 square", page.evaluate(FRAMES, [2048, frames, False]), FRAME, figures)
            told("zoom, 2,048 square", page.evaluate(FRAMES, [2048, frames, True]), 2 * FRAME, figures)
            times, tiles = page.evaluate(SCROLL, frames)
            told("grid of 100,000, a screen further", times, 2 * FRAME, figures)
            print(f"{'tiles in the page':34} {tiles}")
            browser.close()
            with httpx.Client(base_url=url, timeout=300) as client:
                for label, path, target in (
                    ("columns of 100,000 cases", "/data/many/cases", 2000.0),
                    ("256 thumbnails", f"/data/many/thumbnails?rows={','.join(map(str, range(0, 99_840, 390)))}", 50.0),
                ):
                    times = []
                    for _ in range(3 if asked.quick else 10):
                        start = time.perf_counter()
                        client.get(path).raise_for_status()
                        times.append(1e3 * (time.perf_counter() - start))
                    told(label, times, target, figures)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
