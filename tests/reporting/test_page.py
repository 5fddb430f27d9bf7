"""The whole page: every section in both languages, whatever is missing, nothing from the network, nothing unescaped."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from made_run import write

from evenray.core.errors import DataError, UsageError
from evenray.reporting import audit_page, compare_page
from evenray.reporting.page import SECTIONS, share

VOID = {"meta", "link", "img", "br", "wbr", "input"}
ARTEFACTS = [
    "recipe.json",
    "plan.json",
    "provenance.json",
    "dataset.json",
    "cases.parquet",
    "rejected.csv",
    "findings.parquet",
    "split.parquet",
    "grid.parquet",
    "history.csv",
    "predictions.parquet",
    "scores.json",
    "attributions",
    "attributions/index.json",
    "attributions/0_map.png",
    "contrast",
    "contrast/0_before.png",
]


class Page(HTMLParser):
    """Collects what tests ask about; `problems` are tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []
        self.ids: Counter[str] = Counter()
        self.targets: set[str] = set()
        self.sources: set[str] = set()
        self.images: list[dict[str, str | None]] = []
        self.headless: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if found.get("id"):
            self.ids[str(found["id"])] += 1
        if tag == "a" and str(found.get("href")).startswith("#"):
            self.targets.add(str(found["href"])[1:])
        if tag == "img":
            self.images.append(found)
        if tag == "th" and "scope" not in found:
            self.headless.append(str(self.getpos()))
        self.sources |= {str(found[name]) for name in ("src", "href", "action", "srcset") if found.get(name)}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


@pytest.fixture(params=["page_two", "page_three"])
def drawn(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_the_page_is_well_formed_and_reachable_by_everybody(drawn: Path) -> None:
    page = Page(drawn.read_text(encoding="utf-8"))
    assert page.problems == []
    assert page.open == []
    assert [name for name, n in page.ids.items() if n > 1] == []
    assert page.targets <= set(page.ids)
    assert all(image.get("alt") for image in page.images)
    assert page.headless == []  # every table header says whether it heads a row or a column


def test_the_page_asks_nobody_for_anything(drawn: Path) -> None:
    html = drawn.read_text(encoding="utf-8")
    assert [s for s in Page(html).sources if not s.startswith(("data:", "#"))] == []
    assert not re.search(r"url\((?!data:|#|[\"']?#)|@import|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", html)
    assert "default-src 'none'" in html


def test_the_page_is_light(drawn: Path) -> None:
    assert drawn.stat().st_size < 2_000_000


def test_every_section_is_there_in_order(drawn: Path) -> None:
    found = re.findall(r'<section id="(\w+)"', drawn.read_text(encoding="utf-8"))
    assert found == list(SECTIONS)


def test_no_text_was_forgotten(drawn: Path) -> None:
    text = Page(drawn.read_text(encoding="utf-8")).text
    assert not re.search(r"\bNone\b|\bnan\b|\{\w+\}|Undefined", text)


def test_the_same_run_gives_the_same_bytes(two: Path, page_two: Path) -> None:
    before = page_two.read_bytes()
    assert write(two).read_bytes() == before


@pytest.mark.parametrize("missing", ARTEFACTS)
def test_any_artefact_may_be_missing(copy_of_two: Path, missing: str) -> None:
    path = copy_of_two / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    html = write(copy_of_two, language="ko").read_text(encoding="utf-8")
    assert Page(html).problems == []
    assert re.findall(r'<section id="(\w+)"', html) == list(SECTIONS)


def test_a_run_stopped_after_the_audit_says_what_comes_next(copy_of_two: Path) -> None:
    for name in ("split.parquet", "grid.parquet", "history.csv", "predictions.parquet", "scores.json"):
        (copy_of_two / name).unlink()
    for name in ("attributions", "contrast"):
        shutil.rmtree(copy_of_two / name)
    html = write(copy_of_two).read_text(encoding="utf-8")
    assert "Nothing has been evaluated yet." in html
    verbs = set(re.findall(r"<code>evenray (\w+) RUN</code>", html))
    assert verbs == {"explain", "compare", "train", "evaluate"}
    assert "Test images that are also in another part" in html


@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_empty_folder_gives_a_page(tmp_path: Path, language: str) -> None:
    html = write(tmp_path, language=language).read_text(encoding="utf-8")
    assert (
        html.count('class="pending"') == len(SECTIONS) - 3
    )  # the verdict, the limits and the checklists can always be told


def test_no_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        write(tmp_path / "nowhere")


def test_a_wrong_language_leaves_an_old_report_alone(copy_of_two: Path) -> None:
    before = write(copy_of_two).read_bytes()
    with pytest.raises(UsageError):
        write(copy_of_two, language="fr")
    assert (copy_of_two / "report.html").read_bytes() == before


HOSTILE = "</script><script>alert('x')</script><img src=https://x.test/a.png onerror=alert(1)>{{ 7*7 }}"


def test_nothing_that_comes_from_the_data_is_taken_for_html(copy_of_two: Path) -> None:
    for name in (
        "dataset.json",
        "scores.json",
        "recipe.json",
        "plan.json",
        "attributions/index.json",
        "contrast/index.json",
    ):
        path = copy_of_two / name
        text = (
            path.read_text(encoding="utf-8")
            .replace('"sick"', json.dumps(HOSTILE))
            .replace('"archive/"', json.dumps(HOSTILE))
        )
        path.write_text(text.replace('"plan.asked"', json.dumps(HOSTILE)), encoding="utf-8")
    for name in ("cases.parquet", "predictions.parquet"):
        table = pl.read_parquet(copy_of_two / name)
        hostile = pl.when(pl.col("label") == "sick").then(pl.lit(HOSTILE)).otherwise("label").alias("label")
        table.with_columns(hostile, case=pl.col("case") + HOSTILE).write_parquet(copy_of_two / name)
    findings = pl.read_parquet(copy_of_two / "findings.parquet")
    evidence = pl.lit(json.dumps({HOSTILE: HOSTILE, "majority": HOSTILE, "majority_accuracy": 0.9}))
    findings.with_columns(evidence=evidence).write_parquet(copy_of_two / "findings.parquet")
    (copy_of_two / "rejected.csv").write_text(f'file,reason\n"{HOSTILE}","{HOSTILE}"\n', encoding="utf-8")
    html = write(copy_of_two).read_text(encoding="utf-8")
    page = Page(html)
    assert page.problems == []
    assert "<script>alert" not in html
    assert "<img src=https" not in html
    assert [s for s in page.sources if not s.startswith(("data:", "#"))] == []
    embedded = re.search(r'<script type="application/json" id="operating">(.*?)</script>', html, re.DOTALL)
    assert embedded is not None
    assert json.loads(embedded[1])["tables"][0]["name"] == HOSTILE


def test_the_audit_page_stands_alone(copy_of_two: Path) -> None:
    for name in ("recipe.json", "scores.json", "predictions.parquet", "grid.parquet", "split.parquet"):
        (copy_of_two / name).unlink()
    path = audit_page(copy_of_two, language="ko")
    page = Page(path.read_text(encoding="utf-8"))
    assert path.name == "audit.html"
    assert "과다 노출 영상" in page.text
    assert page.targets <= set(page.ids)
    assert sum("data:image/png" in str(image["src"]) for image in page.images) > 16


def test_the_comparison_page_stands_alone(two: Path, tmp_path: Path) -> None:
    shutil.copy(two / "grid.parquet", tmp_path)
    path = compare_page(tmp_path)
    page = Page(path.read_text(encoding="utf-8"))
    assert path.name == "compare.html"
    assert page.problems == []
    assert "clahe(clip=2) with oversample" in page.text


def test_share_stays_within_the_strip() -> None:
    assert share(-5.0, (-1.0, 1.0)) == "0.00"
    assert share(0.0, (-1.0, 1.0)) == "50.00"
