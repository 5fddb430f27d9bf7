"""Masks as text: runs of pixels, column by column from the top left, as Kaggle's tables and COCO's files have them; or outlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BY_ROW",
    "by_row",
    "from_counts",
    "from_runs",
    "from_steps",
    "inside",
    "outlines",
    "to_runs",
    "uncompressed",
]

BY_ROW = "rows "  # before runs that go so
OUTLINES, OF_SHARES = (
    "outlines ",
    "outlines of shares ",
)  # before the points of outlines, in pixels or in shares of the sides
WITHOUT = " without "  # between these and the points of what is cut out of them
Points = Sequence[tuple[float, float]]  # x and y of the corners of pixels: the middle of the first is at .5


def by_row(masks: Iterable[tuple[str, tuple[int, int]]]) -> bool:
    """Whether runs go row by row: read column by column, these masks (with the shapes of their images) fall to pieces.

    >>> mask = np.zeros((20, 30), bool)
    >>> mask[5:15, 8:20] = True
    >>> by_row([(to_runs(mask), mask.shape)]), by_row([(to_runs(mask.T), mask.shape)])
    (False, True)
    """
    pieces = {True: 0, False: 0}
    for text, shape in masks:
        for rows in pieces:
            try:
                mask = from_runs((BY_ROW if rows else "") + text, shape)
            except ValueError:
                return False
            pieces[rows] += cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
    return 2 * pieces[True] < pieces[False]


def from_runs(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask of `start length start length ...`, starts from 1, column by column, bool (H, W); row by row where "rows" stands
    before; or what lies within `outlines`. ValueError where it is no such text or does not fit into the image.

    >>> from_runs("1 2 5 1", (2, 3)).astype(int)
    array([[1, 0, 1],
           [1, 0, 0]])
    """
    if text.startswith(OUTLINES):
        return _filled(text, shape)
    if text.startswith(BY_ROW):
        return from_runs(text.removeprefix(BY_ROW), shape[::-1]).T
    numbers = np.array(text.split(), dtype=np.int64)
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers are no pairs of start and length")
    starts, lengths = numbers[0::2] - 1, numbers[1::2]
    size = shape[0] * shape[1]
    if len(starts) and (starts.min() < 0 or lengths.min() < 0 or (starts + lengths).max() > size):
        raise ValueError(f"runs lie outside the {size} pixels of an image of {shape[0]} x {shape[1]}")
    steps = np.zeros(size + 1, dtype=np.int64)
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + lengths, -1)
    return np.asarray((np.cumsum(steps[:-1]) > 0).reshape(shape[::-1]).T)


def outlines(rings: Iterable[Points], cut: Iterable[Points] = (), *, shares: bool = False) -> str:
    """The text of a mask that lies within rings of points, a ring within another being a hole, and in none of the rings that are `cut`
    out. With `shares` points are in shares of the image's sides, else in pixels.

    >>> from_runs(outlines([[(1, 0), (3, 0), (3, 2), (1, 2)]]), (2, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    """
    inner, outer = (
        ";".join(" ".join(f"{x:.6g} {y:.6g}" for x, y in ring) for ring in some if len(ring) > 2)
        for some in (rings, cut)
    )
    return (OF_SHARES if shares else OUTLINES) + inner + (WITHOUT + outer if outer else "")


def _filled(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    start = OF_SHARES if text.startswith(OF_SHARES) else OUTLINES
    scale = np.array(shape[::-1] if start == OF_SHARES else (1, 1), np.float64)
    drawn, cut = (
        [np.array(ring.split(), np.float64).reshape(-1, 2) * scale for ring in some.split(";") if ring]
        for some in text.removeprefix(start).partition(WITHOUT)[::2]
    )
    found = inside(drawn, shape)
    for ring in cut:
        found &= ~inside([ring], shape)
    return found


def inside(rings: Iterable[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie within an odd number of rings (n, 2) of x and y, bool (H, W). OpenCV's polygons cover their border,
    which makes objects of a few pixels half a pixel larger on two sides.

    >>> inside([np.array([[1, 0], [3, 0], [3, 2], [1, 2]])], (2, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    """
    turns = np.zeros((shape[0], shape[1] + 1), np.int64)
    for ring in rings:
        ends = np.roll(ring, -1, axis=0)
        down = (ring[:, 1] < ends[:, 1])[:, None]
        upper, lower = np.where(down, ring, ends), np.where(down, ends, ring)
        first, last = (np.clip(np.ceil(each[:, 1] - 0.5), 0, shape[0]).astype(int) for each in (upper, lower))
        edges = np.repeat(np.arange(len(ring)), last - first)
        rows = np.arange(len(edges)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[edges]
        (x0, y0), (x1, y1) = upper[edges].T, lower[edges].T
        met = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        np.add.at(turns, (rows, np.clip(np.ceil(met - 0.5), 0, shape[1]).astype(int)), 1)
    return np.asarray(np.cumsum(turns[:, :-1], axis=1) % 2 == 1)


def to_runs(mask: NDArray[np.bool_]) -> str:
    """The runs of a mask (H, W), as `from_runs` takes them; "" for an empty one.

    >>> to_runs(np.array([[1, 0, 1], [1, 0, 0]], bool))
    '1 2 5 1'
    """
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    pairs = np.stack([edges[0::2] + 1, edges[1::2] - edges[0::2]], axis=1)
    return " ".join(map(str, pairs.ravel().tolist()))


def from_steps(text: str) -> str:
    """The runs of pairs whose starts count from the end of the run before, the first from 0.

    >>> from_steps("0 2 2 1")
    '1 2 5 1'
    """
    pairs = np.array(text.split(), dtype=np.int64).reshape(-1, 2)
    starts = np.cumsum(pairs.sum(axis=1)) - pairs[:, 1] + 1
    return " ".join(f"{start} {length}" for start, length in zip(starts.tolist(), pairs[:, 1].tolist(), strict=True))


def from_counts(counts: list[int]) -> str:
    """The runs of COCO's counts: lengths in turn of what is not and what is in the mask.

    >>> from_counts([0, 2, 2, 1, 1])
    '1 2 5 1'
    """
    ends = np.cumsum(counts)
    starts, lengths = ends[0::2] + 1, counts[1::2]
    return " ".join(f"{start} {length}" for start, length in zip(starts.tolist(), lengths, strict=False) if length)


def uncompressed(text: str) -> list[int]:
    """The counts of COCO's compressed text: five bits a letter, lowest first, each from the third on as its difference to the one
    before the last.

    >>> uncompressed("022O1")
    [0, 2, 2, 1, 3]
    """
    found: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            code = ord(text[at]) - 48
            value |= (code & 31) << shift
            more = bool(code & 32)
            at, shift = at + 1, shift + 5
            if not more and code & 16:
                value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
    return found
