"""The examples of a task: rows of a store, with what is true of them as the task has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.registry import Registry
from evenray.data.store import Store

from .part import Part

__all__ = ["examples"]

kinds = Registry(
    "kind of examples",
    {
        "classify": "evenray.learning.train.part:Part",
        "tag": "evenray.learning.train.part:Part",
        "segment": "evenray.learning.train.mask_part:MaskPart",
        "detect": "evenray.learning.train.box_part:BoxPart",
    },
    context=4,
)


def examples(
    task: str, store: Store, rows: NDArray[np.int64], targets: NDArray[np.int64], cases: Sequence[str] | pl.Series = ()
) -> Part:
    """Rows of a store as a task learns from them; `targets` are what its samplers draw by.

    >>> import numpy as np
    >>> len(examples("classify", Store((np.zeros((3, 8, 8), np.uint8),), 255), np.array([2, 0]), np.array([1, 0])))
    2
    """
    found: Part = kinds[task](store, rows, targets, cases)
    return found
