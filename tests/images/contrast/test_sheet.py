from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from evenray.core.spec import parse
from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance
from evenray.images.contrast._svg import bar_chart, histogram_chart
from evenray.images.contrast.sheet import gallery, page, panel, words
from evenray.images.histogram import Histogram

IMAGE = Image(np.random.default_rng(0).integers(20, 200, (60, 80)).astype(np.uint8), (0, 255))


class Tags(HTMLParser):
    """Counts tags and keeps what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.refers += [value or "" for name, value in attrs if name in ("src", "href")]


class Said(HTMLParser):
    """What a page says to its reader, on the screen or aloud; specs, which stay as typed, left out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.language = ""
        self.said: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        named = dict(attrs)
        self.said += [named.get(name) or "" for name in ("alt", "aria-label", "title")]
        self.language = named.get("lang") or self.language

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in ("style", "code"):
            self.said.append(data)


def test_the_gallery_shows_every_method_and_all_of_it_runs() -> None:
    specs = gallery(IMAGE)
    shown = {step.name for spec in specs for step in parse(spec)}
    assert shown == set(contrasts)
    for spec in specs:
        enhance(IMAGE, spec)


def test_ct_is_shown_in_its_windows() -> None:
    image = Image(np.zeros((4, 4), np.int16), (-1024, 3071), header={"modality": "CT"})
    assert "window(preset=lung)" in gallery(image)


def test_a_page_stands_alone_and_holds_what_is_asked_for() -> None:
    text = page(
        "Sheet <1>", [[panel(IMAGE, "none", title="a&b.png"), panel(IMAGE, "gamma(0.5)"), panel(IMAGE, "clahe")]]
    )
    found = Tags(text)
    assert found.tags.count("img") == 3
    assert all(value.startswith("data:image/png;base64,") for value in found.refers)
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", text)
    assert "Sheet &lt;1&gt;" in text
    assert "a&amp;b.png" in text
    for word in (
        "entropy",
        "contrast improvement index",
        "EME",
        "AMBE",
        "PSNR",
        "SSIM",
        "newly black",
        "medical device",
    ):
        assert word in text
    for drawing in re.findall(r"<svg.*?</svg>", text):
        ElementTree.fromstring(drawing)


def test_a_global_method_has_a_curve_and_a_local_one_a_band() -> None:
    assert panel(IMAGE, "gamma(0.5)").drawing.count("<polyline") == 1
    assert panel(IMAGE, "clahe").drawing.count("<polygon") == 3  # two histograms and the band


@pytest.mark.parametrize("spec", ["none", "equalize", "clahe", "unsharp"])
def test_odd_images_have_panels(spec: str) -> None:
    nothing = Image(np.zeros((5, 5), np.float32), (0.0, 1.0), valid=np.zeros((5, 5), bool))
    colour = Image(np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8), (0, 255), photometric="RGB")
    for image in (nothing, colour, Image(np.zeros((1, 1), np.int16), (-5, 5))):
        assert "<img" in panel(image, spec).picture


def test_advice_is_called_advice() -> None:
    dark = Image((IMAGE.pixels // 10).astype(np.uint8), (0, 255))
    text = page("x", [[panel(dark, "none")]])
    assert "Advice, not a choice" in text
    assert "Low contrast" in text


def test_the_korean_page_is_korean() -> None:
    dark = Image((IMAGE.pixels // 10).astype(np.uint8), (0, 255))
    panels = [panel(dark, spec, language="ko") for spec in ("none", "gamma(0.5)", "clahe(clip=2)", "gamma")]
    say = words("ko")
    note = say("sheet.note", images=1, method="<1>", shown=1)
    found = Said(page(say("sheet.pairs"), [panels], note=note, language="ko"))
    text = "\n".join(found.said)
    assert found.language == "ko"
    assert set(re.findall("[A-Za-z]+", text)) == {"AMBE", "EME", "PSNR", "SSIM", "dB"}
    for word in ("적용 전", "낮은 대비", "변화 없음", "대비 향상 지수", "의료기기가 아닙니다", "변환 함수"):
        assert word in text


def test_advice_that_nobody_has_translated_is_marked_as_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words("ko"), "sentences", [])
    dark = Image((IMAGE.pixels // 10).astype(np.uint8), (0, 255))
    assert '<span lang="en">Low contrast' in "".join(panel(dark, "none", language="ko").advice)


def test_an_english_page_says_so() -> None:
    assert Said(page("x", [[panel(IMAGE, "none")]])).language == "en"


@pytest.mark.parametrize("width", [320, 420, 1280])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_page_fits_any_width(browser: Any, tmp_path: Path, width: int, language: str) -> None:
    wide = Image(np.random.default_rng(0).integers(0, 40, (300, 900)).astype(np.uint8), (0, 255))
    specs = ("none", "percentile(1, 99) | local(equalize, tiles=8, clip=2)", "gamma")
    panels = [panel(wide, spec, title="a_name_without_a_space" * 5, language=language) for spec in specs]
    (tmp_path / "page.html").write_text(page("x", [panels], note="note" * 50, language=language), encoding="utf-8")
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    right = "e => Math.max(...e.map(x => x.getBoundingClientRect().right))"
    assert opened.eval_on_selector_all(".card, .card *", right) <= width


def test_histograms_touch_and_bars_have_gaps() -> None:
    def spans(drawing: str) -> list[tuple[float, float]]:
        rects = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
        return [(float(x), float(x) + float(w)) for x, w in rects]

    bars = spans(histogram_chart(Histogram.of_values([1, 1, 2, 3, 3, 3], width=1), "counts"))
    assert len(bars) == 3
    assert all(abs(a[1] - b[0]) < 0.02 for a, b in pairwise(bars))
    bars = spans(bar_chart([("PA", 3), ("AP", 1), ("LAT", 1)], "views"))
    assert len(bars) == 3
    assert all(b[0] - a[1] > 5 for a, b in pairwise(bars))


def test_a_bar_that_flattens_all_others_is_cut_and_named() -> None:
    counts = np.full(256, 100)
    counts[0] = 1_000_000
    drawing = histogram_chart(Histogram(counts, np.arange(257) - 0.5, resolution=1.0), "grey")
    ElementTree.fromstring(drawing)
    assert "1,000,000, cut off" in drawing


def test_measures_of_an_image_that_is_nowhere_are_dashes() -> None:
    nowhere = Image(IMAGE.pixels, (0, 255), np.zeros(IMAGE.shape, bool))
    text = page("x", [[panel(nowhere, "none"), panel(nowhere, "gamma(0.5)")]])
    assert "newly black / white<td>– / –" in text
    assert "nan%" not in text
