"""Data sets without a fault, and a way to plant one: pixels that are measured as a scan would measure them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evenray.core.types import Dataset, Image
from evenray.data.audit import measure
from evenray.images.histogram import Histogram

SIZE, TOP = 128, 4095
CLEAN = 600
HEADER = {
    "format": "dicom",
    "modality": "DX",
    "manufacturer": "Maker",
    "view": "PA",
    "photometric": "MONOCHROME2",
    "bits_stored": 12,
    "window_center": 2048.0,
    "window_width": 4096.0,
    "site": "north",
    "spacing_row": 0.2,
    "spacing_column": 0.2,
    "spacing_source": "ImagerPixelSpacing",
}


def phantom(seed: int, size: int = SIZE) -> NDArray[np.uint16]:
    """A chest-like picture of 12 bits: dark air, a bright body, two lungs, a heart to one side; no two alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.float64]:
        cx, cy = cx + rng.normal(0, 0.015), cy + rng.normal(0, 0.015)
        rx, ry = rx * rng.uniform(0.9, 1.1), ry * rng.uniform(0.9, 1.1)
        return 1 / (1 + np.exp(24 * (np.hypot((x - cx) / rx, (y - cy) / ry) - 1)))

    body = ellipse(0.5, 0.6, 0.43, 0.56)
    lungs = np.maximum(ellipse(0.32, 0.48, 0.13, 0.27), ellipse(0.68, 0.48, 0.12, 0.25))
    heart = ellipse(0.58, 0.6, 0.13, 0.16)
    person = cv2.resize(rng.normal(0, 1, (12, 12)), (size, size), interpolation=cv2.INTER_CUBIC)
    picture = 0.06 + 0.55 * body - 0.3 * lungs + 0.22 * heart + 0.05 * person * body
    picture = picture * rng.uniform(0.92, 1.08) + rng.normal(0, 0.008, (size, size))
    return np.clip(picture * TOP, 0, TOP).astype(np.uint16)


def described(image: Image) -> dict[str, Any]:
    """The row of one image in the case table, as a scan writes it, and its sketches, which are arrays."""
    histogram = Histogram.of(image)
    digest = hashlib.sha256(image.pixels.tobytes() + str(image.pixels.shape).encode()).hexdigest()
    return {
        **HEADER,
        "sha256": digest,
        "pixel_hash": digest,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "bits": image.bits,
        "dtype": str(image.pixels.dtype),
        "low": float(image.value_range[0]),
        "high": float(image.value_range[1]),
        "histogram": histogram.rebin(256).counts.astype(np.uint32),
        **measure(image, histogram),
    }


def as_image(pixels: NDArray[Any], top: float = TOP) -> Image:
    return Image(np.ascontiguousarray(pixels), value_range=(0, top))


def dataset_of(rows: Sequence[dict[str, Any]], **columns: Sequence[Any]) -> Dataset:
    """The data set of described images: one patient each, classes in turn, everything named."""
    count = len(rows)
    sketches = {name: np.stack([row[name] for row in rows]) for name, value in rows[0].items() if is_sketch(value)}
    table = pl.DataFrame([without_sketches(row) for row in rows], infer_schema_length=None)
    given = {
        "case": [f"case{i:04d}" for i in range(count)],
        "file": [f"case{i:04d}.dcm" for i in range(count)],
        "fragment": [""] * count,
        "label": ["healthy" if i % 2 else "sick" for i in range(count)],
        "patient": [f"patient{i:04d}" for i in range(count)],
        "study": [f"study{i:04d}" for i in range(count)],
        "part": [None] * count,
        "given_part": [False] * count,
        "sex": ["F" if i % 4 < 2 else "M" for i in range(count)],
        "sex_birth_hash": [f"birth{i}" for i in range(count)],
    }
    dtypes = {"given_part": pl.Boolean}
    series = [pl.Series(name, values, dtype=dtypes.get(name, pl.String)) for name, values in given.items()]
    table = table.with_columns(series).with_row_index("sketch")
    table = table.with_columns([pl.Series(name, list(values)) for name, values in columns.items()])
    return Dataset(table, ("healthy", "sick"), "sick", "data", sketches=sketches)


def is_sketch(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def without_sketches(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not is_sketch(value)}


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread() -> Iterator[None]:
    """As `audit` does for all its checks: small matrices gain nothing from threads that wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def clean() -> Dataset:
    """600 patients with one faultless image each, not split yet."""
    return dataset_of([described(as_image(phantom(seed))) for seed in range(CLEAN)])


@pytest.fixture
def plant(clean: Dataset) -> Callable[..., Dataset]:
    """`plant(change, rows)`: the clean set, in which the pictures of these cases are changed.

    With `source`, they are changed from the picture of that case instead of their own.
    """

    def planted(
        change: Callable[[NDArray[np.uint16]], NDArray[Any]],
        rows: Sequence[int],
        top: float = TOP,
        source: int | None = None,
    ) -> Dataset:
        found = [
            described(as_image(change(phantom(row if source is None else source)), top))
            | {"case": clean.cases["case"][row]}
            for row in rows
        ]
        schema = clean.cases.schema
        fresh = pl.DataFrame(list(map(without_sketches, found)), schema_overrides=schema, infer_schema_length=None)
        sketches = {name: np.array(every) for name, every in clean.sketches.items()}
        for name, every in sketches.items():
            every[list(rows)] = [row[name] for row in found]
        return replace(clean, cases=clean.cases.update(fresh, on="case"), sketches=sketches)

    return planted
