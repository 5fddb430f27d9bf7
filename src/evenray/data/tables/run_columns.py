"""Columns that hold masks as runs of pixels, as Kaggle's tables have them."""

from __future__ import annotations

import numpy as np
import polars as pl

__all__ = ["is_runs", "run_columns"]

ENOUGH, LOOKED_AT = 0.5, 64  # the share of a column's first values that must be runs


def is_runs(text: str) -> bool:
    """Whether a text is pairs of numbers: starts that rise, from 1, each with a length that ends before the next start.

    >>> is_runs("1 3 10 2"), is_runs("3 1 2 4"), is_runs("12 3 5"), is_runs("a b")
    (True, False, False, False)
    """
    words = text.split()
    if not words or len(words) % 2 or not all(word.isdecimal() for word in words):
        return False
    numbers = np.array(words, dtype=np.float64).reshape(-1, 2)
    starts, lengths = numbers.T
    return bool((starts >= 1).all() and (lengths >= 1).all() and (starts[1:] >= (starts + lengths)[:-1]).all())


def run_columns(raw: pl.DataFrame) -> list[str]:
    """The columns of a table that hold runs; "" and -1 say that there are none.

    >>> run_columns(pl.DataFrame({"image": ["1 2", "3 4"], "EncodedPixels": ["1 3 10 2", "-1"], "n": ["5", "6"]}))
    ['EncodedPixels']
    """
    found = []
    for name in raw.columns:
        values = [value for value in raw[name].drop_nulls().head(LOOKED_AT).to_list() if value != "-1"]
        long = any(len(value.split()) > 2 for value in values)
        if long and sum(is_runs(value) for value in values) >= ENOUGH * len(values):
            found.append(name)
    return found
