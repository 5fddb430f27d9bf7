"""Sources: does each class come from everywhere, or has one class a source of its own?"""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.findings import Finding, Severity
from evenray.core.types import Dataset

from ._cases import column

__all__ = ["sources"]

NAMED = ("site", "manufacturer", "modality", "view", "photometric", "format", "sex")
STRONG, MODERATE = 0.5, 0.2  # Cramér's V
UNLIKELY = 1e-3
MANY = 20  # values: more than this is an identifier, not a source


def sources(dataset: Dataset) -> list[Finding]:
    """Properties whose values are spread unevenly over the classes: Cramér's V above 0.2 (remark) or 0.5 (warning)."""
    from scipy.stats import chi2_contingency
    from scipy.stats.contingency import association

    found = []
    for name in NAMED:
        table = pl.DataFrame([column(dataset.cases, name).cast(pl.String).alias("value"), dataset.cases["label"]])
        table = table.drop_nulls()
        if not 2 <= table["value"].n_unique() <= MANY or table["label"].n_unique() < 2:
            continue
        mixes: dict[str, dict[str, int]] = {}
        for value, label, count in table.group_by("value", "label").len().sort("value", "label").iter_rows():
            mixes.setdefault(value, {})[label] = count
        classes = table["label"].unique().to_list()
        observed = np.array([[mix.get(label, 0) for label in classes] for mix in mixes.values()])
        v = float(association(observed, method="cramer"))
        if v < MODERATE or chi2_contingency(observed, correction=False).pvalue >= UNLIKELY:
            continue
        largest_first = dict(sorted(mixes.items(), key=lambda item: -sum(item[1].values())))
        evidence = {"property": name, "cramers_v": round(v, 3), "counts": largest_first}
        severity: Severity = "warning" if v >= STRONG else "info"
        found.append(Finding("sources", severity, evidence=evidence, variant="clear" if v >= STRONG else "slight"))
    return found
