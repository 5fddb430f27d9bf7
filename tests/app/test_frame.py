"""The frame of every page: navigation, languages, themes, accessibility, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from evenray.app.pages import PAGES, path_of
from evenray.core.texts import Texts


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("width", "dark", "lang"), [(1280, False, "en"), (390, True, "ko")])
def test_every_page_opens_and_is_accessible(
    visit: Callable[..., Any], address: str, page: str, width: int, dark: bool, lang: str
) -> None:
    seen = visit(address, width, dark)
    opened = seen.go(f"{path_of(page)}?lang={lang}")
    opened.wait_for_load_state("networkidle")
    assert opened.inner_text("nav [aria-current]") == Texts(lang)(f"app.frame.{page}")
    assert opened.locator("nav a").count() == len(PAGES)
    assert seen.breaches() == []
    seen.well()


def test_the_language_is_kept_and_the_theme_too(visit: Callable[..., Any], address: str) -> None:
    page = visit(address).go("/runs")
    page.click(".language")
    assert page.get_attribute("html", "lang") == "ko"
    page.goto(f"{address}/runs")
    assert page.get_attribute("html", "lang") == "ko"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_browser_that_speaks_korean_is_answered_in_korean(address: str) -> None:
    assert 'lang="ko"' in httpx.get(f"{address}/runs", headers={"accept-language": "ko-KR,ko;q=0.9"}).text
