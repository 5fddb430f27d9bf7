"""Columns that hold masks as runs of pixels, as Kaggle's tables have them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from .meanings import compact

__all__ = ["are_steps", "is_runs", "run_columns"]

ENOUGH, LOOKED_AT = 0.5, 64  # the share of a column's first values that must be runs
CALLED = re.compile(r".*(rle|encoded|runs?$|pixels|mask).*")


def is_runs(text: str) -> bool:
    """Whether a text is pairs of numbers: starts that rise, from 1, each with a length that ends before the next start.

    >>> is_runs("1 3 10 2"), is_runs("3 1 2 4"), is_runs("12 3 5"), is_runs("a b")
    (True, False, False, False)
    """
    numbers = _pairs(text)
    if numbers is None:
        return False
    starts, lengths = numbers.T
    return bool((starts >= 1).all() and (lengths >= 1).all() and (starts[1:] >= (starts + lengths)[:-1]).all())


def are_steps(texts: Sequence[str]) -> bool:
    """Whether most texts of several pairs are no runs by themselves, but are where each start counts from the end of the run
    before it, as in SIIM-ACR's table.

    >>> are_steps(["1000 5 95 7 93 8"]), are_steps(["1000 5 1100 7 1200 8"])
    (True, False)
    """
    several = [numbers for text in texts if (numbers := _pairs(text)) is not None and len(numbers) > 1]
    steps = [
        bool((numbers[:, 1] >= 1).all() and (numbers[1:, 0] < numbers[:-1].sum(axis=1)).any()) for numbers in several
    ]
    return bool(several) and sum(steps) > ENOUGH * len(several)


def _pairs(text: str) -> np.ndarray | None:
    words = text.split()
    if not words or len(words) % 2 or not all(word.isdecimal() for word in words):
        return None
    return np.array(words, dtype=np.float64).reshape(-1, 2)


def run_columns(raw: pl.DataFrame) -> list[str]:
    """The columns of a table that hold runs; "" and -1 say that there are none. Starts that do not rise are runs where the name of
    the column says so.

    >>> run_columns(pl.DataFrame({"image": ["1 2", "3 4"], "EncodedPixels": ["1 3 10 2", "-1"], "n": ["5", "6"]}))
    ['EncodedPixels']
    """
    found = []
    for name in raw.columns:
        values = [value for value in raw[name].drop_nulls().head(LOOKED_AT).to_list() if value != "-1"]
        long = any(len(value.split()) > 2 for value in values)
        runs = sum(is_runs(value) for value in values) >= ENOUGH * len(values)
        if long and (runs or (CALLED.fullmatch(compact(name)) and are_steps(values))):
            found.append(name)
    return found
