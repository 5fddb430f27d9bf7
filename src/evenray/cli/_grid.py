"""The grid of a comparison in the terminal: a heat map for each network, and the figures beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.style import Style
from rich.table import Table
from rich.text import Text

from evenray.core.numbers import decimals, probability, signed

from ._screen import screen

if TYPE_CHECKING:
    import polars as pl

__all__ = ["print_grid"]

LOWER_IS_BETTER = ("brier", "ece", "log_loss")
SHORT = {"sensitivity_at_specificity": "sens at spec .95"}


def print_grid(grid: pl.DataFrame) -> None:
    """Draw what `compare` found: first where the figure is high, then differences, calibration and cost."""
    metric = grid["metric"][0]
    for imbalance in grid["imbalance"].unique(maintain_order=True):
        rows = grid.filter(grid["imbalance"] == imbalance).to_dicts()
        at = "" if imbalance == "own" else f", training at {imbalance}"
        for network in dict.fromkeys(row["network"] for row in rows):
            screen.print(_heat([row for row in rows if row["network"] == network], metric, f"{network}{at}", rows))
        screen.print(_beside(rows, metric))


def _heat(rows: list[dict[str, Any]], metric: str, title: str, every: list[dict[str, Any]]) -> Table:
    """Contrasts and remedies, the longer list downwards, where there is room; the better the brighter."""
    table = Table(title=f"{SHORT.get(metric, metric)} (95 % interval): {title}", title_justify="left", padding=(0, 1))
    names = {axis: list(dict.fromkeys(row[axis] for row in rows)) for axis in ("contrast", "balance")}
    down, across = sorted(names, key=lambda axis: -len(names[axis]))
    table.add_column(f"{down} \\ {across}")
    for name in names[across]:
        table.add_column(Text(name), justify="center")
    values = [row[metric] for row in every if row[metric] == row[metric]]
    cells = {(row[down], row[across]): _cell(row, metric, values) for row in rows}
    for name in names[down]:
        table.add_row(Text(name), *(cells.get((name, other), Text("-")) for other in names[across]))
    return table


def _cell(row: dict[str, Any], metric: str, values: list[float]) -> Text:
    low, high = min(values, default=0.0), max(values, default=0.0)
    share = 0.5 if high == low or row[metric] != row[metric] else (row[metric] - low) / (high - low)
    share = 1 - share if metric in LOWER_IS_BETTER else share
    mark = " *" if row["chosen"] else " =" if row["tied"] else ""
    low_end, high_end = (decimals(row[f"{metric}_{end}"], 2) for end in ("low", "high"))
    text = f"{decimals(row[metric])}{mark}\n{low_end}-{high_end}"
    dark = int(235 - 150 * share)
    return Text(text, Style(color="black" if share < 0.6 else "white", bgcolor=f"rgb({dark - 30},{dark},{dark + 15})"))


def _beside(rows: list[dict[str, Any]], metric: str) -> Table:
    """Differences to the reference, calibration and cost; * chosen, = as good as the best."""
    reference = next(row for row in rows if row["reference"])
    caption = f"* chosen   = as good as the best   differences: to {reference['contrast']} x {reference['balance']}"
    table = Table(caption=caption, caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    seeds, several = max(row["seeds"] for row in rows) > 1, len({row["network"] for row in rows}) > 1
    others = [
        name
        for name in ("auprc", "auroc", "iou", "dice_pooled", "map50", "map", "froc", "brier", "ece")
        if name != metric and name in rows[0]
    ]
    numbers = [
        SHORT.get(metric, metric),
        "difference",
        "p\n(Holm)",
        "better",
        *(["sd of\npatients", "seeds"] if seeds else []),
    ]
    table.add_column("contrast x balance" + (", network" if several else ""), min_width=14)
    for name in [*numbers, *others, "s"]:
        table.add_column(name, justify="right", no_wrap=True)
    sign = 1 if metric in LOWER_IS_BETTER else -1
    for row in sorted(rows, key=lambda row: sign * row[metric]):
        gap = f"{signed(row['difference'])}\n{signed(row['difference_low'])} to {signed(row['difference_high'])}"
        mark = "* " if row["chosen"] else "= " if row["tied"] else "  "
        cells = [f"{mark}{row['contrast']} x {row['balance']}" + (f", {row['network']}" if several else "")]
        claims = (gap, probability(row["p_holm"]), f"{row['better']:.0%}")
        cells += [decimals(row[metric]), *(("", "", "") if row["reference"] else claims)]
        cells += [decimals(row["sampling_deviation"]), decimals(row["seed_deviation"])] if seeds else []
        cells += [decimals(row[name]) for name in others] + [f"{row['seconds']:.0f}"]
        table.add_row(*map(Text, cells))
    return table
