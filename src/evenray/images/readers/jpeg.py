"""JPEG of 8 bits, decoded by libjpeg-turbo so that what it warns of is heard.

Decoders go on behind damaged or missing data, fill in what they can and only warn; OpenCV, Pillow and imagecodecs keep the
warning to themselves (docs/decisions/0021-warnings-of-jpeg-decoders-are-heard.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError

__all__ = ["decode_jpeg"]

# Other warnings are of what is strange and does no harm to pixels, such as a later revision of JFIF, or a bad ICC profile.
_HARM = ("Corrupt JPEG data", "Premature end", "Invalid SOS parameters", "Inconsistent progression")


def decode_jpeg(path: object, data: bytes, colours: str) -> NDArray[Any]:
    """The whole picture as (H, W), with `colours` "GRAY", or (H, W, 3), with "RGB"; ReadError for what is damaged.

    >>> import cv2
    >>> data = cv2.imencode(".jpg", np.full((16, 16), 7, np.uint8))[1].tobytes()
    >>> decode_jpeg("a.jpg", data, "GRAY")[0, 0]
    np.uint8(7)
    >>> decode_jpeg("a.jpg", data[:-4] + data[-2:], "GRAY")
    Traceback (most recent call last):
    ...
    evenray.core.errors.ReadError: a.jpg: its JPEG data is damaged or incomplete (premature end of data segment)
    """
    import simplejpeg  # type: ignore[import-untyped]

    try:
        pixels = simplejpeg.decode_jpeg(data, colours)
    except ValueError as error:
        said = str(error)
        if said.startswith(_HARM) and "ICC" not in said:
            raise ReadError(
                path, f"its JPEG data is damaged or incomplete ({said.removeprefix('Corrupt JPEG data: ')})"
            ) from None
        import imagecodecs  # what is only strange ends simplejpeg all the same

        try:
            pixels = imagecodecs.jpeg8_decode(data, outcolorspace="GRAYSCALE" if colours == "GRAY" else colours)
        except imagecodecs.Jpeg8Error:
            raise ReadError(path, "its JPEG data cannot be decoded; it is truncated or damaged") from None
    found = np.asarray(pixels)
    return found[..., 0] if found.ndim == 3 and found.shape[2] == 1 else found
