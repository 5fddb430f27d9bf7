"""The search for near duplicates: binary codes of fingerprints, matched in tables, verified on the thumbnails.

Aligned images (chest X-rays) all look alike to a perceptual hash, so what is common to the data set is taken off first:
a code is the signs of the fingerprint's 63 frequencies about their medians in this set. Codes that agree in one of
twenty random selections of bits are compared whole (locality-sensitive hashing: Indyk and Motwani, STOC 1998), and
what is left is verified by the correlation of the thumbnails, again without their common part.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.components import components
from evenray.core.sketches import blocks
from evenray.core.types import Dataset

from ._peers import sample

__all__ = ["NearGroup", "candidates", "near_copies", "near_groups"]

BITS_APART = 10  # of 63; gamma 0.7, a crop of 1 % or a turn by 1 degree change at most 8
MATCH = 0.95  # correlation of thumbnails; between different patients it stays below 0.9 in 5,800 chest X-rays
TABLES = 20
RUN = 48  # neighbours compared in one bucket, against buckets that overflow
OPPOSED = 0.1  # likeness to the mean; a negative has less than none, most images of an aligned set have 0.5 and more
BLOCK, ROUND = 1024, 65536  # thumbnails unpacked, and pairs verified, at once
_NEEDED = ("case", "label", "patient", "part", "rows", "columns", "std", "pixel_hash")
SHRINK = 10  # cases that the common part is shrunk by: two copies alone must not cancel out


@dataclass(frozen=True)
class NearGroup:
    """Cases linked by near identity (or by being negatives), in order of their names."""

    cases: tuple[str, ...]
    correlation: float
    labels_differ: bool
    patients_differ: bool
    parts_differ: bool
    sizes_differ: bool


Found = tuple[list[NearGroup], list[NearGroup]]  # copies, and negatives
_last: tuple[weakref.ref[Dataset], Found] | None = None


def near_groups(dataset: Dataset, *, negative: bool = False) -> list[NearGroup]:
    """Groups of nearly identical cases with different pixels, or of negatives; computed once for each data set."""
    global _last
    last = _last  # another thread may replace it meanwhile
    if last is None or last[0]() is not dataset:
        _last = last = (weakref.ref(dataset), _search(dataset))
    return last[1][negative]


def near_copies(known: Dataset, other: Dataset) -> list[str]:
    """The cases of `other`, by name, that are nearly identical to one of `known`, or to its negative; empty without sketches.

    What is common is learnt from `known` alone: two sets of unlike light have little in common, and in what sets one
    apart all its images would be alike.
    """
    if not all(each.has_sketch(name) for each in (known, other) for name in ("fingerprint", "thumbnail")):
        return []
    both = _Both(known, other)
    plain = [np.flatnonzero((each.cases["std"] >= 0.01).fill_null(False).to_numpy()) for each in (known, other)]
    learnt, rows = plain[0], np.concatenate([plain[0], len(known) + plain[1]])
    if not len(plain[0]) or not len(plain[1]):
        return []
    pairs = candidates(*_codes(both, rows, learnt))
    links, _ = _verified(both, rows, pairs[(pairs < len(learnt)).sum(axis=1) == 1], learnt)
    found = np.unique(rows[links.max(axis=1)]) - len(known) if len(links) else np.empty(0, np.int64)
    return other.cases["case"].gather(found).to_list()


@dataclass(frozen=True)
class _Both:
    """The sketches of two data sets, rows of the second one behind those of the first."""

    first: Dataset
    second: Dataset

    def sketch(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        behind = rows >= len(self.first)
        one, two = self.first.sketch(name, rows[~behind]), self.second.sketch(name, rows[behind] - len(self.first))
        found = np.empty((len(rows), *one.shape[1:]), one.dtype)
        found[~behind], found[behind] = one, two
        return found


def _search(dataset: Dataset) -> Found:
    if not (dataset.has_sketch("fingerprint") and dataset.has_sketch("thumbnail")):
        return [], []
    cases = dataset.cases
    # The order of the table must not matter, so it is sorted; pixels stay where they are.
    needed = [name for name in _NEEDED if name in cases.columns]
    table = cases.lazy().select(needed).with_row_index("row").filter(pl.col("std") >= 0.01).sort("case").collect()
    if table.height < 2:
        return [], []
    # Equal thumbnails are one picture, however often it is there.
    rows = table["row"].to_numpy().astype(np.int64)
    _, first, picture = np.unique(_hashes(dataset, rows), return_index=True, return_inverse=True)
    table = table.with_columns(picture=pl.Series(np.argsort(np.argsort(first))[picture]))
    rows = rows[np.sort(first)]
    pairs = candidates(*_codes(dataset, rows, rows))
    links, values = _verified(dataset, rows, pairs, rows)
    same = values > 0
    copies = _groups(table, links[same], values[same])
    return copies, _groups(table, links[~same], -values[~same], only_linked=True)


def _lines(dataset: Dataset | _Both, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Fingerprints without their mean grey level, each of length one, float32 (rows, 63)."""
    lines = dataset.sketch("fingerprint", rows)[:, 1:].astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", lines, lines))
    return np.asarray(lines / np.maximum(lengths, 1e-9)[:, None])


def _codes(
    dataset: Dataset | _Both, rows: NDArray[np.int64], learnt: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Codes of the images, then of the negatives of some, and the image that each belongs to; `learnt` are the rows of a data
    set that what is common is learnt from."""
    lines = _lines(dataset, sample(learnt))
    common, mean = np.median(lines, axis=0) * (len(learnt) / (len(learnt) + SHRINK)), lines.mean(axis=0)
    codes, negatives, images = [], [], []
    for block in blocks(len(rows)):
        lines = _lines(dataset, rows[block])
        codes.append(_packed(lines > common))
        # Of a pair of negatives one is opposed to what the set has in common, if it has anything in common. The negatives
        # of all the others would look alike, for they would differ from it in the same way.
        opposed = np.flatnonzero(lines @ mean <= OPPOSED)
        negatives.append(_packed(lines[opposed] < -common))
        images.append(block[opposed])
    every = np.arange(len(rows), dtype=np.int64)
    return np.concatenate([*codes, *negatives]), np.concatenate([every, *images])


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The 63 bits of each row as one number."""
    return np.packbits(np.pad(bits, ((0, 0), (0, 1))), axis=1).view(np.uint64).ravel()


def candidates(codes: NDArray[np.uint64], images: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs (i, j), i < j, of different images with codes at most 10 bits apart, int64 (pairs, 2).

    `images` numbers the image of each code; an image may have several.

    >>> candidates(np.array([0, 0b111, 2**40 - 1], np.uint64), np.arange(3)).tolist()
    [[0, 1]]
    """
    count = int(images.max(initial=0)) + 1
    keys = [np.empty(0, np.int64)]
    for pairs in _agreeing(codes):
        ends = np.sort(images[pairs], axis=1)
        keys.append(np.unique(ends[:, 0] * count + ends[:, 1]))
    first, second = np.divmod(np.unique(np.concatenate(keys)), count)
    return np.asarray(np.stack([first, second], axis=1)[first != second], np.int64)


def _agreeing(codes: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    width = int(np.clip(np.log2(len(codes)) - 2, 6, 16))
    for _ in range(TABLES):
        chosen = rng.choice(63, width, replace=False).astype(np.uint64)
        mask = np.bitwise_or.reduce(np.uint64(1) << (63 - chosen))
        keys = codes & mask
        # Within a bucket equal codes lie together, so that a bucket that overflows still links its copies.
        order = np.lexsort((codes, keys))
        keys, ordered = keys[order], codes[order]
        rows = np.arange(len(codes))
        pairs = []
        for step in range(1, RUN + 1):
            rows = rows[: np.searchsorted(rows, len(codes) - step)]
            rows = rows[keys[rows + step] == keys[rows]]
            if not len(rows):
                break
            close = rows[np.bitwise_count(ordered[rows + step] ^ ordered[rows]) <= BITS_APART]
            pairs.append(np.stack([order[close], order[close + step]], axis=1))
        if pairs:
            yield np.concatenate(pairs)


def _verified(
    dataset: Dataset | _Both, rows: NDArray[np.int64], pairs: NDArray[np.int64], learnt: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Links between `rows` whose thumbnails match, and their correlation (negative for negatives).

    Pairs that earlier links already join are left out, so that a long series of frames costs no more than its length.
    """
    common = _common(dataset, learnt)
    links, values = np.empty((0, 2), np.int64), np.empty(0)
    waiting = np.random.default_rng(0).permutation(pairs)
    while len(waiting):
        now, waiting = waiting[:ROUND], waiting[ROUND:]
        found = np.concatenate([_matched(dataset, rows, now[i : i + BLOCK], common) for i in range(0, len(now), BLOCK)])
        match = np.abs(found) >= MATCH
        links, values = np.concatenate([links, now[match]]), np.concatenate([values, found[match]])
        member = components(len(rows), links[values > 0])
        waiting = waiting[member[waiting[:, 0]] != member[waiting[:, 1]]]
    return links, values


def _common(dataset: Dataset | _Both, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    total = np.zeros(1024)
    for start in range(0, len(rows), BLOCK):
        total += _standard(_pixels(dataset, rows[start : start + BLOCK])).sum(axis=0, dtype=np.float64)
    return (total / (len(rows) + SHRINK)).astype(np.float32)


def _matched(
    dataset: Dataset | _Both, rows: NDArray[np.int64], pairs: NDArray[np.int64], common: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The correlation of each pair without the common part, negative where one is rather the other's negative."""
    first, second = (_standard(_pixels(dataset, rows[pairs[:, side]])) for side in (0, 1))
    same = _cosine(first - common, second - common)
    # Either may be the negative. Two negatives of a set have its common part twice, so both ways have to match.
    negative = np.minimum(_cosine(first - common, -second - common), _cosine(-first - common, second - common))
    return np.where(same >= negative, same, -negative)


def _pixels(dataset: Dataset | _Both, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    return dataset.sketch("thumbnail", rows).reshape(-1, 1024)


def _hashes(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each thumbnail; equal thumbnails have equal numbers."""
    pieces = (dataset.sketch("thumbnail", rows[block]) for block in blocks(len(rows)))
    return np.array([hash(picture.tobytes()) for piece in pieces for picture in piece])


def _standard(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    lines = pixels.astype(np.float32)
    lines -= lines.mean(axis=1, keepdims=True)
    return np.asarray(lines / np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-6))


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / np.maximum(lengths, 1e-9), dtype=np.float64)


def _groups(
    table: pl.DataFrame, links: NDArray[np.int64], values: NDArray[np.float64], *, only_linked: bool = False
) -> list[NearGroup]:
    """The cases that links join, or (unless `only_linked`) that share a thumbnail without sharing their pixels."""
    member = components(int(table["picture"].max()) + 1, links)  # type: ignore[arg-type]
    weakest = np.ones(len(member))
    np.minimum.at(weakest, member[links[:, 0]], values)
    several = [
        (pl.col(name).drop_nulls().n_unique() > 1 if name in table.columns else pl.lit(False)).alias(name)
        for name in ("pixel_hash", "label", "patient", "part", "rows", "columns")
    ]
    table = table.with_columns(group=pl.Series(member).gather(table["picture"]))
    groups = table.group_by("group").agg(pl.col("case"), *several)
    linked = pl.Series(np.unique(member[links[:, 0]]))
    groups = groups.filter(pl.col("group").is_in(linked.implode()) | (pl.col("pixel_hash") & pl.lit(not only_linked)))
    found = [
        NearGroup(
            cases=tuple(sorted(row["case"])),
            correlation=round(float(weakest[row["group"]]), 4),
            labels_differ=row["label"],
            patients_differ=row["patient"],
            parts_differ=row["part"],
            sizes_differ=row["rows"] or row["columns"],
        )
        for row in groups.iter_rows(named=True)
    ]
    return sorted(found, key=lambda group: group.cases)
