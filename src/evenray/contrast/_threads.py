"""Shares work over threads; as many as OpenCV is set to use, so one setting governs both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import cv2

T = TypeVar("T")

__all__ = ["over", "shares", "workers"]

_WORTH_IT = 500_000  # pixels; below, starting threads costs more than they save


def workers(pixels: int) -> int:
    """How many threads an image of so many pixels is worth."""
    return max(1, cv2.getNumThreads()) if pixels >= _WORTH_IT else 1


def shares(rows: int, pixels: int) -> list[tuple[int, int]]:
    """`rows` cut into one share a thread: (first, last + 1) each.

    >>> shares(5, pixels=10)
    [(0, 5)]
    """
    cuts = [rows * k // workers(pixels) for k in range(workers(pixels) + 1)]
    return list(pairwise(cuts))


def over(items: Iterable[T], function: Callable[[T], None], pixels: int) -> None:
    """Call `function` with every item, in threads where the image is large; the first error is raised.

    >>> seen = []
    >>> over([1, 2], seen.append, pixels=10)
    >>> seen
    [1, 2]
    """
    threads = workers(pixels)
    if threads == 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, items):
            pass
