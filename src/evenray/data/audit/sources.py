"""Sources: does each class come from everywhere, or has one class a source of its own?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import polars as pl

from evenray.core.types import Dataset, Finding

from ._table import column

__all__ = ["sources"]

NAMED = ("site", "manufacturer", "modality", "view", "photometric", "format", "sex")
STRONG, MODERATE = 0.5, 0.2  # Cramér's V
UNLIKELY = 1e-3
MANY = 20  # values: more than this is an identifier, not a source


def sources(dataset: Dataset) -> list[Finding]:
    """Properties whose values are spread unevenly over the classes: Cramér's V above 0.2 (remark) or 0.5 (warning)."""
    found = []
    for name in NAMED:
        table = pl.DataFrame([column(dataset.cases, name).cast(pl.String).alias("value"), dataset.cases["label"]])
        table = table.drop_nulls()
        if not 2 <= table["value"].n_unique() <= MANY or table["label"].n_unique() < 2:
            continue
        association, p = cramers_v(table)
        if association >= MODERATE and p < UNLIKELY:
            found.append(_finding(name, table, association))
    return found


def cramers_v(table: pl.DataFrame) -> tuple[float, float]:
    """Association of the columns value and label, 0 to 1 (Cramér 1946, section 21.9), and the p of chi squared.

    >>> association, p = cramers_v(pl.DataFrame({"value": ["A", "B"] * 20, "label": ["sick", "healthy"] * 20}))
    >>> association, p < 1e-6
    (1.0, True)
    """
    counts = table.pivot("label", index="value", aggregate_function="len", values="label").drop("value").fill_null(0)
    observed = counts.to_numpy().astype(np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / table.height
    statistic = ((observed - expected) ** 2 / expected).sum()
    rows, columns = observed.shape
    association = math.sqrt(statistic / (table.height * (min(rows, columns) - 1)))
    return association, chi_squared_beyond(float(statistic), (rows - 1) * (columns - 1))


def chi_squared_beyond(statistic: float, freedom: int) -> float:
    """The chance of a larger chi squared, by its cube root, which is nearly normal (Wilson and Hilferty 1931).

    Within a fifth of itself down to 1e-3, and without scipy, which takes longer to import than a small folder to audit.

    >>> 0.04 < chi_squared_beyond(3.841, 1) < 0.06
    True
    """
    variance = 2 / (9 * freedom)
    return NormalDist().cdf((1 - variance - (statistic / freedom) ** (1 / 3)) / math.sqrt(variance))


def _finding(name: str, table: pl.DataFrame, association: float) -> Finding:
    mixes = table.group_by("value").agg(pl.len(), pl.col("label").value_counts(sort=True)).sort("len", descending=True)
    shown = [
        f"{value}: "
        + ", ".join(f"{item['label']} {item['count']}" for item in sorted(labels, key=lambda i: str(i["label"])))
        for value, _, labels in mixes.sort("len", "value", descending=[True, False]).head(6).iter_rows()
    ]
    strong = association >= STRONG
    return Finding(
        "sources",
        "warning" if strong else "info",
        "Classes come from different sources" if strong else "Classes are spread unevenly over sources",
        f"The {name} gives the label away in part, so a network can learn it instead of the disease. Take every class from "
        "every source, test on a source that was not trained on, and report results for each.",
        evidence={"property": name, "cramers_v": round(association, 3), "counts": "; ".join(shown)},
    )
