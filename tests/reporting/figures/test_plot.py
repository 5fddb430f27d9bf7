"""Axes and texts of the charts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenray.reporting.figures.plot import Axis, Plot, Scale, axis
from evenray.reporting.figures.svg import shortened, text_width

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 4))


@given(st.lists(NUMBERS, min_size=1), st.booleans())
def test_an_axis_has_a_few_round_ticks_and_holds_every_value(values: list[float], nice: bool) -> None:
    found = axis(values, nice=nice)
    ticks = list(found.ticks)
    share = found.scale.share(values)
    assert -1e-9 <= share.min() <= share.max() <= 1 + 1e-9
    assert 2 <= len(ticks) <= 10
    assert len(set(found.ticks.values())) == len(ticks)
    if nice:
        assert (ticks[0], ticks[-1]) == pytest.approx((found.scale.low, found.scale.high))


def test_ticks_of_counts_are_whole() -> None:
    assert list(axis([0, 1], least=1, zero=True).ticks.values()) == ["0", "1"]


def test_a_line_has_no_point_where_a_value_is_missing() -> None:
    plot = Plot(100, 100, Axis(Scale(0, 2), {}), Axis(Scale(0, 1), {}))
    plot.line([0, 1, 2], [0, float("nan"), 1], "#000000")
    assert 'd="M0,100L100,0"' in plot.drawn("").body


def test_a_legend_goes_on_in_another_line() -> None:
    plot = Plot(100, 100, axis([0, 1]), axis([0, 1]))
    narrow = plot.drawn("", {"a": "#000000"})
    wide = plot.drawn("", {"first of three": "#000000", "second of three": "#111111", "third of three": "#222222"})
    assert wide.height - narrow.height == 2 * 18
    tops = re.findall(r'<rect x="([\d.]+)" y="([-\d.]+)" width="10"', wide.body)
    assert tops == [("0", "-5"), ("0", "13"), ("0", "31")]


@given(st.text(max_size=40))
def test_a_shortened_text_fits(text: str) -> None:
    assert text_width(shortened(text, 80)) <= 80
