"""Window and level: the part of the range that is shown from black to white."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt

from evenray.core.errors import UsageError
from evenray.core.types import Curve, Image
from evenray.images.ct_windows import ct_window
from evenray.images.histogram import Histogram

from ._engine import apply
from ._kinds import monotone, on_pixels, pointwise
from .linear import between

__all__ = ["voi", "window"]

Shape = Literal["linear", "linear_exact", "sigmoid"]


@monotone
@pointwise
def window(
    histogram: Histogram,
    center: float | None = None,
    width: Annotated[float, Gt(0)] | None = None,
    preset: str | None = None,
    shape: Shape = "linear_exact",
) -> Curve:
    """Black below and white above a window, in the units of the pixels (Hounsfield units for CT); all by default.

    `preset` names a CT window: brain, subdural, stroke, brain_bone, brain_soft, lung, mediastinum, abdomen, liver,
    spine_soft, spine_bone. `shape` is the VOI LUT function of DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.

    >>> window(Histogram.of_values([-1, 0, 1, 2], width=1, start=-1.5), center=0.5, width=1).values
    array([0., 0., 1., 1.])
    """
    if preset is not None:
        center, width = ct_window(preset)
    if (center is None) != (width is None):
        raise UsageError(f"window has center {center} and width {width}; give both, or a preset.")
    if center is None or width is None:
        return Curve(histogram.unit_levels.copy())
    if shape == "sigmoid":
        return Curve(1 / (1 + np.exp(np.clip(-4 * (histogram.centres - center) / width, -700, 700))))
    if shape == "linear_exact":
        return between(histogram, center - width / 2, center + width / 2)
    low = center - 0.5 - (width - 1) / 2
    return between(histogram, low, low + max(width - 1, 1e-6))


@on_pixels
def voi(image: Image) -> Image:
    """The first window that the image's own DICOM header holds; no change where there is none.

    Readers apply it already unless told `window="none"`.

    >>> header = {"window_center": 1, "window_width": 2}
    >>> voi(Image(np.array([[0, 1, 2, 9]], np.uint8), (0, 255), header=header)).pixels.tolist()
    [[0, 128, 255, 255]]
    """
    center, width = image.header.get("window_center"), image.header.get("window_width")
    if center is None or width is None or not float(width) > 0:
        return image
    return apply(image, window(Histogram.of(image), float(center), float(width)))
