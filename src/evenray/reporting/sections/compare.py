"""The comparison: a heat map with intervals for each network, a table with calibration and cost beside it, and what
became of each remedy as the positive class was made rarer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from evenray.metrics import LOWER_IS_BETTER
from evenray.reporting.figures.imbalance import SHOWN, imbalance
from evenray.reporting.figures.svg import Figure
from evenray.reporting.language import Language
from evenray.reporting.view import RunView

__all__ = ["context"]

OWN = "own"
OTHERS = (
    "auprc",
    "auroc",
    "dice",
    "iou",
    "dice_pooled",
    "map50",
    "map",
    "froc",
    "brier",
    "ece",
)  # that stand beside the metric of the grid
DEFAULTS = {
    "imbalance": OWN, "network": None, "seeds": 1, "epochs": None, "chosen": False, "tied": False, "reference": False,
}  # fmt: skip
Row = dict[str, Any]  # of the grid, or of what is drawn of it


@dataclass(frozen=True)
class Shown:
    metric: str
    groups: list[Row]
    domain: tuple[float, float]
    cells: int
    chosen: Row | None
    why: str
    networks: int
    seeds: int
    halved: bool
    thinned: bool
    figures: list[Figure]
    others: tuple[str, ...]


def context(run: RunView, say: Language) -> Shown | None:
    if run.grid is None or run.grid.is_empty():
        return None
    metric = str(run.grid["metric"][0]) if "metric" in run.grid.columns else "auprc"
    absent = {name: pl.lit(value) for name, value in DEFAULTS.items() if name not in run.grid.columns}
    cells = run.grid.with_columns(**absent).filter(pl.col(metric).is_finite())
    if cells.is_empty():
        return None
    ratios = cells["imbalance"].unique(maintain_order=True).to_list()
    groups = [_group(name, cells.filter(imbalance=name), metric) for name in ratios]
    return Shown(
        metric=metric, groups=groups, domain=_domain(run.grid), cells=cells.height,
        chosen=next((row for group in groups for row in group["ranked"] if row["chosen"]), None),
        why=say.message(run.choice.reason) if run.choice else "",
        networks=cells["network"].n_unique(),
        seeds=max(cells["seeds"].fill_null(1)),
        halved=cells["epochs"].n_unique() > 1,
        thinned=ratios != [OWN],
        figures=_curves(cells, ratios, say),
        others=tuple(name for name in OTHERS if name in cells.columns and name != metric),
    )  # fmt: skip


def _group(name: str, cells: pl.DataFrame, metric: str) -> Row:
    """The cells of one imbalance: their heat maps and their table, the best first."""
    rows, falling = cells.to_dicts(), metric in LOWER_IS_BETTER
    values = [row[metric] for row in rows]
    low, span = min(values), max(values) - min(values)
    for row in rows:
        share = (row[metric] - low) / span if span else 0.5
        row["shade"] = 1 - share if falling else share
        row["figure"] = {"value": row[metric], "low": row[f"{metric}_low"], "high": row[f"{metric}_high"]}
    networks = list(dict.fromkeys(row["network"] for row in rows))
    reference = next((row for row in rows if row["reference"]), rows[0])  # else the first: the simplest there is
    return {
        "imbalance": name,
        "maps": [_map(network, [row for row in rows if row["network"] == network]) for network in networks],
        "ranked": sorted(rows, key=lambda row: row[metric] if falling else -row[metric]),
        "reference": f"{reference['contrast']} × {reference['balance']}",
    }  # fmt: skip


def _map(network: str | None, rows: list[Row]) -> Row:
    """One heat map: contrasts down, remedies across; a cell that was not run is None."""
    cells = {(row["contrast"], row["balance"]): row for row in rows}
    contrasts, balances = (list(dict.fromkeys(row[side] for row in rows)) for side in ("contrast", "balance"))
    table = [(contrast, [cells.get((contrast, balance)) for balance in balances]) for contrast in contrasts]
    return {"network": network, "balances": balances, "rows": table}


def _curves(cells: pl.DataFrame, ratios: list[str], say: Language) -> list[Figure]:
    """What each remedy does as the positive class becomes rare, on the simplest contrast and the first network."""
    if len(ratios) < 2:
        return []
    contrast = cells["contrast"][0]
    first = cells.filter(pl.col("contrast") == contrast, pl.col("network").eq_missing(pl.lit(cells["network"][0])))
    caption = say("compare.curve_caption", contrast=contrast)
    return [
        Figure(say("compare.curve", metric=say.name("metric", name)), imbalance(first, ratios, name, say), caption)
        for name in SHOWN
        if name in first.columns
    ]


def _domain(grid: pl.DataFrame) -> tuple[float, float]:
    """The range that the strips of paired differences share, symmetric about nothing gained."""
    if not {"difference_low", "difference_high"} <= set(grid.columns):
        return -1.0, 1.0
    ends = [grid["difference_low"].min(), grid["difference_high"].max()]
    reach = max((abs(float(end)) for end in ends if isinstance(end, float)), default=0.0) or 1.0
    return -1.05 * reach, 1.05 * reach
