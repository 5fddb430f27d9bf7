"""Windows: the part of the grey range that a viewer shows from black to white."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import UsageError
from evenray.images.ct_windows import ct_window

__all__ = ["ValueRange", "Window", "asked_range", "extremes", "window_range"]

Window = str | tuple[float, float]
ValueRange = tuple[float, float]


def window_range(center: float, width: float, function: str = "LINEAR_EXACT") -> ValueRange:
    """Black and white of a window, by the formulas of DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.2.

    >>> window_range(40, 80), window_range(2048, 4096, "LINEAR")
    ((0.0, 80.0), (0.0, 4095.0))
    """
    if function == "LINEAR":
        if width <= 1:  # a threshold between two grey values
            return center - 1.0, center + 0.0
        return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    return center - width / 2, center + width / 2


def extremes(values: NDArray[Any]) -> ValueRange:
    """The finite extremes of values, for files that declare no range; widened where all values are equal.

    >>> extremes(np.float32([3, np.nan, 5])), extremes(np.float32([7, 7])), extremes(np.float32([np.nan]))
    ((3.0, 5.0), (7.0, 14.0), (0.0, 1.0))
    """
    finite = values if values.dtype.kind in "ui" else values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def asked_range(value_range: ValueRange | None, window: Window) -> ValueRange | None:
    """The levels that the caller asks for: `value_range` itself, a preset, a (center, width) pair; None for the header's.

    Raises UsageError for a name that is not a preset and for ranges that are empty.

    >>> asked_range(None, "brain"), asked_range((0, 4095), "header"), asked_range(None, "none")
    ((0.0, 80.0), (0.0, 4095.0), None)
    """
    if value_range is not None:
        low, high = _pair(value_range, "value_range", "(low, high), for instance (0, 4095)")
        if not low < high:
            raise UsageError(f"value_range is {value_range}; expected (low, high) with low < high.")
        return low, high
    if isinstance(window, str):
        if window in ("header", "none"):
            return None
        return window_range(*ct_window(window, also=("header", "none")))
    center, width = _pair(window, "window", "(center, width), for instance (40, 80)")
    if not width > 0:
        raise UsageError(f"window is {window}; expected (center, width) with width > 0.")
    return window_range(center, width)


def _pair(values: tuple[float, float], name: str, expected: str) -> tuple[float, float]:
    try:
        first, second = (float(v) for v in values)
    except (TypeError, ValueError):
        raise UsageError(f"{name} is {values!r}; expected {expected}.") from None
    if not (math.isfinite(first) and math.isfinite(second)):
        raise UsageError(f"{name} is {values!r}; expected finite numbers {expected}.")
    return first, second
