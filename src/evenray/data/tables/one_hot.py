"""Columns of yes and no that are the classes of one question: every row says yes in one of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .findings import one_class
from .meanings import FLAGS

__all__ = ["one_hot", "one_hot_block"]


def one_hot(raw: pl.DataFrame, flags: Sequence[str]) -> bool:
    """Whether every row says yes in one of the columns alone.

    >>> one_hot(pl.DataFrame({"a": ["1", "0"], "b": ["0", "yes"]}), ["a", "b"])
    True
    """
    known = {word: flag for word, flag in FLAGS.items() if flag is not None}
    columns = (
        pl.col(name).str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.Boolean) for name in flags
    )
    return one_class(raw.select(columns))


def one_hot_block(raw: pl.DataFrame, flags: Sequence[str]) -> list[str]:
    """The most columns side by side of which every row names one, three at least; none where there is no such block."""
    names = raw.columns
    blocks = [names[start:end] for start in range(len(names)) for end in range(start + 3, start + len(flags))]
    blocks = [block for block in blocks if set(block) <= set(flags)]
    return next((block for block in sorted(blocks, key=len, reverse=True) if one_hot(raw, block)), [])
