"""The parts that samplers are made of: members of a class in random order, shuffling, balanced batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["balance_batches", "draw", "members", "shuffle"]

Indices = NDArray[np.int64]
STEPS = 1 << 12  # swaps whose places are computed in one go


def members(targets_N: Indices, classes: int) -> list[Indices]:
    """The indices of each class, in order.

    >>> members(np.array([1, 0, 1, 1, 0]), 2)
    [array([1, 4]), array([0, 2, 3])]
    """
    return [np.flatnonzero(targets_N == k) for k in range(classes)]


def draw(members_M: Indices, first: int, count: int, key: tuple[int, ...]) -> Indices:
    """The entries `first` to `first + count` of an endless stream of the members, fixed by `key`.

    The stream is one random order of all members after another, so consecutive windows show each equally often.

    >>> windows = [draw(np.array([3, 4, 5]), first, 1, key=(7, 0)) for first in range(3)]
    >>> sorted(np.concatenate(windows).tolist())
    [3, 4, 5]
    """
    found = np.empty(0, dtype=np.int64)
    while len(found) < count:
        cycle, place = divmod(first + len(found), len(members_M))
        order = np.random.default_rng((*key, cycle)).permutation(len(members_M))
        found = np.concatenate([found, members_M[order[place:]]])
    return found[:count]


def shuffle(order: Indices, rng: np.random.Generator) -> None:
    """Put each row along the last axis into a random order, in place (Fisher & Yates; Durstenfeld 1964).

    The places come from SplitMix64 (Steele et al. 2014) without bias (Lemire 2019), seeded by one draw of `rng`: the
    order of a seed depends on no version of numpy.

    >>> order = np.arange(5)
    >>> shuffle(order, np.random.default_rng(0))
    >>> sorted(order.tolist()), bool((order == np.arange(5)).all())
    ([0, 1, 2, 3, 4], False)
    """
    seed, length = rng.integers(0, 1 << 64, dtype=np.uint64), order.shape[-1]
    if order.size == 0 or length < 2:
        return
    values = memoryview(order.reshape(-1))  # type: ignore[arg-type]  # numpy's stubs know no buffer before Python 3.12
    steps, step, words = order.size // length * (length - 1), 0, 0
    while step < steps:
        row, done = np.divmod(np.arange(step, min(step + STEPS, steps)), length - 1)
        last = length - 1 - done
        place, accepted = _places(seed, words, (last + 1).astype(np.uint64))
        for one, other in zip(
            (row * length + last).tolist(), (row[: len(place)] * length + place).tolist(), strict=False
        ):
            values[one], values[other] = values[other], values[one]
        step += len(place)
        words += len(place) if accepted else len(place) + 1


def _places(seed: np.uint64, words: int, sizes: NDArray[np.uint64]) -> tuple[Indices, bool]:
    """A random place below each size, from the words of SplitMix64 after the first `words`, up to the first word that
    Lemire's method rejects; and whether none was rejected."""
    state = seed + np.arange(words + 1, words + 1 + len(sizes), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    product = ((word ^ (word >> np.uint64(31))) >> np.uint64(32)) * sizes
    rejected = np.flatnonzero((product & np.uint64(0xFFFFFFFF)) < (np.uint64(1 << 32) - sizes) % sizes)
    end = int(rejected[0]) if len(rejected) else len(sizes)
    return (product[:end] >> np.uint64(32)).astype(np.int64), len(rejected) == 0


def balance_batches(rounds: Indices, batch: int, rng: np.random.Generator) -> Indices:
    """Rounds (n, K) of a case of each class as one list, whose every `batch` consecutive entries hold each class equally
    often (to one, where the classes do not divide the batch), in random order within the batch.

    >>> order = balance_batches(np.array([[1, 8], [2, 9]]), 2, np.random.default_rng(0))
    >>> sorted(order[:2].tolist()), sorted(order[2:].tolist())
    ([1, 8], [2, 9])
    """
    if batch < rounds.shape[1]:
        raise UsageError(f"A batch of {batch} cannot hold a case of each of {rounds.shape[1]} classes; make it larger.")
    order = rounds.reshape(-1)
    whole = len(order) // batch * batch
    shuffle(order[:whole].reshape(-1, batch), rng)
    shuffle(order[whole:], rng)
    return order
