"""Why a cell was chosen: shown to be better, or taken by rule where nothing was shown; and what could have been seen."""

from __future__ import annotations

import numpy as np

from evenray.core.messages import Message
from evenray.metrics import LOWER_IS_BETTER

from ._choice import LUCK
from ._grid import FOUR_IN_FIVE, LEVEL, Grid, GridRow, Z

__all__ = ["proven", "why"]


def why(grid: Grid) -> Message:
    """The reason of the choice, with the difference that four in five comparisons of this size would have shown."""
    chosen = grid.chosen
    rivals = grid.alike(chosen)
    reference = next(row for row in rivals if row.reference)
    values = {
        "metric": chosen.metric, "cells": len(rivals), "others": len(rivals) - 1, "luck": chosen.luck, "most": LUCK,
        "reference": f"{reference.cell.contrast} × {reference.cell.balance}", "better": chosen.better,
        "gain": chosen.difference, "low": chosen.difference_low, "high": chosen.difference_high, "p": chosen.p_holm,
        "visible": _visible(chosen, rivals), "chance": chosen.chance, "told": chosen.visible_chance,
    }  # fmt: skip
    given = chosen.cell.imbalance != "own"
    values |= {"imbalance": chosen.cell.imbalance, "variant": "imbalance"} if given else {}
    if min(row.p_chance for row in rivals) >= LEVEL:
        return Message("choice.unlearnt", values)
    if chosen.metric in LOWER_IS_BETTER:
        values["variant"] = "lower_imbalance" if given else "lower"
    if chosen.reference:
        return Message("choice.reference", values)
    return Message("choice.proven" if proven(chosen) else "choice.likely", values)


def proven(row: GridRow) -> bool:
    """Whether a cell was shown to differ from the reference, for all the cells that were tried."""
    return not row.reference and row.p_holm < LEVEL


def _visible(chosen: GridRow, rivals: list[GridRow]) -> float:
    """The difference to the reference that is found with a probability of four in five, at the 5 % level, of one cell."""
    widths = [row.difference_high - row.difference_low for row in rivals if not row.reference]
    own = chosen.difference_high - chosen.difference_low
    width = own if not chosen.reference else float(np.median(widths)) if widths else float("nan")
    return (Z + FOUR_IN_FIVE) * width / (2 * Z)
