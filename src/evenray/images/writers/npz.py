"""MedMNIST archives: the image arrays replaced, everything else as it was."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.types import Image

__all__ = ["write"]


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """Fragments "train/12" go to row 12 of train_images; arrays keep their shape and dtype."""
    with np.load(source, allow_pickle=False) as archive:
        arrays: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files}
    for fragment, image in images.items():
        part, _, number = fragment.partition("/")
        rows = arrays[f"{part}_images"]
        pixels = image.pixels
        rows[int(number)] = pixels[..., None] if pixels.ndim == 2 and rows.ndim == 4 else pixels
    with zipfile.ZipFile(source) as file:
        compressed = any(member.compress_type for member in file.infolist())
    with target.open("wb") as out:
        (np.savez_compressed if compressed else np.savez)(out, **arrays)  # type: ignore[arg-type]
