"""NIfTI masks that by the affines of the files lie elsewhere in the patient than their image."""

from __future__ import annotations

import numpy as np
import polars as pl

from evenray.core.findings import Finding
from evenray.core.types import Dataset

from ._cases import column, numbers, warn

__all__ = ["mask_grid"]

FAR = 0.5  # voxels; up to there the nearest voxel is still the one with the same number


def mask_grid(dataset: Dataset) -> list[Finding]:
    """Masks that their own affine turns otherwise than the image's turns the image, an error, as what they mark is mirrored or
    turned; a warning where the place or the spacing alone differs, as the voxels may still be those of the image."""
    cases, offset = dataset.cases, numbers(dataset.cases, "mask_offset")
    far = offset > FAR
    turned = far & column(cases, "mask_turned").cast(pl.Boolean, strict=False).fill_null(False).to_numpy()
    farthest = float(np.max(offset, where=far, initial=0))
    return [
        *warn("mask_grid", cases, turned, offset, "turned", "error", farthest_voxels=farthest),
        *warn("mask_grid", cases, far & ~turned, offset, farthest_voxels=farthest),
    ]
