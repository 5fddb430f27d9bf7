"""Whether NIfTI masks lie where their image lies: each file is turned by its own affine, and then they are laid over each other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from evenray.core.errors import ReadError
from evenray.core.names import as_path
from evenray.images.readers import grid

from .found import Annotated

__all__ = ["GridColumns", "describe_grids"]

SAME = 0.5  # voxels; up to there the nearest voxel is still the one with the same number


class GridColumns(TypedDict):
    """How far in voxels the mask lies from its image at most, and whether that is as its file has its axes in other directions; None
    where the files do not tell it."""

    mask_offset: float | None
    mask_turned: bool | None


def describe_grids(root: Path, file: str, annotated: Annotated) -> GridColumns:
    """Of the masks of an image the one that lies farthest away; those of another size are not compared."""
    found = list[tuple[float, bool]]()
    if (own := grid(as_path(root / file))) is not None:
        for name in dict.fromkeys(mask.file for mask in annotated.masks if mask.file):
            with suppress(ReadError):  # told when its pixels are read
                if (other := grid(as_path(root / name))) is not None and other.shape == own.shape:
                    offset = own.offset(other)
                    found.append((offset, offset > SAME and own.axes != other.axes))
    if not found:
        return {"mask_offset": None, "mask_turned": None}
    offset, turned = max(found)
    return {"mask_offset": offset, "mask_turned": turned}
