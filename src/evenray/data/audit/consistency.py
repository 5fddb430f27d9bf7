"""Consistency: one kind of acquisition, or several in one set."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.types import Dataset, Finding

from ._table import column, values_text

__all__ = ["consistency"]

STRAY = 0.05  # the share of cases up to which a value is an exception
NAMED = ("modality", "photometric", "view", "manufacturer", "format", "channels", "bits", "dtype", "spacing_source")
MEASURED = ("window_center", "window_width", "spacing_row", "rows", "columns")
APART = 1.5  # times from the 5th to the 95th percentile above which a measured property varies


def consistency(dataset: Dataset) -> list[Finding]:
    """One finding for each property that differs between the cases: a warning where few are strays, else a remark."""
    found = []
    for name in NAMED:
        values = column(dataset.cases, name).cast(pl.String)
        counts = values.drop_nulls().value_counts().sort(["count", name], descending=[True, False])
        if counts.height > 1:
            found.append(_named(dataset, name, values, counts))
    for name in MEASURED:
        values = column(dataset.cases, name).cast(pl.Float64, strict=False).drop_nulls()
        if values.len() and values.n_unique() > 1:
            low, high = float(values.quantile(0.05) or 0), float(values.quantile(0.95) or 0)
            if high > APART * max(low, 1e-9) or low < 0 < high:
                found.append(_measured(name, values, low, high))
    return found


def _named(dataset: Dataset, name: str, values: pl.Series, counts: pl.DataFrame) -> Finding:
    rare = counts.filter(pl.col("count") <= STRAY * values.count())[name]
    strays = values.is_in(rare.implode()).fill_null(False)
    few = strays.any() and int(strays.sum()) <= STRAY * values.len()
    evidence: dict[str, float | int | str] = {"property": name, "values": values_text(values)}
    if few:
        cases = tuple(sorted(dataset.cases["case"].filter(strays)))
        evidence["images"] = len(cases)
        advice = (
            f"Nearly all share one {_words(name)}; these few came another way. Look at them, and exclude what is alien."
        )
        return Finding(
            "consistency", "warning", "A few images differ in an acquisition property", advice, cases, evidence
        )
    return Finding("consistency", "info", "An acquisition property varies", _advice(name), (), evidence)


def _measured(name: str, values: pl.Series, low: float, high: float) -> Finding:
    evidence: dict[str, float | int | str] = {
        "property": name,
        "median": round(float(np.median(values.to_numpy())), 4),
        "5th_percentile": round(low, 4),
        "95th_percentile": round(high, 4),
    }
    return Finding("consistency", "info", "An acquisition property varies", _advice(name), (), evidence)


def _advice(name: str) -> str:
    return (
        f"The {_words(name)} is not the same for all images. That is harmless when it is unrelated to the label (see the "
        "findings about sources and shortcuts); report results for each group as well."
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
