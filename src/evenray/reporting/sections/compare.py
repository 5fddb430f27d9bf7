"""The comparison: a heat map with intervals for each network, a table with calibration and cost beside it, and what
became of each remedy as the positive class was made rarer."""

from __future__ import annotations

from typing import Any

import polars as pl

from evenray.metrics import LOWER_IS_BETTER
from evenray.reporting.figures.imbalance import SHOWN, imbalance
from evenray.reporting.folder import Run
from evenray.reporting.language import Language

__all__ = ["context"]

OWN = "own"


def context(run: Run, say: Language) -> dict[str, Any] | None:
    if run.grid is None or run.grid.is_empty():
        return None
    metric = str(run.grid["metric"][0]) if "metric" in run.grid.columns else "auprc"
    rows = run.grid.filter(pl.col(metric).is_finite()).to_dicts()
    if not rows:
        return None
    for row in rows:
        row["imbalance"] = row.get("imbalance", OWN)
        row["figure"] = {"value": row[metric], "low": row[f"{metric}_low"], "high": row[f"{metric}_high"]}
    chosen = next((row for row in rows if row.get("chosen")), None)
    ratios = list(dict.fromkeys(row["imbalance"] for row in rows))
    domain = _domain(run.grid)
    groups = [_group(name, [row for row in rows if row["imbalance"] == name], metric) for name in ratios]
    return {
        "metric": metric, "groups": groups, "chosen": chosen, "domain": domain, "cells": len(rows),
        "networks": len({row.get("network") for row in rows}),
        "seeds": max(row.get("seeds") or 1 for row in rows),
        "halved": len({row.get("epochs") for row in rows}) > 1,
        "thinned": ratios != [OWN],
        "figures": _curves(rows, ratios, say),
    }  # fmt: skip


def _group(name: str, rows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """The cells of one imbalance: their heat maps and their table, the best first."""
    sign = 1 if metric in LOWER_IS_BETTER else -1
    values = [row[metric] for row in rows]
    low, high = min(values), max(values)
    for row in rows:
        share = 0.5 if high == low else (row[metric] - low) / (high - low)
        row["shade"] = 1 - share if sign == 1 else share
    networks = list(dict.fromkeys(row.get("network") for row in rows))
    reference = next((row for row in rows if row.get("reference")), rows[0])  # else the first: the simplest there is
    return {
        "imbalance": name,
        "maps": [_map(network, [row for row in rows if row.get("network") == network]) for network in networks],
        "ranked": sorted(rows, key=lambda row: sign * row[metric]),
        "tied": sum(bool(row.get("tied")) for row in rows),
        "reference": f"{reference['contrast']} × {reference['balance']}",
    }  # fmt: skip


def _map(network: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One heat map: contrasts down, remedies across; a cell that was not run is None."""
    cells = {(row["contrast"], row["balance"]): row for row in rows}
    contrasts = list(dict.fromkeys(row["contrast"] for row in rows))
    balances = list(dict.fromkeys(row["balance"] for row in rows))
    table = [(contrast, [cells.get((contrast, balance)) for balance in balances]) for contrast in contrasts]
    return {"network": network, "balances": balances, "rows": table}


def _curves(rows: list[dict[str, Any]], ratios: list[str], say: Language) -> list[Any]:
    """What each remedy does as the positive class becomes rare, on the simplest contrast and the first network."""
    if len(ratios) < 2:
        return []
    first = rows[0]
    kept = [row for row in rows if row["contrast"] == first["contrast"] and row.get("network") == first.get("network")]
    return [imbalance(kept, ratios, metric, say) for metric in SHOWN if metric in first]


def _domain(grid: pl.DataFrame) -> tuple[float, float]:
    """The range that the strips of paired differences share, symmetric about nothing gained."""
    if not {"difference_low", "difference_high"} <= set(grid.columns):
        return -1.0, 1.0
    ends = [grid["difference_low"].min(), grid["difference_high"].max()]
    reach = max((abs(float(end)) for end in ends if isinstance(end, float)), default=0.0) or 1.0
    return -1.05 * reach, 1.05 * reach
