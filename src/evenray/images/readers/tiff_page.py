"""What the directory of a TIFF says of one page."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Page"]


@dataclass(frozen=True)
class Page:
    """One image of a TIFF: its place in the file, size, samples, and the strips or tiles that hold its data."""

    index: int
    at: int
    rows: int
    columns: int
    samples: int
    bits: int
    format: int
    photometric: int
    compression: int
    orientation: int
    in_planes: bool
    reduced: bool
    tiled: bool
    segment_size: tuple[int, int]
    segments: tuple[tuple[int, int], ...]

    @property
    def white_is_zero(self) -> bool:
        return self.photometric == 0
