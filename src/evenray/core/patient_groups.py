"""Whom a case is of: what must stand on one side of a split, and what counts once in an interval."""

from __future__ import annotations

import polars as pl

__all__ = ["whose"]


def whose(cases: pl.DataFrame) -> pl.Series:
    """The patient of every case; where unknown, the study; else the file, where it holds several cases; null where nothing tells.

    A study is of one patient, and files that were made anonymous often keep it. The same study under every case tells
    nothing, nor does an archive (.npz), which is of many patients. Columns that are missing count as unknown.

    >>> table = {"patient": ["p", None, None, None, None], "study": ["s", "t", "t", None, None], "file": list("abccd")}
    >>> whose(pl.DataFrame(table)).to_list()
    ['p', 'study t', 'study t', 'file c', None]
    """
    known = []
    if "patient" in cases.columns:
        known.append(pl.col("patient").cast(pl.String))
    if "study" in cases.columns and cases["study"].drop_nulls().n_unique() > 1:
        known.append("study " + pl.col("study").cast(pl.String))
    if "file" in cases.columns:
        file = pl.col("file").cast(pl.String)
        several = (pl.len().over("file") > 1) & ~file.str.ends_with(".npz")
        known.append(pl.when(several).then("file " + file))
    if not known:
        return pl.Series("whose", [None] * cases.height, dtype=pl.String)
    return cases.select(whose=pl.coalesce(known)).to_series()
