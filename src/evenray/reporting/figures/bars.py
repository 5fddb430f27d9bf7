"""Bar charts: for categories, bars with gaps between them and the count at the end of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import polars as pl

from .plot import layer, legend_of
from .svg import GREY, INK, WIDTH, Svg, line, rect, shortened, text, text_width

__all__ = ["bars", "counted"]

MOST = 14  # categories before the rest are put together
THICK, APART, ROOM = 14.5, 2.5, 14  # a bar, between the bars of a category, between categories
LONGEST, NAMES = WIDTH - 60, 150  # pixels of the longest bar, and of the names at most


def counted(
    table: pl.DataFrame, by: str, labels: Sequence[str], others: Callable[[int], str], order: Sequence[str] = ()
) -> dict[str, dict[str, int]]:
    """Cases of each category of the column `by`, by label; `table` has a column label.

    Categories stand in the given order, else by size; beyond fourteen the smallest are added up, and `others` names them.
    """
    cases = table.select(group=pl.col(by).cast(pl.String), label="label").drop_nulls()
    groups = list(order)
    if not groups:
        groups = cases["group"].value_counts().sort(["count", "group"], descending=[True, False])["group"].to_list()
    if len(groups) > MOST:
        kept, rest = groups[: MOST - 1], others(len(groups) - MOST + 1)
        cases = cases.with_columns(group=pl.when(pl.col("group").is_in(kept)).then("group").otherwise(pl.lit(rest)))
        groups = [*kept, rest]
    counts = {(group, label): n for group, label, n in cases.group_by("group", "label").len("n").iter_rows()}
    return {group: {label: counts.get((group, label), 0) for label in labels} for group in groups}


def bars(
    counts: Mapping[str, Mapping[str, int]], colours: Mapping[str, str], label: str, *, legend: bool = False
) -> Svg:
    """A group of bars for each category, one for each colour's name; a name "" is not told."""
    most = max((n for row in counts.values() for n in row.values()), default=0) or 1
    names = {group: shortened(group, NAMES) for group in counts}
    left = 12 + max((text_width(name) for name in names.values()), default=0)
    high = len(colours) * (THICK + APART) - APART
    keys, top = legend_of(colours, WIDTH, square=True) if legend else ("", 0.0)
    rects, words = [], []
    foot = top
    for group, row in counts.items():
        foot += ROOM / 2
        words.append(text(-8, foot + high / 2 + 4.2, names[group], "end", INK))
        for place, (name, n) in enumerate(row.items()):
            y, wide = foot + place * (THICK + APART), LONGEST * n / most
            said = escape(f"{group}, {name}: {n}" if name else f"{group}: {n}")
            rects.append(rect(0, y, wide, THICK, colours[name], f'data-tip="{said}"'))
            words.append(text(wide + 4, y + THICK / 2 + 3.9, f"{n:,}", "start", INK, size=11))
        foot += high + ROOM / 2
    inside = keys + layer("bars", "".join(rects)) + line(0, top, 0, foot, GREY) + "".join(words)
    body = f'<g transform="translate({left:g},8)">{inside}</g>'
    rows = [(group, name, n) for group, row in counts.items() for name, n in row.items()]
    data = pl.DataFrame(rows, schema=["category", "series", "count"], orient="row") if rows else None
    return Svg(left + LONGEST + 8 + text_width(f"{most:,}"), foot + 12, body, label, data)
