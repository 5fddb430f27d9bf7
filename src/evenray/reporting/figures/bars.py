"""Bar charts: for categories, bars with gaps between them and the count at the end of each."""

from __future__ import annotations

from html import escape

import polars as pl

from evenray.reporting.drawing import legend_of, letters, mark, shortened, word
from evenray.reporting.language import Language
from evenray.reporting.style import GREY, INK, WIDTH, Drawing, Figure, figure

__all__ = ["bars"]

MOST = 14  # categories before the rest are put together
THICK, APART, ROOM = 14.5, 2.5, 14  # a bar, between the bars of a category, between categories
LONGEST, NAMES = WIDTH - 60, 150  # pixels of the longest bar, and of the names at most


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
    counts = {(group, label): n for group, label, n in text.group_by("group", "label").len("n").iter_rows()}
    found = {group: {label: counts.get((group, label), 0) for label in colours} for group in groups}
    return figure(_drawn(found, colours, legend), name, title, alt_text=say("alt.bars", title=title))


def _drawn(counts: dict[str, dict[str, int]], colours: dict[str, str], legend: bool) -> Drawing:
    most = max((n for row in counts.values() for n in row.values()), default=0) or 1
    names = {group: shortened(group, NAMES) for group in counts}
    left = 12 + max((letters(text) for text in names.values()), default=0)
    high = len(colours) * (THICK + APART) - APART
    keys, top = legend_of(colours, WIDTH, square=True) if legend else ("", 0.0)
    rects, words = [], []
    foot = top
    for group, row in counts.items():
        foot += ROOM / 2
        words.append(word(-8, foot + high / 2 + 4.2, names[group], "end", INK))
        for place, (label, n) in enumerate(row.items()):
            y, wide = foot + place * (THICK + APART), LONGEST * n / most
            said = escape(f"{group}, {label}: {n}")
            rects.append(
                f'<rect y="{y:g}" width="{wide:.2f}" height="{THICK}" fill="{colours[label]}" aria-label="{said}"/>'
            )
            words.append(word(wide + 4, y + THICK / 2 + 3.9, f"{n:,}", "start", INK, size=11))
        foot += high + ROOM / 2
    line = f'<path d="M0,{top:g}V{foot:g}" stroke="{GREY}"/>'
    body = f'<g transform="translate({left:g},8)">{keys}{mark("bars", "".join(rects))}{line}{"".join(words)}</g>'
    return Drawing(left + LONGEST + 8 + letters(f"{most:,}"), foot + 12, body)
