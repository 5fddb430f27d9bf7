"""NIfTI volumes: the voxels replaced, the header byte for byte as it was."""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import DataError
from evenray.core.types import Image

__all__ = ["turned_back", "write"]


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """All slices of a volume, turned back to the axes of the file and to its stored values (scl_slope, scl_inter)."""
    nib: Any = importlib.import_module("nibabel")  # late: it costs more than a picture's whole writing

    raw = source.read_bytes()
    data = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    kind = nib.Nifti2Header if data[4:8] == b"n+2\0" else nib.Nifti1Header
    header = kind(data[: kind.sizeof_hdr], check=False)
    dtype, offset = header.get_data_dtype(), int(header["vox_offset"])
    if dtype.names:
        raise DataError(f"{source}: colour volumes are not written; export the slices as PNG first.")
    shape = header.get_data_shape()
    orientation = nib.io_orientation(header.get_best_affine())
    slices = np.stack([image.pixels.T for image in images.values()], axis=2)
    turned = turned_back(slices, (*shape, 1)[:3], orientation, nib)
    voxels = _stored(turned, float(header["scl_slope"]), float(header["scl_inter"]), dtype).reshape(shape, order="F")
    there = _present(images, (*shape, 1)[:3], orientation, nib)
    if there is not None:  # what is missing (NaN, infinite) stays as it is stored
        before = np.frombuffer(data, dtype, voxels.size, offset).reshape(shape, order="F")
        voxels = np.where(there.reshape(shape, order="F"), voxels, before)
    voxels = voxels.astype(dtype, copy=False)  # numpy's own results are in the byte order of the machine
    outcome = data[:offset] + voxels.tobytes(order="F") + data[offset + voxels.nbytes :]
    target.write_bytes(gzip.compress(outcome, 6, mtime=0) if raw.startswith(b"\x1f\x8b") else outcome)


def _present(
    images: Mapping[str, Image], shape: tuple[int, ...], orientation: NDArray[Any], nib: Any
) -> NDArray[np.bool_] | None:
    """Where voxels are not missing, in the axes of the file; None where none is."""
    if all(image.valid is None for image in images.values()):
        return None
    masks = [np.ones(i.pixels.shape, bool) if i.valid is None else i.valid for i in images.values()]
    return turned_back(np.stack([mask.T for mask in masks], axis=2), shape, orientation, nib)


def turned_back(slices: NDArray[Any], shape: tuple[int, ...], orientation: NDArray[Any], nib: Any) -> NDArray[Any]:
    """(columns, rows, slices x volumes) seen from L, P, S to the axes of the file, (x, y, z, volumes)."""
    if np.isnan(orientation).any():
        return slices.reshape(*slices.shape[:2], shape[2], -1, order="F")
    seen = nib.orientations.axcodes2ornt("LPS")
    there = nib.orientations.ornt_transform(orientation, seen)
    depth = shape[int(np.flatnonzero(there[:, 0] == 2)[0])]
    back = nib.orientations.ornt_transform(seen, orientation)
    return np.asarray(nib.apply_orientation(slices.reshape(*slices.shape[:2], depth, -1, order="F"), back))


def _stored(pixels: NDArray[Any], slope: float, inter: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    slope, inter = (1.0, 0.0) if not np.isfinite(slope) or slope == 0 else (slope, float(np.nan_to_num(inter)))
    values = (pixels.astype(np.float64) - inter) / slope
    if dtype.kind == "f":
        return values.astype(dtype)
    info = np.iinfo(dtype)
    return np.rint(values).clip(info.min, info.max).astype(dtype)
