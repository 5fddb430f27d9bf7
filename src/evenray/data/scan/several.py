"""Several findings in one column of labels: `A|B`, each yes; whatever a row does not name is absent."""

from __future__ import annotations

import polars as pl

from evenray.data.tables.positive import healthy

__all__ = ["findings_of_labels"]

BETWEEN = "|"


def findings_of_labels(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]] | None:
    """The rows with a column `findings` in place of labels, and the findings' names; None where no label names several.

    A label that says that there is none (No Finding) names no finding.

    >>> rows, names = findings_of_labels(pl.DataFrame({"label": ["Mass|Nodule", "No Finding", "Mass"]}))
    >>> names, rows["findings"].to_list(), rows["label"].to_list()
    (('Mass', 'Nodule'), [[True, True], [False, False], [True, False]], [None, None, None])
    """
    said = rows["label"].str.split(BETWEEN)
    if not (said.list.len() > 1).any():
        return None
    told = [None if one is None else [word.strip() for word in one] for one in said]
    names = tuple(sorted({word for words in told if words for word in words if word and not healthy(word)}))
    column = [None if words is None else [name in words for name in names] for words in told]
    findings = pl.Series("findings", column, dtype=pl.List(pl.Boolean))
    return rows.with_columns(findings, label=pl.lit(None, pl.String)), names
