"""The local form of any global method: a curve for every tile, blended between their centres."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from evenray.core.types import Image
from evenray.images.histogram import Histogram
from evenray.images.levels import from_indices, lightness, to_indices

from ._engine import present, with_grey
from ._kinds import on_pixels
from ._tiles import Tiling, blend, clipped, count_tiles, filled

__all__ = ["local", "tilewise"]

Side = Annotated[int, Ge(1), Le(256)]
Tiles = Side | tuple[Side, Side]
Curves = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@on_pixels
def local(
    image: Image, method: str = "equalize(stretch=False)", tiles: Tiles = 8, clip: Annotated[float, Gt(0)] | None = None
) -> Image:
    """Any global method or chain, tile by tile: `local(equalize, tiles=8, clip=2)`, `local("linear | gamma(0.8)")`.

    `tiles` is how many a side, or (rows, columns). With `clip` no bin of a tile's 256-bin histogram counts more than so
    many times their mean; it limits the slope, and so the noise. Blending as in Pizer et al., "Adaptive histogram
    equalization and its variations", CVGIP 39 (1987). UsageError where the method itself looks at pixels.

    >>> image = Image(np.arange(64, dtype=np.uint8).reshape(8, 8), value_range=(0, 255))
    >>> local(image, "gamma(2)", tiles=2).pixels[-1, -1]
    np.uint8(16)
    """
    from ._chain import curve

    curve(method, Histogram(np.array([1]), np.array([0.0, 1.0])))  # an unsuitable method is named before any work

    def curves(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        edges = _edges(image.value_range, counts.shape[1])
        return np.stack([curve(method, Histogram(tile, edges)).values for tile in counts])

    return tilewise(image, curves, tiles, clip)


def tilewise(image: Image, curves: Curves, tiles: int | tuple[int, int], clip: float | None) -> Image:
    """The image through a curve a tile; `curves` makes unit values (tiles, bins) of counts (tiles, bins)."""
    grey = lightness(image)
    indices, number = to_indices(grey, image.value_range)
    tiling = Tiling.of(image.shape, tiles)
    counts = filled(count_tiles(indices, number, present(image), tiling))
    if not counts.any():
        return image
    flat = counts.reshape(-1, counts.shape[2])
    found = curves(flat if clip is None else clipped(flat, clip)).reshape(counts.shape)
    kind = np.float32 if grey.dtype == np.float32 else indices.dtype.type
    pixels = from_indices(blend(indices, number, found, tiling, kind), image.value_range, grey.dtype)
    return with_grey(image, grey, pixels)


@lru_cache(maxsize=64)
def _edges(value_range: tuple[float, float], bins: int) -> Any:
    half = (value_range[1] - value_range[0]) / (bins - 1) / 2
    return np.linspace(value_range[0] - half, value_range[1] + half, bins + 1)
