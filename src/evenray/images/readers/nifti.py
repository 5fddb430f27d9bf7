"""NIfTI volumes (.nii, .nii.gz): axial slices in the radiological view, in the units of scl_slope and scl_inter."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.types import Image

from ._grid import Grid
from ._identity import Identity
from ._limits import check, inflated
from ._source import Source, Stamp
from ._window import ValueRange, Window, asked_range, extremes

__all__ = ["fragments", "grid", "identity", "read", "sniff"]

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Volume:
    """One file's voxels as stored, turned to R-L, A-P, I-S axes (columns, rows, slices, further), and its scaling."""

    voxels: Array
    slope: float
    inter: float
    sha256: str
    spacing: tuple[float, float] | None
    step: float  # from slice to slice, in mm; 0 where it is not known
    declared: ValueRange | None
    range: ValueRange
    range_from: str

    @property
    def slices(self) -> int:
        return int(self.voxels.shape[2])

    @property
    def volumes(self) -> int:
        return int(self.voxels.shape[3])


def sniff(head: bytes) -> bool:
    """Whether a file is NIfTI-1 or NIfTI-2 in one piece, plain or gzipped."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(head, 352)
        except zlib.error:
            return False
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def read(source: Source, fragment: str = "", value_range: ValueRange | None = None, window: Window = "header") -> Image:
    """One axial slice, "slice=40" counted from the feet: the patient's right on the left, anterior on top.

    ValueRange are cal_min and cal_max where set, the range of the dtype for integers of 8 bits, else the finite extremes of
    the volume, as the dtype says nothing of them. NaN and infinite voxels are missing.
    """
    volume = _volume(source)
    slice_, part = _place(source.path, fragment, volume)
    stored = volume.voxels[:, :, slice_, part].T  # rows A to P, columns R to L
    header = {"format": "nifti", "channels_in_file": 1, "frames": volume.slices * volume.volumes}
    if stored.dtype.names:  # RGB24
        stored = np.stack([stored[name] for name in "RGB"], axis=-1)
        header["channels_in_file"] = 3
    pixels, found, origin = _scaled(stored, volume, window)
    valid = None
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        valid = np.isfinite(pixels)
        pixels = np.where(valid, pixels, np.float32(0))
    asked = asked_range(value_range, window)
    if volume.step and volume.slices > 1:
        header["slice_position"] = slice_ * volume.step
    header |= {"bits_allocated": 8 * stored.dtype.itemsize, "range_from": "asked for" if asked else origin}
    return Image(
        np.ascontiguousarray(pixels),
        asked or found,
        valid,
        "RGB" if pixels.ndim == 3 else "MONOCHROME2",
        volume.spacing,
        "pixdim" if volume.spacing else None,
        volume.sha256,
        header,
    )


def _scaled(stored: Array, volume: Volume, window: Window) -> tuple[Array, ValueRange, str]:
    plain = (volume.slope, volume.inter) == (1.0, 0.0)
    if stored.dtype == np.int8:
        stored = stored.astype(np.int16)
    if plain and stored.dtype in (np.uint8, np.uint16, np.int16):
        pixels = stored
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            pixels = (stored.astype(np.float64) * volume.slope + volume.inter).astype(np.float32)
    if volume.declared and window != "none":
        return pixels, volume.declared, "cal_min, cal_max"
    return pixels, volume.range, volume.range_from


def _place(path: str, fragment: str, volume: Volume) -> tuple[int, int]:
    """(slice, volume) of "slice=40" or, where a file holds several volumes, of "slice=40,volume=2"."""
    counts, place = {"slice": volume.slices, "volume": volume.volumes}, {"slice": 0, "volume": 0}
    for term in fragment.split(",") if fragment else []:
        key, _, number = term.partition("=")
        if key not in counts or not number.isdecimal() or len(number) > 9 or int(number) >= counts[key]:
            several = f", volume=0 to volume={volume.volumes - 1}" if volume.volumes > 1 else ""
            raise ReadError(path, f"has no '{fragment}'; it holds slice=0 to slice={volume.slices - 1}{several}")
        place[key] = int(number)
    return place["slice"], place["volume"]


_kept: tuple[Stamp, Volume] | None = None


def _volume(source: Source) -> Volume:
    """The volume of a file; the last one is kept, for its slices are read one after the other."""
    global _kept
    kept = _kept
    if kept is None or kept[0] != source.stamp:
        _kept = None  # before the next is loaded, so that two are never in memory
        kept = _kept = (source.stamp, _load(source))
    return kept[1]


def _load(source: Source) -> Volume:
    path, data = source.path, source.data
    header, shape, dtype, offset = _header(path, data)
    if data.startswith(b"\x1f\x8b"):  # no more than the header declares, a few kilobytes can hold gigabytes
        end = offset + _bytes(path, shape, dtype)
        data = b"".join(_unzipped(path, data, end))
    try:
        slope, inter = (float(np.nan_to_num(header[key], posinf=0, neginf=0)) for key in ("scl_slope", "scl_inter"))
        affine = header.get_best_affine()
    except Exception:
        raise ReadError(path, "its NIfTI header is damaged") from None
    voxels = _voxels(path, data, shape, dtype, offset)
    if slope == 0:  # not used, as the standard says
        slope, inter = 1.0, 0.0
    with np.errstate(all="ignore"):
        turned, spacing, step = _turned(path, voxels, affine)
    low, high = float(header["cal_min"]), float(header["cal_max"])
    declared = (low, high) if -np.inf < low < high < np.inf else None
    return Volume(turned, slope, inter, source.sha256, spacing, step, declared, *_range(path, turned, slope, inter))


def _header(path: str, data: bytes) -> tuple[Any, tuple[int, ...], np.dtype[Any], int]:
    """The header, and of it the shape of the volume, the type of voxels and where they begin."""
    nib = _nibabel()
    head = b"".join(islice(_unzipped(path, data, 4096), 1)) if data.startswith(b"\x1f\x8b") else data[:4096]
    kind = nib.Nifti2Header if head[4:8] == b"n+2\0" else nib.Nifti1Header
    try:
        header = kind(head[: kind.sizeof_hdr], check=False)
        return header, header.get_data_shape(), header.get_data_dtype(), int(header["vox_offset"])
    except Exception:
        raise ReadError(path, "its NIfTI header is damaged") from None


_SLACK = 2**24  # bytes that may stand behind the voxels


def _unzipped(path: str, data: bytes, end: int) -> Iterator[bytes]:
    """The unpacked bytes; ReadError where they are damaged, have no end, or go on far behind `end`."""
    size, last = 0, b"-"
    for last in inflated(path, data, 31, "its gzip data is damaged"):
        size += len(last)
        if size > end + _SLACK:
            raise ReadError(path, f"its gzip data unpacks to more than the {end:,} bytes that its header declares")
        yield last
    if last:
        raise ReadError(path, "its gzip data has no end; the file is truncated")


def _bytes(path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """The size of a volume of such voxels; ReadError for what is none."""
    names = dtype.names or ()
    if dtype.kind not in "uif" and names != ("R", "G", "B"):
        raise ReadError(path, f"its voxels are of type {dtype}, which is not read")
    if not 2 <= len(shape) <= 7 or min(shape) < 1:
        raise ReadError(path, f"its header declares a volume of {' x '.join(map(str, shape)) or 'no'} voxels")
    size = math.prod(map(int, shape)) * dtype.itemsize
    check(path, "array_bytes", size, "bytes of voxels")
    return size


def _voxels(path: str, data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int) -> Array:
    count = _bytes(path, shape, dtype) // dtype.itemsize
    if offset < 0 or offset + count * dtype.itemsize > len(data):
        there = max(0, len(data) - offset)
        raise ReadError(path, f"holds {there:,} of {count * dtype.itemsize:,} bytes of voxels; the file is truncated")
    voxels = np.frombuffer(data, dtype, count, offset).reshape(shape, order="F")
    voxels = voxels.astype(dtype.newbyteorder("="), copy=False)
    return voxels.reshape((*(*shape, 1)[:3], -1), order="F")


def _turned(path: str, voxels: Array, affine: Array) -> tuple[Array, tuple[float, float] | None, float]:
    """Axes to the patient's left, posterior and superior, by the file's affine; spacing of (row, column) and of slices in mm."""
    if not np.isfinite(affine).all():
        raise ReadError(path, "its affine is not finite")
    turning = _turning(affine)
    if turning is None:  # the axes are left as they are stored
        return voxels, None, 0.0
    turned = np.asarray(_nibabel().apply_orientation(voxels, turning))
    check(path, "pixels", turned.shape[0] * turned.shape[1], "pixels")
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    across, along, step = (float(sizes[np.flatnonzero(turning[:, 0] == axis)[0]]) for axis in (0, 1, 2))
    return turned, (along, across) if along > 0 and across > 0 else None, step


def _turning(affine: Array) -> Array | None:
    """How the axes of a file are put into the order and directions of `read`, as nibabel says it; None of a degenerate affine."""
    nib = _nibabel()
    orientation = nib.io_orientation(affine)
    if np.isnan(orientation).any():
        return None
    turning: Array = nib.orientations.ornt_transform(orientation, nib.orientations.axcodes2ornt("LPS"))
    return turning


def _range(path: str, voxels: Array, slope: float, inter: float) -> tuple[ValueRange, str]:
    """The grey range in the volume's units: that of its dtype at 8 bits, else the finite extremes."""
    if voxels.dtype.names:
        return (0.0, 255.0), "dtype"
    if voxels.dtype.kind in "ui" and voxels.dtype.itemsize == 1:
        info, origin = np.iinfo(voxels.dtype), "dtype"
        stored = (float(info.min), float(info.max))
    else:
        stored, origin = extremes(voxels), "extremes of the volume"
    low, high = sorted(value * slope + inter for value in stored)
    limit = float(np.finfo(np.float32).max)
    if not -limit < low < high < limit:
        raise ReadError(path, f"its scl_slope {slope:g} and scl_inter {inter:g} leave no range of grey")
    return (low, high), origin


def _nibabel() -> Any:
    """nibabel, imported when the first volume comes: it costs more than a picture's whole reading."""
    import nibabel

    return nibabel


def fragments(source: Source) -> list[str]:
    """ "slice=0", "slice=1", ... from the feet; with ",volume=N" where there are several volumes; [""] for one."""
    volume = _volume(source)
    check(source.path, "frames", volume.slices * volume.volumes, "slices")
    slices = [f"slice={index}" for index in range(volume.slices)]
    if volume.volumes > 1:
        return [f"{one},volume={index}" for index in range(volume.volumes) for one in slices]
    return slices if volume.slices > 1 else [""]


def grid(source: Source) -> Grid | None:
    """Where the voxels lie; None where the affine gives them no axes."""
    nib, (header, shape, _, _) = _nibabel(), _header(source.path, source.head)
    affine = header.get_best_affine()
    whole = np.isfinite(affine).all() and np.linalg.matrix_rank(affine[:3, :3]) == 3
    turning = _turning(affine) if whole else None
    if turning is None:
        return None
    volume = (*shape, 1, 1)[:3]
    turned = np.asarray(affine, np.float64) @ nib.orientations.inv_ornt_aff(turning, volume)
    columns, rows, slices = (int(volume[axis]) for axis in np.argsort(turning[:, 0]))
    return Grid((columns, rows, slices), "".join(nib.aff2axcodes(affine)), turned)


def identity(source: Source) -> Identity:
    """A NIfTI header names nobody; its free text is not read."""
    return Identity()
