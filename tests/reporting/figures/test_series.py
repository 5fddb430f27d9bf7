"""The numbers behind a figure: those of its marks, under the names of its legend."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.reporting.figures.bars import bars
from evenray.reporting.figures.histogram import pixels
from evenray.reporting.figures.plot import Plot, axis
from evenray.reporting.figures.svg import ACCENT, GREY, Figure, Svg
from evenray.reporting.language import Language


def test_lines_are_told_by_the_legend_and_dashed_ones_not_at_all() -> None:
    plot = Plot(100, 100, axis([0, 2], "epoch"), axis([0, 1], "loss"))
    plot.line([0, 2], [0, 1], GREY, dash="4 4")
    plot.line([1, 2], [0.5, 0.25], ACCENT)
    plot.dots([1, 2], [0.5, 0.25], ACCENT, 2)
    data = plot.drawn("", {"training": ACCENT}).data
    assert data is not None
    assert data.columns == ["series", "epoch", "loss"]
    assert data.rows() == [("training", "1", "0.5"), ("training", "2", "0.25")]


def test_a_histogram_has_its_edges_and_each_bar_once() -> None:
    counts = np.array([1, 3, 0, 4])
    data = pixels(counts, "x", Language("en"), ACCENT).data
    assert data is not None
    low, high, share = (data[name].cast(pl.Float64).to_numpy() for name in data.columns)
    assert np.allclose(low, [0, 0.25, 0.5, 0.75])
    assert np.allclose(high, [0.25, 0.5, 0.75, 1])
    assert np.allclose(share, counts / counts.sum())


def test_bars_have_their_counts_and_formulas_stay_text() -> None:
    figure = Figure("Site: a/b", bars({"=1+1": {"sick": 3}}, {"sick": ACCENT}, ""))
    assert figure.name == "site-a-b"
    assert figure.csv == "data:text/csv;charset=utf-8,%EF%BB%BFcategory%2Cseries%2Ccount%0A%27%3D1%2B1%2Csick%2C3%0A"


def test_a_drawing_without_numbers_has_no_table() -> None:
    assert Figure("x", Svg(1, 1, "", "")).csv == ""
