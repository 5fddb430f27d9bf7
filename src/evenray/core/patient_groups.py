"""Patient groups: the cases of one person, which must stand on one side of a split and count once in an interval."""

from __future__ import annotations

import polars as pl

__all__ = ["patient_groups"]


def patient_groups(cases: pl.DataFrame) -> pl.Series:
    """The name of the group of every case: the patient; where unknown, the study; else the file, where it holds several
    cases, or the volume that it is a slice of; null where nothing is known.

    A study is of one patient, and files that were made anonymous often keep it. If all cases name the same study, it is
    ignored, and so is an archive (.npz), which holds many patients. Columns that are missing count as unknown.

    >>> table = {"patient": ["p", None, None, None, None], "study": ["s", "t", "t", None, None], "file": list("abccd")}
    >>> patient_groups(pl.DataFrame(table)).to_list()
    ['p', 'study t', 'study t', 'file c', None]
    """
    known = [pl.lit(None, pl.String)]
    if "patient" in cases.columns:
        known.append(pl.col("patient").cast(pl.String))
    if "study" in cases.columns and cases["study"].drop_nulls().n_unique() > 1:
        known.append("study " + pl.col("study").cast(pl.String))
    if "file" in cases.columns:
        file = pl.col("file").cast(pl.String)
        several = (pl.len().over("file") > 1) & ~file.str.ends_with(".npz")
        known.append(pl.when(several).then("file " + file))
    if "volume" in cases.columns:
        known.append("volume " + pl.col("volume").cast(pl.String))
    return cases.with_columns(patient_group=pl.coalesce(known))["patient_group"]
