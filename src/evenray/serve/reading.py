"""What is done to a file in the processes that may die of it; they import this module, and so it imports little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evenray.core import budget
from evenray.core.errors import EvenrayError, MissingExtra, ReadError
from evenray.core.types import Image
from evenray.images import readers
from evenray.images.contrast import enhance, without_files
from evenray.images.levels import to_indices

__all__ = ["as_png", "held"]


def held(path: Path) -> int | str:
    """How many images a file holds, or why it cannot be read."""
    try:
        return len(readers.fragments(path))
    except ReadError as error:
        return error.reason
    except MissingExtra as error:
        return str(error)


def as_png(path: Path, method: str, window: str, fragment: str | None) -> bytes | str:
    """An image with its contrast changed, as PNG, or why it cannot be read; UsageError for the method."""
    try:
        with budget.reading(), without_files():
            part = readers.middle(readers.fragments(path)) if fragment is None else fragment
            image = readers.read(path, fragment=part, window=window)
            return cv2.imencode(".png", _shown(enhance(image, method)))[1].tobytes()
    except ReadError as error:
        return error.reason
    except MissingExtra as error:
        return str(error)
    except EvenrayError:
        raise
    except (MemoryError, cv2.error):
        return budget.NO_MEMORY
    except Exception as error:  # a library's own, whose text may quote the header
        return f"its contrast cannot be changed ({type(error).__name__})"


def _shown(image: Image) -> NDArray[Any]:
    """The pixels as a PNG has them: uint8 or uint16 over the whole of their depth, colour as BGR, missing pixels black."""
    indices, levels = to_indices(image.pixels, image.value_range)
    white = 255 if levels <= 256 else 65_535
    pixels: NDArray[Any] = np.rint(indices * (white / max(1, levels - 1))).astype(
        np.uint8 if white == 255 else np.uint16
    )
    if image.valid is not None:
        pixels[~image.valid] = 0
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
