"""What was exported of a run, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Exported"]


@dataclass(frozen=True)
class Exported:
    """`files` with the network first; `side` of the images that it takes, in pixels; how far its logits are from torch's at
    most (None for safetensors); `validation` figures of float32 and 8-bit integers, precision -> metric -> value; and the
    rates of false flags of images unlike the training ones ("all" and by class), with the number of cases behind them."""

    format: str
    files: tuple[Path, ...]
    side: int
    difference: float | None = None
    validation: Mapping[str, Mapping[str, float]] | None = None
    flag_rates: Mapping[str, float] | None = None
    flag_cases: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values: format, files, difference, validation."""
        found: dict[str, Any] = {"format": self.format, "files": [str(path) for path in self.files]}
        found |= {} if self.difference is None else {"difference": self.difference}
        return found | (
            {} if self.validation is None else {"validation": {n: dict(v) for n, v in self.validation.items()}}
        )
