"""What the drawings say: bars with gaps for categories, touching bars for quantities, colours that the page can turn."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import polars as pl
import pytest

from evenray.images.histogram import Histogram
from evenray.reporting.figures.bars import MOST, bars, counted
from evenray.reporting.figures.calibration import calibration
from evenray.reporting.figures.histogram import frequency, pixels, quantity
from evenray.reporting.figures.learning import PANELS, learning
from evenray.reporting.figures.ranking import Point, precision_recall, roc
from evenray.reporting.figures.spread import log_odds, spread
from evenray.reporting.figures.svg import ACCENT, FAINT, GREY, Svg, class_colours
from evenray.reporting.figures.transfer import transfer
from evenray.reporting.language import Language

EN, KO = Language("en"), Language("ko")
COLOURS = class_colours(("healthy", "sick"), "sick")


def labels(figure: Svg) -> list[str]:
    """The texts of all marks, after checking that the SVG is well formed and asks for nothing."""
    root = ElementTree.fromstring(figure.inline())
    assert "http" not in figure.inline()
    return [text for element in root.iter() if (text := element.get("aria-label") or element.get("data-tip"))]


def boxes(figure: Svg) -> list[tuple[float, float, float]]:
    """Top, width and height of each bar."""
    found = re.findall(r'<rect x="0" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', figure.body)
    return [(float(y), float(width), float(height)) for y, width, height in found]


def drawn(table: pl.DataFrame, title: str = "Site") -> Svg:
    counts = counted(table, "site", list(COLOURS), lambda n: f"{n} others")
    return bars(counts, COLOURS, title)


def test_bars_of_categories_stand_apart_and_carry_their_counts() -> None:
    table = pl.DataFrame({"site": ["Alder"] * 3 + ["Birch"], "label": ["healthy", "healthy", "sick", "sick"]})
    figure = drawn(table)
    assert {"Alder, healthy: 2", "Alder, sick: 1", "Birch, healthy: 0", "Birch, sick: 1"} <= set(labels(figure))
    widths = [width for _, width, _ in boxes(figure)]
    assert widths == [2 * widths[1], widths[1], 0, widths[1]]
    tops = sorted((y, h) for y, _, h in boxes(figure))
    gaps = [after[0] - (before[0] + before[1]) for before, after in itertools.pairwise(tops)]
    assert min(gaps) > 0


def test_many_categories_are_put_together() -> None:
    sites = [f"site {i:02d}" for i in range(40)]
    table = pl.DataFrame({"site": sites, "label": ["sick"] * 40})
    found = labels(drawn(table))
    assert f"{40 - MOST + 1} others, sick: {40 - MOST + 1}" in found


def test_bars_of_a_histogram_touch() -> None:
    counts = np.arange(256, dtype=np.int64)
    figure = pixels(counts, "sick", EN, ACCENT)
    corners = re.search(r'mark area"><path d="M([^"L]*)L[^"]*Z"', figure.body)
    assert corners is not None
    assert corners[1].count("H") == 128  # one outline over 128 bins: no line is drawn between two of them
    assert "<rect" not in figure.body


def test_a_quantity_has_a_histogram_of_at_most_thirty_bins() -> None:
    figure = quantity(pl.Series("rows", [*range(100, 3000, 7)]), "Rows", "pixels", EN)
    outline = re.search(r'mark area"><path d="M([^L]*)L', figure.body)
    assert outline is not None
    assert 5 <= outline[1].count("H") <= 30


def test_hangul_stands_in_the_figure_with_the_readers_fonts() -> None:
    history = pl.DataFrame({"epoch": [1, 2], "train_loss": [0.5, 0.4], "validation_loss": [0.6, 0.5]})
    figure = learning(history, "loss", PANELS["loss"], KO)
    assert "학습 손실" in figure.body
    assert "에포크" in figure.body
    assert "font-family" not in figure.body


def test_learning_curves_leave_out_what_was_not_measured() -> None:
    history = pl.DataFrame({"epoch": [1, 2, 3], "train_loss": [0.5, None, 0.4]})
    found = labels(learning(history, "loss", {"train_loss": GREY}, EN))
    assert found[1:] == ["Training loss 1: 0.5", "Training loss 3: 0.4"]


def test_the_operating_point_lies_where_its_rates_are() -> None:
    line = (np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.9, 1.0]))
    figure = roc({"Test": line}, {"Test": ACCENT, "Validation": FAINT}, Point(0.25, 0.8, (0.2, 0.3), (0.7, 0.9)), EN)
    moving = re.search(r'movingroc"><circle transform="translate\(([\d.]+),([\d.]+)\)"', figure.body)
    assert moving is not None
    assert float(moving[1]) == pytest.approx(0.25 * 330, abs=0.1)
    assert float(moving[2]) == pytest.approx((1 - 0.8) * 270, abs=0.1)


def test_curves_of_a_class_that_is_absent_draw_nothing_and_do_not_fail() -> None:
    nothing = (np.array([0.0, 1.0]), np.array([np.nan, np.nan]))
    labels(precision_recall({"Test": nothing}, {"Test": ACCENT}, {"sick": 0.0}, None, EN))


def test_reliability_points_carry_their_numbers() -> None:
    curve = pl.DataFrame(
        {"forecast": [0.2, 0.6], "observed": [0.25, 0.5], "low": [0.1, 0.3], "high": [0.4, 0.7], "cases": [20, 10]}
    )
    assert "20.0 % → 25.0 %, 20" in labels(calibration(curve, EN))


def test_log_odds_stay_on_the_axis() -> None:
    assert log_odds([0.0, 0.5, 1.0]).tolist() == [-7.0, 0.0, 7.0]
    assert log_odds(0.9) == pytest.approx(np.log(9))


def test_the_threshold_crosses_both_spreads() -> None:
    figure = spread({"sick": np.array([0.4, 0.9]), "healthy": np.array([0.1, 0.02])}, COLOURS, 0.5, EN)
    found = re.findall(r'moving(?:first|last)"><line transform="translate\(([\d.]+),', figure.body)
    assert [float(x) for x in found] == pytest.approx([165, 165], abs=0.6)


def test_words_from_the_data_are_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    table = pl.DataFrame({"site": [hostile, "b"], "label": ["sick", "sick"]})
    figure = drawn(table, hostile)
    assert "<script" not in figure.body
    assert any(text.startswith(hostile[:20]) for text in labels(figure))


def test_numbers_in_names_are_left_alone() -> None:
    table = pl.DataFrame({"site": ["1.23456", "b"], "label": ["sick", "sick"]})
    assert "1.23456, sick: 1" in labels(drawn(table))


def test_class_colours() -> None:
    assert class_colours(("sick", "healthy"), "sick") == {"sick": ACCENT, "healthy": GREY}
    many = class_colours(tuple("abcdefgh"), "c")
    assert many["c"] == ACCENT
    assert list(many) == list("abcdefgh")
    assert len(set(many.values())) == 7  # six colours for seven others: the eighth class begins anew


def test_a_file_of_a_histogram_has_touching_bars_and_one_of_categories_gaps() -> None:
    figure = frequency(Histogram.of_values([1, 1, 2, 3, 3, 3], width=1), "counts")
    outline = re.search(r'mark area"><path d="M([^L]*)L', figure.body)
    assert outline is not None
    heights = re.findall(r"V([\d.]+)", outline[1])
    assert outline[1].count("H") == 3
    assert float(heights[1]) == 0.0  # the tallest reaches the top, the others stand below it
    assert float(outline[1].split("H")[0].split(",")[1]) == pytest.approx(70, abs=0.1)
    gaps = bars({"PA": {"": 3}, "AP": {"": 1}}, {"": ACCENT}, "views")
    (first, _, high), (second, _, _) = boxes(gaps)
    assert second - first > high + 5
    assert {"PA: 3", "AP: 1"} <= set(labels(gaps))


def test_a_bar_that_flattens_all_others_is_cut_and_named() -> None:
    counts = np.full(256, 100)
    counts[0] = 1_000_000
    figure = frequency(Histogram(counts, np.arange(257) - 0.5, resolution=1.0), "grey")
    labels(figure)
    assert "1,000,000, cut off" in figure.body


def test_a_curve_is_a_line_and_the_band_of_a_local_method_an_area() -> None:
    one = transfer(np.linspace(1, 0, 5), "curve", EN)
    assert (one.body.count('mark area"'), one.body.count('mark line"')) == (0, 2)
    band = np.tile(np.array([[0.2], [0.5], [0.8]]), 256)
    band[:, 100] = np.nan
    two = transfer(None, "curve", EN, band=band)
    assert (two.body.count('mark area"'), two.body.count('mark line"')) == (1, 2)
    assert "nan" not in two.body


def test_a_figure_becomes_a_file_and_a_picture_with_its_letters() -> None:
    figure = bars({"정상": {"": 3}, "AP": {"": 1}}, {"": ACCENT}, "a & b")
    root = ElementTree.fromstring(figure.file())
    assert root.get("aria-label") == "a & b"
    picture = cv2.imdecode(np.frombuffer(figure.png(scale=2), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (2 * int(root.attrib["height"]), 2 * int(root.attrib["width"]))
    assert (picture == (0xAD, 0x64, 0x0F)).all(axis=2).sum() > 4 * 300 * 14  # the bars, in the accent
    words = picture[:, : 2 * 30]  # the names, left of the bars
    without = bars({" ": {"": 3}, "  ": {"": 1}}, {"": ACCENT}, "").png(scale=2)
    assert (words < 128).any(axis=2).sum() > 100
    assert without != figure.png(scale=2)
