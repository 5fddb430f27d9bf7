"""In a real browser: what axe finds, on paper, on a phone, and figures and texts that are taken away."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from made_run import write

from evenray.core.run import Run
from evenray.metrics import decision_curve
from evenray.reporting import report_page
from evenray.reporting.view import RunView

PATIENCE = 180_000  # milliseconds; a busy machine opens a browser slowly
PAPER = 680  # CSS pixels between the margins of A4


def opened(browser: Any, path: Path, **context: Any) -> Any:
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(("page", "scheme"), [("page_two", "light"), ("page_three", "dark")])
def test_axe_finds_nothing(browser: Any, page: str, scheme: str, request: pytest.FixtureRequest) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = opened(browser, request.getfixturevalue(page), color_scheme=scheme, viewport={"width": 900, "height": 900})
    found = axe.run(shown).response["violations"]
    assert [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_axe_bites(browser: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = tmp_path / "worse.html"
    path.write_text('<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"></main></html>')
    assert "image-alt" in {each["id"] for each in axe.run(opened(browser, path)).response["violations"]}


def test_a_phone_needs_no_sideways_scrolling(browser: Any, page_two: Path, page_three: Path) -> None:
    for path in (page_two, page_three):
        page = opened(browser, path, viewport={"width": 360, "height": 780})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


OUTSIDE = """() => [...document.querySelectorAll("svg.drawing")].filter((svg) => {
  const box = svg.getBBox(), view = svg.viewBox.baseVal;
  return box.x < -4 || box.y < -4 || box.x + box.width > view.width + 4 || box.y + box.height > view.height + 4;
}).map((svg) => svg.getAttribute("aria-label"))"""
TORN = """() => [...document.querySelectorAll("figure, .cards li, tr")].filter((each) =>
  getComputedStyle(each).breakInside !== "avoid" || each.getBoundingClientRect().height > 960
).map((each) => each.outerHTML.slice(0, 80))"""


def test_on_paper_no_figure_is_cut(browser: Any, page_two: Path, page_three: Path, tmp_path: Path) -> None:
    for path in (page_two, page_three):
        page = opened(browser, path, viewport={"width": PAPER, "height": 900})
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
        assert page.evaluate(OUTSIDE) == []  # nothing is painted beyond its figure
        assert page.evaluate(TORN) == []  # each fits a page and is not divided
        assert not page.is_visible(".saves")
        page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert (tmp_path / "page.pdf").stat().st_size < 6_000_000


def taken(page: Any, selector: str) -> tuple[str, bytes]:
    with page.expect_download() as found:
        page.click(selector)
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def test_a_figure_is_saved_as_svg_png_and_csv(browser: Any, two: Path, page_two: Path) -> None:
    page = opened(browser, page_two)
    name, text = taken(page, "#ranking figure:first-of-type [data-save=svg]")
    root = ElementTree.fromstring(text)
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    assert name == "roc-curve.svg"
    assert "ROC curve" in [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert b"var(--" not in text
    name, png = taken(page, "#ranking figure:first-of-type [data-save=png]")
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert name == "roc-curve.png"
    assert pixels is not None
    assert pixels.shape[:2] == pytest.approx((3 * height, 3 * width), abs=1)
    assert (pixels[:, :, 0].astype(int) - pixels[:, :, 2] > 60).any()  # the blue curve is there
    name, table = taken(page, "#practice figure:first-of-type a[download]")
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    results = RunView(two).results
    assert results is not None
    curve = results.decision_curve
    assert name.endswith(".csv")
    assert [float(row["net_benefit"]) for row in rows] == pytest.approx(curve["net_benefit"][: len(rows)], rel=1e-4)
    asked = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == []


def test_every_chart_can_be_saved(page_two: Path) -> None:
    html = page_two.read_text(encoding="utf-8")
    charts = html.count('class="figure-title"')
    assert charts > 10
    assert html.count('data-save="svg"') == html.count('data-save="png"') == html.count("data:text/csv") == charts


def test_net_benefit_is_that_of_the_decision_curve(browser: Any, two: Path, page_two: Path) -> None:
    page, run = opened(browser, page_two), RunView(two)
    assert run.predictions is not None
    assert run.results is not None
    assert run.results.threshold is not None
    test, at = run.predictions.part("test"), [run.results.threshold]

    def told(name: str) -> float:
        return float(page.inner_text(f"#{name}").replace("−", "-"))

    [here] = decision_curve(test, at, resamples=0).iter_rows(named=True)
    assert told("net_benefit") == pytest.approx(here["net_benefit"], abs=5.1e-4)
    assert told("treat_all") == pytest.approx(here["treat_all"], abs=5.1e-4)
    page.fill("#prevalence", "1")
    [rare] = decision_curve(test, at, prevalence=0.01, resamples=0).iter_rows(named=True)
    assert told("net_benefit-there") == pytest.approx(rare["net_benefit"], abs=5.1e-4)
    assert told("treat_all-there") == pytest.approx(rare["treat_all"], abs=5.1e-4)
    assert told("net_benefit") == pytest.approx(here["net_benefit"], abs=5.1e-4)  # the test part stays as it is


def test_the_prevalence_moves_by_keyboard(browser: Any, page_two: Path) -> None:
    page = opened(browser, page_two)
    before, ppv = float(page.input_value("#prevalence")), page.inner_text("#ppv-there")
    page.focus("#share")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    after = float(page.input_value("#prevalence"))
    odds = [share / (100 - share) for share in (before, after)]
    assert np.log(odds[0] / odds[1]) == pytest.approx(0.5, abs=0.03)
    assert float(page.inner_text("#ppv-there")) < float(ppv)


def test_without_a_script_the_figures_at_the_threshold_stand_there(browser: Any, two: Path, page_two: Path) -> None:
    page = opened(browser, page_two, java_script_enabled=False)
    scripted = opened(browser, page_two)
    for name in ("sensitivity", "specificity", "ppv", "npv", "net_benefit", "treat_all"):
        for end in ("", "-there"):
            assert page.inner_text(f"#{name}{end}") == scripted.inner_text(f"#{name}{end}")
    assert page.inner_text("#ppv-interval") == scripted.inner_text("#ppv-interval")
    assert page.inner_text("#people") == scripted.inner_text("#people")
    assert not page.is_visible("#slider")
    assert not page.is_visible("[data-save=svg]")
    assert page.is_visible("#ranking a[download]")


def test_the_methods_are_copied(browser: Any, finished_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_page(Run(finished_run)), encoding="utf-8")
    page = opened(browser, path, permissions=["clipboard-read", "clipboard-write"])
    page.click("[data-copy=methods-ko]")
    page.wait_for_selector(".copy [role=status]:not(:empty)", state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#methods-ko")


def test_the_report_is_light(two: Path) -> None:
    assert write(two).stat().st_size < 2_000_000
