"""What values look like in a notebook: self-contained, escaped, with the numbers; and their few lines of text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import polars as pl
import pytest

import evenray as er
from evenray.core import display
from evenray.core.artefacts.choice import Choice
from evenray.core.artefacts.plan import ASKED
from evenray.core.findings import Finding
from evenray.core.types import Curve, Dataset, Estimate, Image, Scores
from evenray.images.histogram import Histogram
from evenray.reporting.notebook import findings_html, run_html

RNG = np.random.default_rng(0)
VOID = {"img", "br"}


class Html(HTMLParser):
    """Tags that are open at the end or closed out of order, the pictures, and the text."""

    def __init__(self, html: str | None) -> None:
        super().__init__()
        assert html is not None
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == []
        assert "<script" not in html
        assert all(source.startswith("data:image/") for source in self.pictures)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs)["src"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"

    def drawing(self, place: int = 0) -> str:
        """A picture that is SVG, as text."""
        return base64.b64decode(self.pictures[place].removeprefix("data:image/svg+xml;base64,")).decode()


@pytest.fixture
def dataset() -> Dataset:
    cases = pl.DataFrame(
        {
            "case": [f"{i}" for i in range(90)], "label": ["<b>well</b>"] * 80 + ["sick"] * 10,
            "part": ["train"] * 60 + ["test"] * 30, "sketch": range(90),
        }
    )  # fmt: skip
    thumbnails = np.repeat(np.arange(90, dtype=np.uint8), 32 * 32).reshape(90, 32, 32)
    return Dataset(cases, ("<b>well</b>", "sick"), "sick", "scans", sketches={"thumbnail": thumbnails})


def test_an_image_is_at_most_512_pixels_wide_and_tells_its_range_and_missing_pixels() -> None:
    valid = np.ones((300, 2000), bool)
    valid[:, :500] = False
    image = Image(RNG.integers(0, 4096, (300, 2000)).astype(np.uint16), (0, 4095), valid)
    found = Html(image._repr_html_())
    assert "300 x 2000, uint16, value range 0 to 4095, missing pixels 150,000" in found.text
    raw = np.frombuffer(base64.b64decode(found.pictures[0].partition(",")[2]), np.uint8)
    picture = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (77, 512, 4)
    assert (picture[:, :120, 3] == 0).all()
    assert (picture[:, 140:, 3] == 255).all()


def test_a_histogram_and_a_curve_are_drawn() -> None:
    histogram = Histogram.of(Image(RNG.integers(0, 256, (50, 50)).astype(np.uint8), (0, 255)))
    found = Html(histogram._repr_html_())
    assert f"mean {histogram.mean:.4g}" in found.text
    assert 'mark area"' in found.drawing()
    curve = Curve(np.linspace(1, 0, 256))
    assert repr(curve) == "Curve(256 levels: 0 -> 1, 128 -> 0.498, 255 -> 0)"
    assert 'mark line"' in Html(curve._repr_html_()).drawing()
    empty = Histogram(np.zeros(4, np.int64), np.arange(5.0))
    assert "0 values" in Html(empty._repr_html_()).text


def test_a_data_set_shows_its_counts_and_thumbnails_of_every_class(dataset: Dataset) -> None:
    found = Html(dataset._repr_html_())
    assert len(found.pictures) == 1 + 22  # the bar chart; twelve of the common class, all ten of the rare one
    assert "test, sick: 10" in found.drawing()
    assert re.search(r"train\s+60\s+0\s+", found.text)
    assert "&lt;b&gt;well" in str(dataset._repr_html_())
    assert repr(dataset).splitlines() == [
        "Dataset of 90 cases in 'scans'",
        "  classes    <b>well</b> 80, sick 10 (positive: sick)",
        "  parts      train 60, test 30",
        "  set aside  0 files",
    ]


def test_a_data_set_without_sketches_or_labels_is_shown_too(dataset: Dataset) -> None:
    bare = Dataset(dataset.cases.drop("part", "sketch"), dataset.classes, "sick", "scans")
    assert len(Html(bare._repr_html_()).pictures) == 1
    unlabelled = Dataset(dataset.cases.with_columns(label=pl.lit(None, pl.String)), (), "", "scans")
    assert "the images have no labels" in Html(unlabelled._repr_html_()).text


def test_scores_findings_and_a_run_are_tables() -> None:
    estimates = {"auroc": Estimate(0.912, 0.87, 0.95, 0.5), "ppv": Estimate(np.nan, np.nan, np.nan, np.nan)}
    scores = Scores(estimates, 0.5, np.array([[3, 1], [0, 2]]), ("well", "sick"), "sick", 6, 5)
    assert repr(scores).splitlines()[1] == "auroc: 0.912 (0.870 to 0.950; baseline: 0.500)"
    found = Html(scores._repr_html_())
    assert re.search(r"AUROC\s+0.912\s+0.870 to 0.950\s+0.500", found.text)
    run = SimpleNamespace(
        path=Path("scans-run"),
        choice=Choice(contrast="clahe", balance="none", why=ASKED.as_json()),
        scores={"test": scores},
    )
    text = Html(run_html(run)).text
    assert "scans-run" in text
    assert re.search(r"contrast\s+clahe", text)
    findings = [
        Finding("theirs <here>", "info"), Finding("leakage_duplicates", "error", ("x", "y"), (("x", "y"),)),
    ]  # fmt: skip
    text = Html(findings_html(findings)).text
    assert text.index("Test images that are also in another part") < text.index("finding.theirs <here>.title")
    assert "no findings" in Html(findings_html([])).text


def test_a_type_without_a_renderer_falls_back_to_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "RENDERERS", {})
    assert er.Curve(np.array([0.0, 1.0]))._repr_html_() is None
