"""Where the voxels of a volume lie in the patient, to compare two files that are laid over each other voxel by voxel."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """The columns, rows and slices of a volume as `read` turns it, the axes that its file has them in ("RAS"), and the affine (4, 4)
    from the numbers of the turned voxels to mm.

    >>> grid = Grid((4, 4, 1), "LPS", np.eye(4))
    >>> grid.offset(Grid((4, 4, 1), "LPS", np.diag([2.0, 1.0, 1.0, 1.0])))
    3.0
    """

    shape: tuple[int, int, int]
    axes: str
    affine: NDArray[np.float64]

    def offset(self, other: Grid) -> float:
        """How far, in voxels of this grid, a voxel of a grid of the same shape lies at most from that with the same number here; along
        an axis of one voxel nothing is far."""
        corners = np.array([*itertools.product(*((0, n - 1) for n in self.shape))], np.float64)
        there = np.linalg.solve(self.affine, other.affine @ np.column_stack([corners, np.ones(8)]).T)[:3].T
        return float(np.linalg.norm((there - corners)[:, np.array(self.shape) > 1], axis=1).max())
