from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from evenray.core.spec import parse
from evenray.core.texts import Texts
from evenray.core.types import Image
from evenray.images.contrast import contrasts, enhance
from evenray.reporting.sheet import gallery, panel, sheet

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
        if self.inside not in ("style", "code", "script"):
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
    panels = [panel(IMAGE, "none", title="a&b.png"), panel(IMAGE, "gamma(0.5)"), panel(IMAGE, "clahe")]
    text = sheet("pairs", [panels], "Sheet <1>")
    found = Tags(text)
    assert found.tags.count("img") == 3
    assert all(value.startswith(("data:", "#")) for value in found.refers)
    assert "http" not in text.replace("http-equiv", "")
    assert "Sheet &lt;1&gt;" in text
    assert "a&amp;b.png" in text
    for word in (
        "entropy", "contrast improvement index", "EME", "AMBE", "PSNR", "SSIM", "newly black", "medical device",
    ):  # fmt: skip
        assert word in text
    for drawing in re.findall(r"<svg.*?</svg>", text):
        ElementTree.fromstring(drawing)


def test_a_global_method_has_a_curve_and_a_local_one_a_band() -> None:
    one, local = panel(IMAGE, "gamma(0.5)"), panel(IMAGE, "clahe")
    assert one.band is None
    assert local.curve is None
    np.testing.assert_allclose(one.curve, np.linspace(0, 1, 256) ** 0.5, atol=0.01)  # type: ignore[arg-type]
    assert (local.band[0] <= local.band[2])[~np.isnan(local.band[0])].all()  # type: ignore[index]
    text = sheet("pairs", [[one, local]], "x")
    assert text.count('mark area"') == 5  # two pairs of histograms and the band
    saved = [re.findall(f'data-save="{kind}" data-name="(.*?)"', text) for kind in ("svg", "png")]
    saved.append(re.findall('download="(.*?).csv"', text))
    assert saved == [["gamma-histogram", "gamma-transfer-curve", "clahe-histogram", "clahe-transfer-curve"]] * 3


@pytest.mark.parametrize("spec", ["none", "equalize", "clahe", "unsharp"])
def test_odd_images_have_panels(spec: str) -> None:
    nothing = Image(np.zeros((5, 5), np.float32), (0.0, 1.0), valid=np.zeros((5, 5), bool))
    colour = Image(np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8), (0, 255), photometric="RGB")
    for image in (nothing, colour, Image(np.zeros((1, 1), np.int16), (-5, 5))):
        assert panel(image, spec).picture.startswith("data:image/png")
        sheet("pairs", [[panel(image, spec)]], "odd")


def test_advice_is_called_advice() -> None:
    dark = Image((IMAGE.pixels // 10).astype(np.uint8), (0, 255))
    text = sheet("pairs", [[panel(dark, "none")]], "x")
    assert "Advice only; compare methods" in text
    assert "Low contrast" in text


def test_the_korean_page_is_korean() -> None:
    dark = Image((IMAGE.pixels // 10).astype(np.uint8), (0, 255))
    panels = [panel(dark, spec) for spec in ("none", "gamma(0.5)", "clahe(clip=2)", "gamma")]
    note = Texts("ko")("sheet.note", images=1, method="<1>", shown=1)
    found = Said(sheet("pairs", [panels], "1", note=note, language="ko"))
    text = "\n".join(found.said)
    assert found.language == "ko"
    assert set(re.findall("[A-Za-z]+", text)) == {
        "AMBE",
        "EME",
        "PSNR",
        "SSIM",
        "CSV",
        "PNG",
        "SVG",
        "dB",
        "evenray",
        "gamma",
        "clahe",
        "clip",
    }
    for word in ("적용 전", "낮은 대비", "변화 없음", "대비 향상 지수", "의료기기가 아닙니다", "변환 함수"):
        assert word in text


def test_an_english_page_says_so() -> None:
    assert Said(sheet("pairs", [[panel(IMAGE, "none")]], "x")).language == "en"


@pytest.mark.parametrize("width", [320, 420, 1280])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_page_fits_any_width(browser: Any, tmp_path: Path, width: int, language: str) -> None:
    wide = Image(np.random.default_rng(0).integers(0, 40, (300, 900)).astype(np.uint8), (0, 255))
    specs = ("none", "percentile(1, 99) | local(equalize, tiles=8, clip=2)", "gamma")
    panels = [panel(wide, spec, title="a_name_without_a_space" * 5) for spec in specs]
    text = sheet("gallery", [panels], "x" * 90, note="note" * 50, language=language)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    right = "e => Math.max(...e.map(x => x.getBoundingClientRect().right))"
    assert opened.eval_on_selector_all(".panel, .panel *", right) <= width


def test_measures_of_an_image_that_is_nowhere_are_dashes() -> None:
    nowhere = Image(IMAGE.pixels, (0, 255), np.zeros(IMAGE.shape, bool))
    text = sheet("pairs", [[panel(nowhere, "none"), panel(nowhere, "gamma(0.5)")]], "x")
    assert re.search(r"newly black / white</th><td[^>]*>– / –", text)
    assert "nan%" not in text
