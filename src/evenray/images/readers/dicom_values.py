"""From stored values to grey levels: padding, modality LUT or rescale, VOI LUT or window, inversion (PS3.3 C.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from evenray.core.errors import ReadError

from ._window import ValueRange, extremes, window_range
from .dicom_elements import numbers, text
from .dicom_layout import Layout
from .dicom_lut import Lut, lut_of, palette

__all__ = ["Array", "Grey", "inverted", "modality", "padding", "palette", "voi"]

Array = NDArray[Any]
SIGMOID_HIGH = 65535.0


@dataclass(frozen=True)
class Grey:
    """Grey pixels on their way: `full` is the range that they can represent, `value_range` what is shown of it."""

    pixels: Array
    full: ValueRange
    value_range: ValueRange
    range_from: str
    notes: dict[str, Any] = field(default_factory=dict)


def padding(stored: Array, groups: Sequence[Dataset], layout: Layout) -> NDArray[np.bool_] | None:
    """False where stored values are padding (PS3.3 C.7.5.1.1.2) or not finite, None where the image has none such."""
    if stored.dtype.kind == "f":
        valid = np.isfinite(stored)
        names = ("FloatPixelPadding", "DoubleFloatPixelPadding", "PixelPadding")  # PS3.3 C.7.6.24 and C.7.6.25
        ends = [v for name in names for end in ("Value", "RangeLimit") for v in numbers(groups, name + end)[:1]]
        if ends:
            low, high = stored.dtype.type(min(ends)), stored.dtype.type(max(ends))
            valid &= (stored < low) | (stored > high)
        return None if valid.all() else valid
    ends = [v for k in ("PixelPaddingValue", "PixelPaddingRangeLimit") for v in numbers(groups, k)[:1]]
    if not numbers(groups, "PixelPaddingValue"):
        return None
    info, size = np.iinfo(stored.dtype), 2 ** (8 * stored.dtype.itemsize)
    # The other sign's spelling of the same bits is common: -2000 as 63536.
    ends = [v if info.min <= v <= info.max else (v - info.min) % size + info.min for v in ends]
    low, high = min(ends), max(ends)
    valid = ((stored < low) | (stored > high)) if low < high else stored != low
    return None if valid.all() else valid


def modality(stored: Array, groups: Sequence[Dataset], layout: Layout, path: str) -> Grey:
    """Stored values in modality units: by the modality LUT, or by slope and intercept; float32 only where needed."""
    if stored.dtype.kind == "f":
        return _from_floats(stored)
    bits, signed = layout.bits_stored, stored.dtype.kind == "i"
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    notes: dict[str, Any] = {}
    table = lut_of(groups, "ModalityLUTSequence", signed=low < 0)
    if isinstance(table, Lut):
        full = (0.0, 2.0**table.bits - 1)
        return Grey(table.apply(stored), full, full, "modality LUT")
    if table is not None:
        raise ReadError(path, f"its modality LUT is malformed: {table}")
    slope, intercept = (numbers(groups, k)[:1] for k in ("RescaleSlope", "RescaleIntercept"))
    scale, offset = (slope or [1.0])[0], (intercept or [0.0])[0]
    if scale == 0:  # as DCMTK does
        scale, offset = 1.0, 0.0
        notes["rescale_ignored"] = "slope 0"
    full = (min(low * scale, high * scale) + offset, max(low * scale, high * scale) + offset)
    if not np.finfo(np.float32).min < full[0] < full[1] < np.finfo(np.float32).max:
        raise ReadError(path, f"its rescale slope {scale:g} and intercept {offset:g} are out of bounds")
    if (scale, offset) != (1, 0):
        notes |= {"rescale_slope": scale, "rescale_intercept": offset}
    return Grey(_linear(stored, scale, offset, full), full, full, "bits stored", notes)


def _from_floats(stored: Array) -> Grey:
    with np.errstate(over="ignore"):
        pixels = stored.astype(np.float32)
    full = extremes(pixels)
    pixels = np.nan_to_num(pixels, copy=False, nan=0, posinf=0, neginf=0)
    return Grey(pixels, full, full, "extremes of the frame")


def _linear(pixels: Array, scale: float, offset: float, full: ValueRange) -> Array:
    """pixels * scale + offset in the narrowest dtype that holds the whole range, exactly for integers."""
    if pixels.dtype.kind == "f" or not (float(scale).is_integer() and float(offset).is_integer()):
        wide = pixels.astype(np.float64 if pixels.itemsize > 2 else np.float32)
        np.multiply(wide, wide.dtype.type(scale), out=wide)
        np.add(wide, wide.dtype.type(offset), out=wide)
        return wide.astype(np.float32, copy=False)
    dtype = container(full, pixels.dtype)
    if dtype is not None and (scale, offset) == (1, 0):
        return pixels.astype(dtype, copy=False)
    wide = pixels.astype(np.float64 if _is_wide(full) else np.int32)
    np.multiply(wide, wide.dtype.type(scale), out=wide)
    np.add(wide, wide.dtype.type(offset), out=wide)
    # A CT of 16 bits less 1024 could hold values that int16 cannot, but none does: so its own values decide then.
    return wide.astype(dtype or container((float(wide.min()), float(wide.max())), pixels.dtype) or np.float32)


def _is_wide(full: ValueRange) -> bool:
    return full[0] < -(2**31) or full[1] >= 2**31


def container(full: ValueRange, dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """The integer dtype of an Image that holds a range, one byte only where the file has one; None if none does."""
    for candidate in (np.uint8, np.uint16, np.int16):
        info = np.iinfo(candidate)
        if info.min <= full[0] and full[1] <= info.max and (candidate != np.uint8 or dtype.itemsize == 1):
            return np.dtype(candidate)
    return None


def voi(grey: Grey, groups: Sequence[Dataset]) -> Grey:
    """The header's VOI LUT, or its first window: a linear one moves the levels only, a SIGMOID maps the pixels."""
    table = lut_of(groups, "VOILUTSequence", signed=grey.full[0] < 0)
    if isinstance(table, Lut):
        bits = table.used_bits
        full = (0.0, 2.0**bits - 1)
        notes = grey.notes | {"voi_lut_bits": table.bits, "voi_lut_bits_used": bits}
        return Grey(table.apply(grey.pixels), full, full, "VOI LUT", notes)
    notes = dict(grey.notes) | ({"voi_lut_ignored": table} if table is not None else {})
    centers, widths = numbers(groups, "WindowCenter"), numbers(groups, "WindowWidth")
    if not centers or not widths or widths[0] <= 0:
        return replace(grey, notes=notes)
    center, width = centers[0], widths[0]
    function = text(groups, "VOILUTFunction").upper()
    if function == "SIGMOID":
        return _sigmoid(grey, center, width, notes)
    value_range = window_range(center, width, "LINEAR_EXACT" if function == "LINEAR_EXACT" else "LINEAR")
    if not value_range[0] < value_range[1]:  # a width lost in the rounding of a huge centre
        return replace(grey, notes=notes)
    return replace(grey, value_range=value_range, range_from="window", notes=notes)


def _sigmoid(grey: Grey, center: float, width: float, notes: dict[str, Any]) -> Grey:
    """PS3.3 C.11.2.1.3.1, onto 16 bits."""
    exponent = np.clip(-4.0 * (grey.pixels.astype(np.float64) - center) / width, -700, 700)
    pixels = np.rint(SIGMOID_HIGH / (1 + np.exp(exponent))).astype(np.uint16)
    return Grey(pixels, (0.0, SIGMOID_HIGH), (0.0, SIGMOID_HIGH), "SIGMOID", notes)


def inverted(grey: Grey) -> Grey:
    """Mirrored in its levels, for MONOCHROME1: low + high - pixels, so that brighter means more."""
    total = grey.value_range[0] + grey.value_range[1]
    full = (total - grey.full[1], total - grey.full[0])
    return replace(grey, pixels=_linear(grey.pixels, -1.0, total, full), full=full)
