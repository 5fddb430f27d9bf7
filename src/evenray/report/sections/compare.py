"""The comparison of contrast x balance: a heat map with intervals, and a table with calibration and cost beside it."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..folder import Run
from ..language import Language

__all__ = ["context"]

METRIC = "auprc"


def context(run: Run, _: Language) -> dict[str, Any] | None:
    if run.grid is None or run.grid.is_empty():
        return None
    rows = run.grid.filter(pl.col(METRIC).is_finite()).to_dicts()
    if not rows:
        return None
    networks = list(dict.fromkeys(row.get("network") for row in rows))
    low, high = min(row[METRIC] for row in rows), max(row[METRIC] for row in rows)
    for row in rows:
        row["shade"] = 0.5 if high == low else (row[METRIC] - low) / (high - low)
    chosen = next((row for row in rows if row.get("chosen")), None)
    ranked = sorted(rows, key=lambda row: -row[METRIC])
    return {
        "maps": [_map(network, [row for row in rows if row.get("network") == network]) for network in networks],
        "ranked": ranked,
        "chosen": chosen,
        "tied": sum(bool(row.get("tied")) for row in rows),
        "cells": len(rows),
        "domain": _domain(run.grid),
        "reference": f"{rows[0]['contrast']} × {rows[0]['balance']}",  # the grid's first cell; the simplest there is
    }


def _map(network: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One heat map: contrasts down, remedies across; a cell that was not run is None."""
    cells = {(row["contrast"], row["balance"]): row for row in rows}
    contrasts = list(dict.fromkeys(row["contrast"] for row in rows))
    balances = list(dict.fromkeys(row["balance"] for row in rows))
    table = [(contrast, [cells.get((contrast, balance)) for balance in balances]) for contrast in contrasts]
    return {"network": network, "balances": balances, "rows": table}


def _domain(grid: pl.DataFrame) -> tuple[float, float]:
    """The range that the strips of paired differences share, symmetric about nothing gained."""
    if not {"difference_low", "difference_high"} <= set(grid.columns):
        return -1.0, 1.0
    ends = [grid["difference_low"].min(), grid["difference_high"].max()]
    reach = max((abs(float(end)) for end in ends if isinstance(end, float)), default=0.0) or 1.0
    return -1.05 * reach, 1.05 * reach
