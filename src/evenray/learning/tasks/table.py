"""What every table of predictions has beside the targets: who the cases are, and the groups that are told apart."""

from __future__ import annotations

import polars as pl

from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset

__all__ = ["GROUPS", "identified"]

GROUPS = ("site", "sex", "age_band")


def identified(dataset: Dataset) -> pl.DataFrame:
    """case, patient and part of every case, and whatever of GROUPS the data set has."""
    patient = patient_groups(dataset.cases).alias("patient")
    return dataset.cases.select("case", patient, "part", *(name for name in GROUPS if name in dataset.cases.columns))
