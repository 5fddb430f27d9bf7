"""Sums over the cases of each class of what the scan kept of their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.sketches import Rows, blocks

__all__ = ["class_sums", "numbers_of"]


def class_sums(cases: pl.DataFrame, rows: Rows, drawn: Sequence[str]) -> dict[str, tuple[NDArray[np.int64], int]]:
    """The sum of a sketch's rows over the cases of each class in `drawn`, int64, and their number; excluded cases do not count."""
    kept = cases
    if "part" in kept.columns:
        kept = kept.filter(pl.col("part").fill_null("") != "excluded")
    sums: dict[str, tuple[NDArray[np.int64], int]] = {}
    for (label,), own in kept.select("label", "sketch").group_by("label"):
        numbers = numbers_of(own)
        parts = [rows[numbers[block]].sum(axis=0, dtype=np.int64) for block in blocks(len(numbers))]
        sums[label] = np.sum(parts, axis=0), own.height
    return {label: sums[label] for label in drawn if label in sums}


def numbers_of(cases: pl.DataFrame) -> NDArray[np.int64]:
    """The rows of cases in their sketches."""
    return cases["sketch"].to_numpy().astype(np.int64)
