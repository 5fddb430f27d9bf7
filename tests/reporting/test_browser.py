"""In a real browser: the slider's numbers are those of the metrics, nothing leaves, nothing overflows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_run import write

from evenray.core.types import Predictions
from evenray.metrics import confusion
from evenray.reporting.view import RunView

PATIENCE = 180_000  # milliseconds; a busy machine opens a browser slowly


class Visit:
    """A page that is open; `asked` are the requests that it made, `complaints` what its console said."""

    def __init__(self, browser: Any, path: Path, width: int = 1280) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def number(self, name: str) -> float:
        return float(self.page.inner_text(f"#{name}").replace(",", ""))

    def move(self, row: int) -> None:
        self.page.eval_on_selector(
            "#slider", "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", str(row)
        )


def thresholds(visit: Visit, table: int = 0) -> list[float]:
    embedded = json.loads(visit.page.eval_on_selector("#operating", "e => e.textContent"))
    found: list[float] = embedded["tables"][table]["thresholds"]
    return found


def test_moving_the_slider_gives_the_numbers_of_the_metrics(browser: Any, two: Path, page_two: Path) -> None:
    visit = Visit(browser, page_two)
    predictions = RunView(two).predictions
    assert predictions is not None
    test = predictions.part("test")
    steps = thresholds(visit)
    for row in np.linspace(0, len(steps) - 1, 9).round().astype(int).tolist():
        visit.move(row)
        [[tn, fp], [fn, tp]] = confusion(test, steps[row])
        assert [visit.number(name) for name in ("tp", "fn", "fp", "tn")] == [tp, fn, fp, tn]
        assert visit.number("sensitivity") == pytest.approx(tp / (tp + fn), abs=5.1e-4)
        assert visit.number("specificity") == pytest.approx(tn / (tn + fp), abs=5.1e-4)
        if tp + fp:
            assert visit.number("ppv") == pytest.approx(tp / (tp + fp), abs=5.1e-4)
        else:
            assert visit.page.inner_text("#ppv") == "–"
        if tn + fn:
            assert visit.number("npv") == pytest.approx(tn / (tn + fn), abs=5.1e-4)


def test_the_page_begins_and_ends_at_the_chosen_threshold(browser: Any, two: Path, page_two: Path) -> None:
    visit = Visit(browser, page_two)
    test = RunView(two).test
    assert test is not None
    [[tn, fp], [fn, tp]] = test.confusion
    expected = [tp, fn, fp, tn]
    assert [visit.number(name) for name in ("tp", "fn", "fp", "tn")] == expected
    for name in ("sensitivity", "specificity", "ppv", "npv"):
        assert visit.number(name) == pytest.approx(test.metrics[name].value, abs=5.1e-4)
    visit.page.focus("#slider")
    for _ in range(5):
        visit.page.keyboard.press("ArrowRight")
    assert [visit.number(name) for name in ("tp", "fn", "fp", "tn")] != expected
    visit.page.click("#reset")
    assert [visit.number(name) for name in ("tp", "fn", "fp", "tn")] == expected


def test_another_prevalence_gives_other_predictive_values(browser: Any, page_two: Path) -> None:
    visit = Visit(browser, page_two)
    tp, fn, fp, tn = (visit.number(name) for name in ("tp", "fn", "fp", "tn"))
    found, cleared = tp / (tp + fn), tn / (tn + fp)
    assert visit.number("ppv-there") == pytest.approx(tp / (tp + fp), abs=2e-3)  # the box begins at the test part's
    for share in (0.2, 0.01):
        visit.page.fill("#prevalence", str(100 * share))
        ppv = share * found / (share * found + (1 - share) * (1 - cleared))
        npv = (1 - share) * cleared / ((1 - share) * cleared + share * (1 - found))
        assert visit.number("ppv-there") == pytest.approx(ppv, abs=5.1e-4)
        assert visit.number("npv-there") == pytest.approx(npv, abs=5.1e-4)
    assert "Of 10,000 people, 100 are ‘sick’" in visit.page.inner_text("#people")
    visit.page.fill("#prevalence", "0")
    assert visit.page.inner_text("#ppv-there") == "–"
    visit.page.click("#rare")
    assert float(visit.page.input_value("#prevalence")) == pytest.approx(100 / 501, rel=5e-3)


def test_the_dot_follows_on_the_curves(browser: Any, page_two: Path) -> None:
    visit = Visit(browser, page_two)
    place = "e => e.getAttribute('transform').match(/[-.\\d]+/g).map(Number)"
    visit.move(0)
    assert visit.page.eval_on_selector(".movingroc > *", place) == [0, 270]
    visit.move(len(thresholds(visit)) - 1)
    assert visit.page.eval_on_selector(".movingroc > *", place) == [330, 0]
    assert visit.page.eval_on_selector(".movinglast > *", place)[0] < 165  # a low threshold stands on the left


def test_at_a_prevalence_the_dot_begins_in_the_ring_and_the_box_at_that_prevalence(browser: Any, rare: Path) -> None:
    visit = Visit(browser, write(rare))
    place = "e => e.getAttribute('transform').match(/[-.\\d]+/g).map(Number)"
    test = RunView(rare).test
    assert test is not None
    found = test.metrics
    at = [330 * found["sensitivity"].value, 270 * (1 - found["ppv"].value)]
    assert visit.page.eval_on_selector(".movingpr > *", place) == pytest.approx(at, abs=0.1)
    assert visit.number("ppv-there") == pytest.approx(found["ppv"].value, abs=5.1e-4)


def test_each_of_many_classes_has_its_slider(browser: Any, three: Path, page_three: Path) -> None:
    visit = Visit(browser, page_three)
    run = RunView(three)
    assert run.predictions is not None
    test = run.predictions.part("test")
    for k, name in enumerate(run.classes):
        visit.page.select_option("#class", str(k))
        assert visit.page.inner_text("#confusion .positive-name") == name
        row = len(thresholds(visit, k)) // 3
        visit.move(row)
        against = _one_against_the_rest(test, k)
        [[tn, fp], [fn, tp]] = confusion(against, thresholds(visit, k)[row])
        assert [visit.number(cell) for cell in ("tp", "fn", "fp", "tn")] == [tp, fn, fp, tn]


def _one_against_the_rest(test: Predictions, k: int) -> Predictions:
    p = test.probabilities[:, k]
    table = test.table.with_columns(target=(test.targets == k).astype(np.int64), p_0=1 - p, p_1=p)
    return Predictions(table, ("rest", "it"), "it")


@pytest.mark.parametrize("drawn", ["page_two", "page_three"])
def test_nothing_leaves_and_nothing_overflows(browser: Any, drawn: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(drawn)
    visit = Visit(browser, path)
    for width in (390, 768, 1600):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        visit.page.wait_for_timeout(100)
        assert [url for url in visit.asked if not url.startswith("data:")] == [path.as_uri()]
        assert visit.complaints == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_heat_can_be_turned_down(browser: Any, page_two: Path) -> None:
    visit = Visit(browser, page_two)
    opacity = "e => getComputedStyle(e).opacity"
    assert visit.page.eval_on_selector(".heat-map", opacity) == "0.55"
    visit.page.fill("#opacity", "0")
    assert visit.page.eval_on_selector(".heat-map", opacity) == "0"


def test_the_page_is_whole_without_scripts(browser: Any, two: Path, page_two: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_two.as_uri(), timeout=PATIENCE)
    test = RunView(two).test
    assert test is not None
    [[_, _], [_, caught]] = test.confusion
    assert page.inner_text("#tp") == str(caught)
