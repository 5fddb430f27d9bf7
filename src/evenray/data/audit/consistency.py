"""Consistency: one kind of acquisition, or several in one set."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, counted

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
        counts = counted(values)
        if len(counts) > 1:
            found.append(_named(dataset, name, values, counts))
    for name in MEASURED:
        values = column(dataset.cases, name).cast(pl.Float64, strict=False).drop_nulls()
        if values.len() and values.n_unique() > 1:
            low, high = float(values.quantile(0.05) or 0), float(values.quantile(0.95) or 0)
            if high > APART * max(low, 1e-9) or low < 0 < high:
                shown = {"5th_percentile": low, "median": float(np.median(values)), "95th_percentile": high}
                evidence = {"property": name, **{q: round(value, 4) for q, value in shown.items()}}
                found.append(Finding("consistency", "info", evidence=evidence, variant="varies"))
    return found


def _named(dataset: Dataset, name: str, values: pl.Series, counts: dict[str, int]) -> Finding:
    rare = [value for value, count in counts.items() if count <= STRAY * values.count()]
    strays = values.is_in(rare).fill_null(False)
    evidence = {"property": name, "values": counts}
    if 0 < int(strays.sum()) <= STRAY * values.len():
        cases = tuple(sorted(dataset.cases["case"].filter(strays)))
        return Finding("consistency", "warning", cases, evidence=evidence, variant="strays")
    return Finding("consistency", "info", evidence=evidence, variant="varies")
