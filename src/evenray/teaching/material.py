"""What labs work on: the numbers behind the slides' table, and images, real ones where there are some and drawn ones otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError, EvenrayError
from evenray.data.demo.film import picture
from evenray.data.demo.plan import Film
from evenray.images.histogram import Histogram
from evenray.images.readers import read

__all__ = ["cases", "drawn_radiograph", "numbers", "radiograph"]

SLIDES = {-3: (9, 1), -2: (32, 2), -1: (109, 3), 0: (180, 4), 1: (132, 3), 2: (34, 2), 3: (4, 1)}
# The middle of an interval: its count, and how many of these stand on its lower edge, so that a wrong edge is told by the counts.
ENDINGS = (".png", ".jpg", ".jpeg", ".dcm")
SIDE = 28
TRIED = 50


def numbers() -> NDArray[np.float64]:
    """500 numbers with two decimals whose table is the slides', float64 (500,), in no order.

    >>> numbers()[:3], np.histogram(numbers(), np.arange(-3.5, 4))[0]
    (array([ 0.51, -0.83,  2.45]), array([  9,  32, 109, 180, 132,  34,   4]))
    """
    rng = np.random.default_rng(0)
    hundredths = [
        np.append(np.full(edge, 100 * at - 50), rng.integers(100 * at - 49, 100 * at + 50, count - edge))
        for at, (count, edge) in SLIDES.items()
    ]
    return np.asarray(rng.permutation(np.concatenate(hundredths)) / 100)


def radiograph(data: Path | None) -> Path | None:
    """The first image, in a folder of radiographs called chest-xray-full or else anywhere in `data`, that shows what the labs say of
    it: one that can be read, is not mostly black and has some contrast. None where none of the first TRIED is such an image."""
    folders = () if data is None else (data / "chest-xray-full", data)
    files = islice(chain.from_iterable(map(_images, folders)), TRIED)
    return next((file for file in files if _shows(file)), None)


def _images(top: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(top):
        inner.sort()  # walked in this order
        yield from (Path(folder, name) for name in sorted(files) if name.lower().endswith(ENDINGS))


def _shows(file: Path) -> bool:
    try:
        levels = Histogram.of(read(file))
    except EvenrayError:
        return False
    low, high = levels.range
    quarter, half, most = ((levels.percentile(q) - low) / (high - low) for q in (25, 50, 75))
    return quarter > 0.05 and half > 0.2 and most - quarter > 0.1


def drawn_radiograph(folder: Path) -> Path:
    """Draw a chest radiograph of 8 bits into `folder`."""
    film = picture(Film(patient=3, number=0, sick=False, label="healthy", site="north"), seed=1)
    path = folder / "phantom.png"
    if not cv2.imwrite(str(path), (film.pixels // 16).astype(np.uint8)):
        raise DataError(f"'{path}' cannot be written; make room in the folder of temporary files.")
    return path


def cases(data: Path | None, healthy: int, sick: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`healthy` and then `sick` images uint8 (N, 28, 28), with their targets int64 (N,), 1 sick."""
    targets_N = np.repeat([0, 1], [healthy, sick])
    file = data / "medmnist" / "pneumoniamnist.npz" if data is not None else None
    if file is None or not file.is_file():
        return _drawn(targets_N), targets_N
    with np.load(file) as arrays:
        images, labels = (
            np.concatenate([arrays[f"{part}_{what}"] for part in ("train", "val", "test")])
            for what in ("images", "labels")
        )
    known = labels.ravel()
    if (known == 0).sum() < healthy or (known == 1).sum() < sick:
        raise DataError(f"'{file}' has too few images; expected {healthy} of class 0 and {sick} of class 1.")
    chosen = np.concatenate([np.flatnonzero(known == 0)[:healthy], np.flatnonzero(known == 1)[:sick]])
    return np.asarray(images[chosen], dtype=np.uint8), targets_N


def _drawn(targets_N: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Noisy grey squares; in the middle of a sick one lies a faint bright disc, sometimes hardly seen."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = np.exp(-(row**2 + column**2) / 50)
    strength = rng.normal(0, 12, len(targets_N)) + 24 * targets_N
    light = rng.normal(110, 15, len(targets_N))
    grey = light[:, None, None] + strength[:, None, None] * disc + rng.normal(0, 20, (len(targets_N), SIDE, SIDE))
    return np.asarray(np.clip(grey, 0, 255), dtype=np.uint8)
