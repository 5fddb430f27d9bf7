"""What the plan goes by: what the images of a data set are like, in a few numbers."""

from __future__ import annotations

import numpy as np

from evenray.core.artefacts.plan import Fingerprint
from evenray.core.types import Dataset

__all__ = ["fingerprint", "kept_side", "native_side"]


def fingerprint(dataset: Dataset) -> Fingerprint:
    """What the plan goes by: how many images a part and a class, how unequal, how large, grey or in colour, how deep."""
    train = dataset.part("train")
    counts = [count for count in train.counts.values() if count]
    cases = dataset.cases
    return Fingerprint(
        cases={name: len(dataset.part(name)) for name in ("train", "validation", "test")}, classes=train.counts,
        imbalance=round(max(counts) / min(counts), 2), side=native_side(dataset),
        colour=round(float(np.mean(cases["channels"].to_numpy() == 3)), 4),
        bits=int(cases["bits"].to_numpy().max()) if "bits" in cases.columns else None,
    )  # fmt: skip


def native_side(dataset: Dataset) -> int:
    """The longer side of the images as they come, in pixels (median)."""
    longest = np.maximum(dataset.cases["rows"].to_numpy(), dataset.cases["columns"].to_numpy())
    return int(np.median(longest))


def kept_side(size: int, native: int, scale: float) -> int:
    """The side at which images are kept for a network of `size` that looks at up to `scale` times it; never enlarged for it.

    >>> kept_side(224, 300, 16 / 7), kept_side(224, 28, 1.0)
    (300, 224)
    """
    return max(size, min(native, round(size * scale)))
