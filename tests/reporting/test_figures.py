"""What the drawings say: bars with gaps for categories, touching bars for quantities, colours that the page can turn."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from evenray.reporting.figures.bars import MOST, bars
from evenray.reporting.figures.calibration import calibration
from evenray.reporting.figures.histogram import pixels, quantity
from evenray.reporting.figures.learning import learning
from evenray.reporting.figures.ranking import precision_recall, roc
from evenray.reporting.figures.spread import log_odds, spread
from evenray.reporting.language import Language
from evenray.reporting.style import ACCENT, FAINT, GREY, Figure, class_colours

EN, KO = Language("en"), Language("ko")
COLOURS = class_colours(("healthy", "sick"), "sick")


def labels(figure: Figure) -> list[str]:
    """The texts of all marks, after checking that the SVG is well formed and asks for nothing."""
    root = ElementTree.fromstring(figure.svg)
    assert "http" not in figure.svg
    return [text for element in root.iter() if (text := element.get("aria-label"))]


def boxes(figure: Figure) -> list[tuple[float, float, float]]:
    """Top, width and height of each bar."""
    found = re.findall(r'<rect y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', figure.svg)
    return [(float(y), float(width), float(height)) for y, width, height in found]


def test_bars_of_categories_stand_apart_and_carry_their_counts() -> None:
    table = pl.DataFrame({"site": ["Alder"] * 3 + ["Birch"], "label": ["healthy", "healthy", "sick", "sick"]})
    figure = bars(table, "site", COLOURS, "by-site", "Site", EN)
    assert {"Alder, healthy: 2", "Alder, sick: 1", "Birch, healthy: 0", "Birch, sick: 1"} <= set(labels(figure))
    widths = [width for _, width, _ in boxes(figure)]
    assert widths == [2 * widths[1], widths[1], 0, widths[1]]
    tops = sorted((y, h) for y, _, h in boxes(figure))
    gaps = [after[0] - (before[0] + before[1]) for before, after in itertools.pairwise(tops)]
    assert min(gaps) > 0


def test_many_categories_are_put_together() -> None:
    sites = [f"site {i:02d}" for i in range(40)]
    table = pl.DataFrame({"site": sites, "label": ["sick"] * 40})
    found = labels(bars(table, "site", COLOURS, "by-site", "Site", EN))
    assert f"{40 - MOST + 1} others, sick: {40 - MOST + 1}" in found


def test_bars_of_a_histogram_touch() -> None:
    counts = np.arange(256, dtype=np.int64)
    figure = pixels(counts, "pixels-0", "sick", EN, ACCENT)
    corners = re.search(r'mark area"><path d="M([^"L]*)L[^"]*Z"', figure.svg)
    assert corners is not None
    assert corners[1].count("H") == 128  # one outline over 128 bins: no line is drawn between two of them
    assert "<rect" not in figure.svg


def test_a_quantity_has_a_histogram_of_at_most_thirty_bins() -> None:
    figure = quantity(pl.Series("rows", [*range(100, 3000, 7)]), "size-rows", "Rows", "pixels", EN)
    assert figure.title == "Rows"
    labels(figure)


def test_hangul_stands_in_the_figure_with_the_readers_fonts() -> None:
    history = pl.DataFrame({"epoch": [1, 2], "train_loss": [0.5, 0.4], "validation_loss": [0.6, 0.5]})
    [figure] = learning(history, KO)
    assert "학습 손실" in figure.svg
    assert "에포크" in figure.svg
    assert "font-family" not in figure.svg


def test_learning_curves_leave_out_what_was_not_measured() -> None:
    history = pl.DataFrame({"epoch": [1, 2], "train_loss": [0.5, 0.4], "validation_auroc": [None, None]})
    assert [figure.title for figure in learning(history, EN)] == ["Loss"]


def test_the_operating_point_lies_where_its_rates_are() -> None:
    line = (np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.9, 1.0]))
    figure = roc({"Test": line}, {"Test": ACCENT, "Validation": FAINT}, (0.25, 0.8, (0.2, 0.3), (0.7, 0.9)), EN)
    moving = re.search(r'movingroc"><circle transform="translate\(([\d.]+),([\d.]+)\)"', figure.svg)
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
    assert "20.0 % → 25.0 %, 20" in labels(calibration(curve, "reliability-0", "sick", EN))


def test_log_odds_stay_on_the_axis() -> None:
    assert log_odds([0.0, 0.5, 1.0]).tolist() == [-7.0, 0.0, 7.0]
    assert log_odds(0.9) == pytest.approx(np.log(9))


def test_the_threshold_crosses_both_spreads() -> None:
    figure = spread({"sick": np.array([0.4, 0.9]), "healthy": np.array([0.1, 0.02])}, COLOURS, 0.5, EN)
    found = re.findall(r'moving(?:first|last)"><line transform="translate\(([\d.]+),', figure.svg)
    assert [float(x) for x in found] == pytest.approx([165, 165], abs=0.6)


def test_words_from_the_data_are_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    table = pl.DataFrame({"site": [hostile, "b"], "label": ["sick", "sick"]})
    figure = bars(table, "site", COLOURS, "by-site", hostile, EN)
    assert "<script" not in figure.svg
    assert any(text.startswith(hostile[:20]) for text in labels(figure))


def test_numbers_in_names_are_left_alone() -> None:
    table = pl.DataFrame({"site": ["1.23456", "b"], "label": ["sick", "sick"]})
    assert "1.23456, sick: 1" in labels(bars(table, "site", COLOURS, "by-site", "Site", EN))


def test_class_colours() -> None:
    assert class_colours(("sick", "healthy"), "sick") == {"sick": ACCENT, "healthy": GREY}
    many = class_colours(tuple("abcdefgh"), "c")
    assert many["c"] == ACCENT
    assert list(many) == list("abcdefgh")
    assert len(set(many.values())) == 7  # six colours for seven others: the eighth class begins anew
