"""Counting and looking up 16-bit values with compiled loops, once a process has enough pixels to make loading them pay."""

from __future__ import annotations

import operator
import sys
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .threads import over, shares

__all__ = ["blank_like", "count", "count_pairs", "look_up", "worth_it"]

_LEAST = 1 << 18  # pixels; below, OpenCV is as fast
_PAYS = 1 << 30  # pixels after which the loops have saved about what loading them took, .4 s
_CHEAP = 2  # values cost what one pixel of other work does, so that threads pay from a million on
_FAR = 1 << 22  # values from which an outcome is written past the caches: it would not stay there
_passed = 0


def worth_it(pixels: int) -> bool:
    """Whether an image of so many pixels should go through the loops: large, and they are loaded or worth loading.

    The result is the same either way, to the bit; OpenCV serves until then.
    """
    global _passed
    if pixels < _LEAST:
        return False
    _passed += pixels
    return _passed >= _PAYS or "evenray.core.compiled" in sys.modules  # a local method loads it


def count(values: NDArray[np.uint16], bins: int) -> NDArray[np.int64]:
    """How often 0 to bins - 1 occur in values (n,), int64 (bins,); larger values are left out.

    >>> count(np.array([0, 2, 2, 2, 9], np.uint16), 3).tolist()
    [1, 0, 3]
    """
    size = 1 << (bins - 1).bit_length()
    words, rest = _words(values, 4)
    found, every = _tables(words, size)
    if size < 65_536 and any(every >> shift & 65_535 >= size for shift in (0, 16, 32, 48)):
        return count(values, 65_536)[:bins]
    total = sum(found[1:], found[0].astype(np.int64))
    for value in rest.tolist():
        if value < size:
            total[value] += 1
    return np.asarray(total[:bins])


def count_pairs(values: NDArray[np.uint16]) -> NDArray[np.int64]:
    """How often each byte occurs in values (n,) of two bytes, int64 (256,).

    >>> count_pairs(np.array([0x0100, 0x0101, 0, 0, 0x0203], np.uint16))[:4].tolist()
    [5, 3, 1, 1]
    """
    from .loops import add_marginals

    words, rest = _words(values, 4)
    total = np.bincount(rest.view(np.uint8), minlength=256).astype(np.int64)
    for table in _tables(words, 65_536)[0]:
        add_marginals(table, total)
    return total


def _tables(words: NDArray[np.uint64], size: int) -> tuple[list[NDArray[np.uint32]], int]:
    """Counts of the values that each thread met in the words, uint32 (size,), and all words or-ed together."""
    from .loops import count_words

    made: list[NDArray[np.uint32]] = []
    free: list[NDArray[np.uint32]] = []
    above: list[int] = []

    def work(part: tuple[int, int]) -> None:
        first, last = part
        try:
            table = free.pop()
        except IndexError:
            table = np.zeros(size, np.uint32)
            made.append(table)
        above.append(int(count_words(words[first:last], np.uint64(size - 1), table)))
        free.append(table)

    number = words.size * 4 // _CHEAP
    over(shares(len(words), number), work, number)
    return made, reduce(operator.or_, above, 0)


def blank_like(pixels: NDArray[Any]) -> NDArray[Any]:
    """Not yet filled, of the shape and dtype of `pixels`, and beginning where `look_up` can write past the caches.

    >>> blank_like(np.zeros((2, 3), np.uint8)).shape
    (2, 3)
    """
    from .loops import BOUNDARY

    room = np.empty(pixels.nbytes + BOUNDARY, np.uint8)
    first = -_address(room) % BOUNDARY
    return room[first : first + pixels.nbytes].view(pixels.dtype).reshape(pixels.shape)


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def look_up(values: NDArray[np.uint16], table: NDArray[Any], outcome: NDArray[np.uint16]) -> None:
    """Values (n,) through table (65536,) into outcome (n,).

    >>> found = np.empty(9, np.uint16)
    >>> look_up(np.arange(9, dtype=np.uint16), np.arange(65_536)[::-1].astype(np.uint16), found)
    >>> found.tolist()
    [65535, 65534, 65533, 65532, 65531, 65530, 65529, 65528, 65527]
    """
    from . import loops

    words, rest = _words(values, 16)
    far = values.size >= _FAR and _address(outcome) % loops.BOUNDARY == 0
    write = loops.stream_words if far else loops.look_up_words

    def work(part: tuple[int, int]) -> None:
        first, last = part
        write(words[first * 4 : last * 4], table, outcome[first * 16 : last * 16])

    number = values.size // _CHEAP
    over(shares(len(words) // 4, number), work, number)
    outcome[values.size - rest.size :] = table[rest]


def _words(values: NDArray[np.uint16], step: int) -> tuple[NDArray[np.uint64], NDArray[Any]]:
    """Four values a word, without copying, in whole groups of `step` values; and the few values that are left."""
    whole = values.size // step * step
    words = values[:whole].view(np.uint64)
    words = words if words.flags.aligned else words.copy()
    return words, values[whole:]
