"""Findings as arrays: which of several findings every case has, has not, or is not known to have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["ABSENT", "PRESENT", "UNKNOWN", "matrix", "rarest", "realigned"]

UNKNOWN = -1
ABSENT, PRESENT = "absent", "present"  # the two classes of a finding taken by itself

Ints = NDArray[np.int64]


def matrix(findings: pl.Series, count: int) -> Ints:
    """A column of lists of yes, no and null as int64 (cases, count): 1 present, 0 absent, UNKNOWN.

    >>> matrix(pl.Series([[True, False], [None, True]]), 2)
    array([[ 1,  0],
           [-1,  1]])
    """
    flat = findings.explode(empty_as_null=False).cast(pl.Int64).fill_null(UNKNOWN).to_numpy()
    return np.array(flat, dtype=np.int64).reshape(-1, count)


def realigned(findings: pl.Series, own: Sequence[str], wanted: Sequence[str]) -> pl.Series:
    """The lists of findings named `own` in the order of `wanted`; what is not among these is unknown. Of several with one name
    one that is present decides, else one that is unknown.

    >>> realigned(pl.Series([[True, False]]), ("a", "b"), ("b", "c", "a")).to_list()
    [[False, None, True]]
    """
    places = [[k for k, each in enumerate(own) if each == name] for name in wanted]
    told = [[_any([row[k] for k in places_of]) for places_of in places] for row in findings.to_list()]
    return pl.Series(findings.name, told, dtype=pl.List(pl.Boolean))


def _any(values: Sequence[bool | None]) -> bool | None:
    """Whether one of some findings is present; None where nothing tells."""
    return True if True in values else None if None in values or not values else False


def rarest(targets_NF: Ints, order: Ints | None = None) -> Ints:
    """The rarest finding that each case has, int64 (cases,): its column, or the number of findings where it has none.

    `order` has the findings from the rarest on (default: as these cases have them; of equals the first).

    >>> rarest(np.array([[1, 1], [1, 0], [0, -1]]))
    array([1, 0, 2])
    """
    present = targets_NF == 1
    order = np.argsort(present.sum(axis=0), kind="stable") if order is None else order
    found = np.full(len(targets_NF), targets_NF.shape[1], dtype=np.int64)
    for finding in order[::-1]:
        found[present[:, finding]] = finding
    return found
