"""The radiograph that the benchmarks of contrast are run on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def default_data() -> Path | None:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    found = Path(os.environ.get("EVENRAY_DATA", beside))
    return found if found.is_dir() else None


def picture(data: Path | None, size: int, bits: int) -> Array:
    """A radiograph of size x size: a real one, or smooth shapes with noise; 12 bits have noise in the lower four."""
    rng = np.random.default_rng(0)
    files = sorted((data / "chest-xray-full").glob("NORMAL/*")) if data else []
    if files:
        grey = cv2.imread(str(files[3]), cv2.IMREAD_GRAYSCALE)
        eight = cv2.resize(grey, (size, size), interpolation=cv2.INTER_CUBIC)
    else:
        smooth = cv2.GaussianBlur(rng.random((size, size)), (0, 0), size / 30)
        unit = (smooth - smooth.min()) / np.ptp(smooth) + rng.normal(0, 0.01, smooth.shape)
        eight = np.rint(unit.clip(0, 1) * 255).astype(np.uint8)
    if bits == 8:
        return np.asarray(eight)
    return (eight.astype(np.uint16) << (bits - 8)) + rng.integers(0, 2 ** (bits - 8), eight.shape).astype(np.uint16)
