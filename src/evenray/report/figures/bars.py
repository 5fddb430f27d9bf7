"""Bar charts: for categories, bars with gaps between them and the count at the end of each."""

from __future__ import annotations

import altair as alt
import polars as pl

from ..language import Language
from ..style import INK, WIDTH, Figure, colour_scale, figure

__all__ = ["bars"]

MOST = 14  # categories before the rest are put together


def bars(
    table: pl.DataFrame,
    by: str,
    colours: dict[str, str],
    name: str,
    title: str,
    say: Language,
    order: list[str] | None = None,
    legend: bool = False,
) -> Figure:
    """Cases of each category of `by`, one bar for each class; `table` has the columns `by` and label.

    Categories stand in the given order, else by size; beyond fourteen the smallest are added up.
    """
    text = table.select(group=pl.col(by).cast(pl.String), label="label").drop_nulls()
    groups = order or text["group"].value_counts().sort(["count", "group"], descending=[True, False])["group"].to_list()
    if len(groups) > MOST:
        kept, other = groups[: MOST - 1], say("data.others", n=len(groups) - MOST + 1)
        text = text.with_columns(group=pl.when(pl.col("group").is_in(kept)).then("group").otherwise(pl.lit(other)))
        groups = [*kept, other]
    counts = text.group_by("group", "label").len("n")
    every = pl.DataFrame({"group": groups}).join(pl.DataFrame({"label": list(colours)}), how="cross")
    counts = every.join(counts, on=["group", "label"], how="left").with_columns(pl.col("n").fill_null(0))
    y = alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(labelColor=INK, labelLimit=150)).scale(paddingInner=0.3)
    inner = alt.YOffset("label:N", sort=list(colours)).scale(paddingInner=0.15)
    counts = counts.with_columns(words=pl.format("{}, {}: {}", "group", "label", "n"))
    x = alt.X("n:Q", axis=None)  # the numbers stand at the bars
    key = alt.Legend() if legend else None
    colour = alt.Color("label:N", scale=colour_scale(colours), legend=key, title=None)
    base = alt.Chart(counts, width=WIDTH - 60, height=len(groups) * (17 * len(colours) + 12)).encode(y=y, yOffset=inner)
    words = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(x=x, text=alt.Text("n:Q", format=","))
    return figure(
        base.mark_bar().encode(x=x, color=colour, description="words:N") + words,
        name,
        title,
        alt_text=say("alt.bars", title=title),
    )
