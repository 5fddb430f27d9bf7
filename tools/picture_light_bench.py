"""The animated picture of the light bench: `python tools/picture_light_bench.py [-o docs/images/light-bench.webp]`.

A drawn radiograph in the workbench, in Chromium: gamma while its slider moves, too much light and what equalization makes of it, a
second method beside it, and a curve drawn by hand. Needs the extra `app`, playwright and chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.serve.running import in_background

SIZE = {"width": 1180, "height": 900}
PART = {"x": 0, "y": 188, "width": 1180, "height": 592}  # without the frame of the page
SHOWN = 880  # pixels of its width
PACE = 110  # ms a frame
PAUSE = 9  # frames that something stays
QUALITY = 62


class Film:
    def __init__(self, page: Any) -> None:
        self.page, self.frames, self.lengths = page, list[Image.Image](), list[int]()

    def take(self, times: int = 1) -> None:
        """One picture of the page as it is, shown so many frames long."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        whole = Image.open(io.BytesIO(self.page.screenshot(animations="disabled", clip=PART))).convert("RGB")
        size = (SHOWN, round(whole.height * SHOWN / whole.width))
        self.frames.append(whole.resize(size, Image.Resampling.LANCZOS))
        self.lengths.append(times * PACE)

    def settle(self) -> None:
        self.page.wait_for_load_state("networkidle")

    def slide(self, selector: str, values: list[float]) -> None:
        for value in values:
            self.page.eval_on_selector(
                selector,
                "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })) }",
                str(value),
            )
            self.settle()
            self.take()

    def choose(self, side: str, method: str) -> None:
        self.page.select_option(f"#{side}-steps select.method", method)
        self.settle()
        self.take(PAUSE)


def story(film: Film) -> None:
    page = film.page
    page.select_option("#picture", "drawn:healthy")
    page.select_option("#a-steps select.method", "gamma")
    film.settle()
    film.take(PAUSE)
    film.slide("#a-steps input[type=range]", [0.8, 0.6, 0.4, 0.3, 0.5, 0.8, 1.2, 1.6, 2.0, 1.6])
    film.choose("a", "equalize")
    film.slide("[data-damage=exposure]", [0.2, 0.4, 0.6, 0.4, 0.1, -0.4, -1.0, -1.6, -2.0])
    film.take(PAUSE)
    page.click("#compare")
    film.settle()
    film.choose("b", "clahe")
    film.slide("#b-steps input[type=range]", [3, 4, 5, 6, 7])
    film.take(PAUSE)
    page.click("#compare")
    page.click("#repair")
    film.settle()
    page.wait_for_selector("#a[data-shows$='{} equalize']")
    page.click("#a-draw")
    page.evaluate("scrollTo(0, 0)")
    film.settle()
    film.take(PAUSE // 2)
    box = page.locator("#a-chart").bounding_box()
    points = [(x / 16, 1 - (x / 16) ** 2 * (3 - 2 * x / 16)) for x in range(1, 16)]  # an S
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] * 0.97)
    page.mouse.down()
    for x, y in points:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        film.take()
    page.mouse.up()
    film.take(2 * PAUSE)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("-o", "--output", type=Path, default=Path("docs/images/light-bench.webp"))
    output = options.parse_args().output
    program = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    with (
        tempfile.TemporaryDirectory() as folder,
        in_background(workbench(Workplace.of(folder))) as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.set_default_timeout(120_000)
        page.goto(f"{address}/light-bench?lang=en")
        page.wait_for_selector("body[data-ready]", state="attached")
        film = Film(page)
        story(film)
        browser.close()
    output.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = film.frames
    first.save(output, save_all=True, append_images=rest, duration=film.lengths, loop=0, quality=QUALITY, method=4)
    print(
        f"{output}: {len(film.frames)} pictures, {sum(film.lengths) / 1000:.0f} s, {output.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
