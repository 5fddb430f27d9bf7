"""Figures of whole volumes: what their slices add up to, each volume once, beside the figures of slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["ML", "VOLUME_METRICS", "Volumes"]

VOLUME_METRICS = ("volume_dice", "volume_hd95", "volume_bias", "volume_low", "volume_high")
ML = 1000.0  # cubic millimetres of a millilitre
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Volumes:
    """One class in volumes. Arrays have a value a case: of a volume at the first of its slices, 0 elsewhere, so that the weights of
    cases in a resample of patients are those of volumes.

    `one` is 1 where there is a volume; `true`, `called` and `hit` are voxels, `ml_true` and `ml_called` millilitres; `hd95` and
    `diagonal` are in mm.
    """

    one: Floats
    true: Floats
    called: Floats
    hit: Floats
    ml_true: Floats
    ml_called: Floats
    hd95: Floats
    diagonal: Floats

    @classmethod
    def of(cls, table: pl.DataFrame, k: int) -> Volumes | None:
        """From predictions whose slices know their volume (`slice_step`, in mm, is null of all others); None without any."""
        if f"volume_hd95_{k}" not in table.columns or table["slice_step"].is_null().all():
            return None
        first = pl.col("volume").is_first_distinct() & pl.col("slice_step").is_not_null()

        def at_first(value: pl.Expr) -> Floats:
            told = pl.when(first).then(value).otherwise(0.0)
            return table.select(told.cast(pl.Float64).fill_null(0.0).fill_nan(0.0)).to_series().to_numpy()

        def summed(name: str) -> pl.Expr:
            return pl.col(f"{name}_{k}").cast(pl.Float64).sum().over("volume")

        thickness = pl.col("slice_step") / ML
        return cls(
            one=at_first(pl.lit(1.0)), true=at_first(summed("true")), called=at_first(summed("called")), hit=at_first(summed("hit")),
            ml_true=at_first(summed("area_true") * thickness), ml_called=at_first(summed("area_called") * thickness),
            hd95=at_first(pl.col(f"volume_hd95_{k}")), diagonal=at_first(pl.col("volume_diagonal")),
        )  # fmt: skip

    @property
    def has(self) -> NDArray[np.bool_]:
        """Where a volume has the class."""
        return self.true > 0

    @property
    def gap(self) -> Floats:
        """Called less true millilitres."""
        return self.ml_called - self.ml_true

    def ratios(self) -> dict[str, tuple[Floats, Floats]]:
        """Figures as a sum over cases by another: Dice and HD95 over the volumes that have the class, the rest over all."""
        has = self.has.astype(np.float64)
        dice = np.divide(2 * self.hit, self.true + self.called, out=np.zeros_like(has), where=self.has)
        return {
            "volume_dice": (dice, has), "volume_hd95": (self.hd95 * has, has), "volume_bias": (self.gap, self.one),
            "_volume_square": (self.gap**2, self.one),
        }  # fmt: skip

    def nothing(self, limit: float) -> dict[str, float]:
        """The figures of marking nothing; `limit` are the standard deviations of the limits of agreement."""
        gap = -self.ml_true[self.one > 0]
        middle, spread = float(gap.mean()), limit * float(gap.std())
        found = {"volume_bias": middle, "volume_low": middle - spread, "volume_high": middle + spread}
        if self.has.any():
            found |= {"volume_dice": 0.0, "volume_hd95": float(self.diagonal[self.has].mean())}
        return found
