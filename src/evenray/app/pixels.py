"""An image as a browser takes it: its own 8 to 16 bits as bytes, and beside them what the numbers mean."""

from __future__ import annotations

import json

import numpy as np
from fastapi import Response
from pydantic import BaseModel

from evenray.core.types import Image

__all__ = ["HEADER", "PixelsAbout", "pixels_response"]

HEADER = "X-Evenray-Pixels"


class PixelsAbout(BaseModel):
    """How to read the bytes: rows after rows of unsigned numbers of 8 or 16 bits (little-endian), `channels` of them a pixel;
    then, where `masked`, a byte a pixel, 0 where data is missing.

    The value of a pixel in the units of the file is `offset + slope * number`. `low` and `high` are the numbers of black and
    white. `bits` are those of the file, 32 where it has floats, which come in 16.
    """

    rows: int
    columns: int
    channels: int
    bits: int
    width: int
    offset: float
    slope: float
    low: float
    high: float
    masked: bool
    spacing: tuple[float, float] | None
    spacing_source: str | None
    window: tuple[float, float] | None = None


def pixels_response(image: Image, window: tuple[float, float] | None = None) -> Response:
    """The pixels of an image; `window` is the (centre, width) that its file asks for, in the units of the file."""
    pixels, low, high = image.pixels, *image.value_range
    offset, slope = 0.0, 1.0
    if pixels.dtype == np.int16:
        offset = -32768.0
        pixels = (pixels.astype(np.int32) + 32768).astype(np.uint16)
    elif pixels.dtype == np.float32:
        finite = pixels[np.isfinite(pixels)]
        least = min(low, float(finite.min())) if finite.size else low
        most = max(high, float(finite.max())) if finite.size else high
        offset, slope = least, (most - least) / 65535
        pixels = np.rint((np.nan_to_num(pixels, nan=least, posinf=most, neginf=least) - offset) / slope).astype(
            np.uint16
        )
    about = PixelsAbout(
        rows=image.shape[0], columns=image.shape[1], channels=image.channels, bits=image.bits,
        width=pixels.dtype.itemsize, offset=offset, slope=slope, low=(low - offset) / slope, high=(high - offset) / slope,
        masked=image.valid is not None, spacing=image.spacing_mm, spacing_source=image.spacing_source, window=window,
    )  # fmt: skip
    content = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    if image.valid is not None:
        content += image.valid.astype(np.uint8).tobytes()
    return Response(content, media_type="application/octet-stream", headers={HEADER: json.dumps(about.model_dump())})
