"""Shortcuts: can the label be predicted without looking at the anatomy, from the header, the size, the border or the
grey levels alone?"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, counted, numbers
from ._label_auroc import label_auroc
from .drift import cumulative_histograms

__all__ = ["shortcut_border", "shortcut_header", "shortcut_histogram", "shortcut_size"]

NAMED = ("format", "modality", "manufacturer", "view", "photometric", "channels", "bits", "dtype", "spacing_source")
MEASURED = ("spacing_row", "spacing_column", "window_center", "window_width", "bits_stored")
SAMPLE = 3000  # cases looked at, at most: enough for an interval of 0.02
ABOUT_ANATOMY, NOT_ABOUT = (0.85, 0.75), (0.75, 0.6)  # lower bounds of the AUROC for a warning and for a remark


def shortcut_header(dataset: Dataset) -> list[Finding]:
    """The label predicted from the acquisition data in the header."""
    sample = _sample(dataset)
    return _findings("shortcut_header", sample, _header(sample.cases), NOT_ABOUT)


def shortcut_size(dataset: Dataset) -> list[Finding]:
    """The label predicted from the number of rows and columns, their product and their ratio."""
    sample = _sample(dataset)
    rows, columns = numbers(sample.cases, "rows"), numbers(sample.cases, "columns")
    features = np.stack([rows, columns, np.log(rows * columns), np.log(rows / columns)], axis=1)
    return _findings("shortcut_size", sample, features, NOT_ABOUT)


def shortcut_histogram(dataset: Dataset) -> list[Finding]:
    """The label predicted from the histogram, whatever the pixels show."""
    if not dataset.has_sketch("histogram"):
        return []
    sample = _sample(dataset)
    return _findings("shortcut_histogram", sample, cumulative_histograms(sample.sketch("histogram")), ABOUT_ANATOMY)


def shortcut_border(dataset: Dataset) -> list[Finding]:
    """The label predicted from the outermost ring of the image, a sixteenth of its side wide."""
    if not dataset.has_sketch("thumbnail"):
        return []
    sample = _sample(dataset)
    ring = np.ones((32, 32), np.bool_)
    ring[2:-2, 2:-2] = False
    return _findings("shortcut_border", sample, sample.sketch("thumbnail")[:, ring], ABOUT_ANATOMY)


def _sample(dataset: Dataset, seed: int = 0) -> Dataset:
    """At most 3,000 of the cases, in order of their names."""
    order = dataset.cases["case"].arg_sort().to_numpy()
    if len(order) > SAMPLE:
        order = order[np.sort(np.random.default_rng(seed).choice(len(order), SAMPLE, replace=False))]
    return replace(dataset, cases=dataset.cases[order])


def _findings(check: str, dataset: Dataset, features: NDArray[Any], bounds: tuple[float, float]) -> list[Finding]:
    found = label_auroc(dataset, features)
    if found is None or found.low < bounds[1]:
        return []
    evidence = {name: round(value, 3) for name, value in asdict(found).items()}
    if found.low >= bounds[0]:
        return [Finding(check, "warning", evidence=evidence, variant="clear")]
    return [Finding(check, "info", evidence=evidence, variant="slight")]


def _header(cases: pl.DataFrame) -> NDArray[np.float64]:
    """Named properties as indicators of their values (the rarest together), measured ones as they are and whether known."""
    parts: list[NDArray[np.float64]] = []
    for name in NAMED:
        values = column(cases, name).cast(pl.String).fill_null("unknown")
        for value in list(counted(values))[:12]:
            parts.append((values == value).to_numpy().astype(np.float64))
    for name in MEASURED:
        known = numbers(cases, name)
        parts += [np.nan_to_num(known), np.isfinite(known).astype(np.float64)]
    return np.stack(parts, axis=1)
