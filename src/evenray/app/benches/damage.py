"""What spoils medical images, added on purpose: uneven light, over-exposure, noise, outliers, missing values."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from evenray.core.types import Image
from evenray.images.contrast._engine import present
from evenray.images.levels import lightness, to_indices

__all__ = ["Damage", "grey_of", "levels_of"]

SEED = 20  # of the noise; the same slider gives the same picture


class Damage(BaseModel):
    """How much of each is added, in this order; nothing by default.

    `unevenness`: the light falls from left to right by this share. `exposure`: so many stops more (times 2^exposure, cut off at
    white) or less. `noise`: the standard deviation of Gaussian noise, as a share of the range. `outliers`: the share of pixels that
    become black or white, half each. `missing`: the share of the picture, its upper left corner, that was never measured and was
    written down as black; with `marked` these pixels are known to be missing, and are not counted.

    >>> image = Image(np.full((10, 10), 100, np.uint8), value_range=(0, 255))
    >>> Damage(exposure=1).apply(image).pixels[0, 0], Damage(missing=0.25).apply(image).pixels[:6, 5].tolist()
    (np.uint8(200), [100, 100, 100, 100, 100, 100])
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unevenness: Annotated[float, Ge(0), Le(1)] = 0.0
    exposure: Annotated[float, Ge(-3), Le(3)] = 0.0
    noise: Annotated[float, Ge(0), Le(0.5)] = 0.0
    outliers: Annotated[float, Ge(0), Le(0.5)] = 0.0
    missing: Annotated[float, Ge(0), Le(0.9)] = 0.0
    marked: bool = False

    @property
    def none(self) -> bool:
        """Whether the image stays as it is."""
        return self == Damage(marked=self.marked)

    def apply(self, image: Image) -> Image:
        """The damaged image, in the dtype and range of the original; what is missing there stays missing."""
        if self.none:
            return image
        low, high = image.value_range
        unit = np.clip((np.nan_to_num(image.pixels.astype(np.float32), nan=low) - low) / (high - low), 0, 1)
        rng = np.random.default_rng(SEED)
        if self.unevenness:
            unit *= np.linspace(1.0, 1.0 - self.unevenness, unit.shape[1], dtype=np.float32)
        if self.exposure:
            unit = np.minimum(unit * np.float32(2**self.exposure), 1)
        if self.noise:
            unit = np.clip(unit + np.float32(self.noise) * rng.standard_normal(unit.shape, dtype=np.float32), 0, 1)
        if self.outliers:
            drawn = rng.random(unit.shape, dtype=np.float32)
            unit[drawn < self.outliers / 2] = 0
            unit[drawn > 1 - self.outliers / 2] = 1
        gone = _corner(unit.shape, self.missing)
        unit[gone] = 0
        valid = image.valid
        if self.marked and gone.any():
            valid = ~gone if valid is None else valid & ~gone
        return image.with_pixels(_stored(unit, image), valid=valid)


def grey_of(image: Image) -> Image:
    """The image without its colours: its lightness, on which contrast methods work, in its own dtype and units.

    >>> grey_of(Image(np.full((1, 1, 3), (255, 0, 0), np.uint8), value_range=(0, 255))).pixels.tolist()
    [[76]]
    """
    return image if image.channels == 1 else image.with_pixels(lightness(image))


def levels_of(image: Image) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], int, NDArray[np.bool_] | None]:
    """A grey image as a browser keeps it: its levels, 0 to n - 1, in as many bits as they need; n; and where there is data.

    The levels are the bins of its histogram. What lies outside the range stands at its ends.

    >>> levels_of(Image(np.array([[-1024, 3071]], np.int16), value_range=(-1024, 3071)))
    (array([[   0, 4095]], dtype=uint16), 4096, None)
    """
    indices, number = to_indices(image.pixels, image.value_range)
    return np.ascontiguousarray(indices), number, present(image)


def _corner(shape: tuple[int, ...], share: float) -> NDArray[np.bool_]:
    """Where the upper left corner lies that is so large a share of a picture."""
    gone = np.zeros(shape, bool)
    side = math.sqrt(share)
    gone[: round(shape[0] * side), : round(shape[1] * side)] = True
    return gone


def _stored(unit: NDArray[np.float32], image: Image) -> NDArray[np.generic]:
    low, high = image.value_range
    if image.pixels.dtype == np.float32:
        return np.asarray(low + unit * (high - low), np.float32)
    return np.rint(low + unit.astype(np.float64) * (high - low)).astype(image.pixels.dtype)
