"""The parts that samplers are made of: class members in order, stateless permutations, balanced batches, shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError

__all__ = ["balance_batches", "draw", "fill_by_class", "permuted", "shard", "shuffle"]

Indices = NDArray[np.int64]
CHUNK = 1 << 20  # targets looked at in one go: memory beyond the index stays at a few of these
SMALL = 1 << 15


def fill_by_class(targets_N: Indices, out: Indices, starts: Indices) -> None:
    """Write the indices of class k, in order, into `out` from `starts[k]` on.

    >>> out = np.full(5, -1)
    >>> fill_by_class(np.array([1, 0, 1, 1, 0]), out, np.array([0, 2]))
    >>> out
    array([1, 4, 0, 2, 3])
    """
    place = starts.copy()
    for first in range(0, len(targets_N), CHUNK):
        piece = targets_N[first : first + CHUNK]
        for k in range(len(place)):
            found = np.flatnonzero(piece == k)
            out[place[k] : place[k] + len(found)] = found + first
            place[k] += len(found)


def draw(targets_N: Indices, out: Sequence[Indices], firsts_K: Indices, seed: int) -> None:
    """Fill `out[k]`, for each class k, with a window from `firsts_K[k]` on of an endless stream of its members.

    The stream of a class is one random order of its members after another, so that consecutive windows show every
    member equally often. Nothing is kept between calls, and no list of the members is made.

    >>> windows = [[np.empty(1, np.int64), np.empty(1, np.int64)] for epoch in range(3)]
    >>> for epoch in range(3):
    ...     draw(np.array([0, 0, 0, 1]), windows[epoch], np.array([epoch, epoch]), seed=7)
    >>> sorted(int(w[0][0]) for w in windows), [int(w[1][0]) for w in windows]
    ([0, 1, 2], [3, 3, 3])
    """
    sizes = np.bincount(targets_N, minlength=len(out))
    for k, window in enumerate(out):  # first the ranks among the members, marked as such by being negative
        _fill_ranks(window, int(firsts_K[k]), int(sizes[k]), (seed, k))
    below = [0] * len(out)
    for first in range(0, len(targets_N), 4 * CHUNK):
        piece = targets_N[first : first + 4 * CHUNK]
        for k, window in enumerate(out):
            members = np.flatnonzero(piece == k)
            for start in range(0, len(window), SMALL):
                part = window[start : start + SMALL]
                place = ~part - below[k]
                here = np.flatnonzero(place.view(np.uint64) < len(members))  # what is below zero wraps around
                part[here] = members[place[here]] + first
            below[k] += len(members)


def _fill_ranks(window: Indices, first: int, size: int, key: tuple[int, ...]) -> None:
    done = 0
    while done < len(window):
        cycle, place = divmod(first + done, size)
        here = min(size - place, len(window) - done, CHUNK)
        ranks = permuted(np.arange(place, place + here, dtype=np.uint32), size, (*key, cycle))
        np.invert(ranks, out=window[done : done + here], dtype=np.int64)
        done += here


def permuted(positions: NDArray[Any], size: int, key: tuple[int, ...]) -> NDArray[np.uint32]:
    """Where a random permutation of range(size), size < 2^32, sends `positions`; it is fixed by `key`, and not kept.

    Beyond 32,768: a Feistel network over the next power of two, walked until it lands inside (Black & Rogaway 2002).

    >>> np.sort(permuted(np.arange(10), 10, (1, 2)))
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], dtype=uint32)
    """
    rng = np.random.default_rng(key)
    if size <= SMALL:
        return np.asarray(rng.permutation(size)[positions], dtype=np.uint32)
    bits = (size - 1).bit_length()
    keys = rng.integers(0, 1 << 32, size=4, dtype=np.uint32)
    out = np.empty(len(positions), dtype=np.uint32)
    for first in range(0, len(positions), SMALL):  # pieces that stay in the cache
        value = _feistel(positions[first : first + SMALL].astype(np.uint32), bits, keys)
        outside = np.flatnonzero(value >= size)
        while len(outside):
            value[outside] = _feistel(value[outside], bits, keys)
            outside = outside[value[outside] >= size]
        out[first : first + SMALL] = value
    return out


def _feistel(value: NDArray[np.uint32], bits: int, keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Four rounds: the high part is changed by a hash of the low part, then the two change places."""
    low, high = bits // 2, bits - bits // 2
    for key in keys:
        right = value & np.uint32((1 << low) - 1)
        mixed = right + key
        mixed *= np.uint32(0x9E3779B1)
        mixed ^= mixed >> np.uint32(15)
        mixed *= np.uint32(0x85EBCA77)
        mixed >>= np.uint32(32 - high)
        mixed ^= value >> np.uint32(low)
        right <<= np.uint32(high)
        right |= mixed
        value, low, high = right, high, low
    return value


def shuffle(order: Indices, rng: np.random.Generator) -> None:
    """Put the indices (below 2^32) into a random order along the last axis, in place.

    >>> order = np.arange(5)
    >>> shuffle(order, np.random.default_rng(0))
    >>> sorted(order.tolist()), bool((order == np.arange(5)).all())
    ([0, 1, 2, 3, 4], False)
    """
    from ._shuffling import shuffle_rows  # loads numba, which takes longer than many a training's other preparations

    rows = order.reshape(-1, order.shape[-1]) if order.size else order.reshape(0, 0)
    shuffle_rows(rows, rng.integers(0, 1 << 64, dtype=np.uint64))


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


def shard(indices: Indices, *, batch: int, rank: int, world: int) -> Indices:
    """The part of an epoch that process `rank` of `world` trains on: every `world`-th batch, the same number for each.

    Batches stay whole, so what a sampler promises of a batch holds in every process; the list is filled up from its
    beginning to a multiple of `batch * world`.

    >>> [shard(np.arange(6), batch=2, rank=r, world=2).tolist() for r in (0, 1)]
    [[0, 1, 4, 5], [2, 3, 0, 1]]
    """
    if not 0 <= rank < world:
        raise UsageError(f"rank is {rank}; expected 0 to {world - 1} for {world} processes.")
    if world == 1:
        return indices
    whole = -(-len(indices) // (batch * world)) * batch * world
    return np.resize(indices, whole).reshape(-1, world, batch)[:, rank].reshape(-1)
