"""What every table of predictions has beside the targets: who the cases are, and the groups that are told apart."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.patient_groups import patient_groups
from evenray.core.types import Dataset

__all__ = ["GROUPS", "identified", "told_columns"]

GROUPS = ("site", "sex", "age_band", "manufacturer")


def identified(dataset: Dataset) -> pl.DataFrame:
    """case, patient and part of every case, and whatever of GROUPS the data set has."""
    patient = patient_groups(dataset.cases).alias("patient")
    return dataset.cases.select("case", patient, "part", *(name for name in GROUPS if name in dataset.cases.columns))


def told_columns(
    known: pl.DataFrame, logits_NK: NDArray[np.float64], probabilities_NK: NDArray[np.float64]
) -> list[pl.Series]:
    """What the network said of every case, and the groups of `identified`."""
    told = {"logit": logits_NK, "p": probabilities_NK}
    outputs = [pl.Series(f"{name}_{k}", values[:, k]) for name, values in told.items() for k in range(values.shape[1])]
    return [*outputs, *(known[name] for name in GROUPS if name in known.columns)]
