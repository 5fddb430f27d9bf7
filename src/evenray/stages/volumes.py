"""Volumes measured: the masks of their slices put together as they come, and compared as solids."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.types import Dataset
from evenray.data.volumes import Stack, stacks
from evenray.metrics.overlap import hd95

__all__ = ["MeasuredVolumes"]

Mask = NDArray[np.uint8]


class MeasuredVolumes:
    """HD95 of each class in each volume of a data set, once all of its slices have come; nothing where `spacing` of cases, (row,
    column) in mm, is not known. In memory are the slices of volumes that are not complete."""

    def __init__(self, cases: Dataset, spacing: list[tuple[float, float]] | None) -> None:
        self.cases, self.spacing = cases, spacing or []
        self.stacks = {} if spacing is None else stacks(cases.cases)
        self.of_row = {row: name for name, stack in self.stacks.items() for row in stack.rows}
        self.open: dict[str, dict[int, tuple[Mask, Mask]]] = {}
        self.distances: dict[str, list[float]] = {}

    def add(self, row: int, true: Mask, called: Mask) -> None:
        """The true and the called mask of a case: 0 background, k + 1 class k."""
        if (name := self.of_row.get(row)) is None:
            return
        slices, stack = self.open.setdefault(name, {}), self.stacks[name]
        slices[row] = (true.astype(np.uint8), called.astype(np.uint8))
        if len(slices) == len(stack.rows):
            both = [np.stack([slices[own][which] for own in stack.rows]) for which in (0, 1)]
            del self.open[name]
            self.distances[name] = [self._distance(both[0] == k, both[1] == k, stack) for k in self._classes]

    @property
    def _classes(self) -> range:
        return range(1, len(self.cases.classes) + 1)

    def _distance(self, true: NDArray[np.bool_], called: NDArray[np.bool_], stack: Stack) -> float:
        """NaN where nothing is there and nothing called, the diagonal where only one of them is, as of images."""
        if true.any() and called.any():
            return hd95(true, called, (stack.step, *self.spacing[stack.rows[0]]))
        return self._diagonal(stack) if true.any() or called.any() else float("nan")

    def _diagonal(self, stack: Stack) -> float:
        rows, columns = self.cases.cases.select("rows", "columns").row(stack.rows[0])
        row, column = self.spacing[stack.rows[0]]
        return float(np.linalg.norm([len(stack.rows) * stack.step, rows * row, columns * column]))

    @property
    def columns(self) -> list[pl.Series]:
        """Of every case its `volume`, the distance of its slices in mm (`slice_step`, null where the volume was not measured),
        `volume_diagonal` and `volume_hd95_k`; none where there are no volumes."""
        if "volume" not in self.cases.cases.columns or self.cases.cases["volume"].is_null().all():
            return []
        names = [name if (name := self.of_row.get(row)) in self.distances else None for row in range(len(self.cases))]
        found = [self.cases.cases["volume"].alias("volume")]
        found.append(pl.Series("slice_step", [name and self.stacks[name].step for name in names], pl.Float64))
        found.append(
            pl.Series("volume_diagonal", [name and self._diagonal(self.stacks[name]) for name in names], pl.Float64)
        )
        for k in range(len(self.cases.classes)):
            values = [name and self.distances[name][k] for name in names]
            found.append(pl.Series(f"volume_hd95_{k}", values, pl.Float64))
        return found
