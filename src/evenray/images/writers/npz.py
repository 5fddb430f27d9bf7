"""MedMNIST archives: the image arrays replaced, everything else as it was."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.types import Image
from evenray.images.readers.npz import images_of, opened

__all__ = ["write"]


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """Fragments "train/12" go to row 12 of train_images; arrays keep their shape and dtype, what is missing (NaN) stays,
    and other members keep their bytes."""
    parts = {fragment.partition("/")[0] for fragment in images}
    with opened(str(source)) as before, zipfile.ZipFile(target, "w") as after:
        for member in before.infolist():
            packed = zipfile.ZipInfo(member.filename)
            packed.compress_type = member.compress_type
            part = member.filename.removesuffix("_images.npy")
            with after.open(packed, "w", force_zip64=True) as new:
                if part in parts:
                    np.lib.format.write_array(new, _enhanced(source, part, images), allow_pickle=False)
                    continue
                for piece in _pieces(source, before, member):
                    new.write(piece)


def _pieces(source: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(member) as file:
            while piece := file.read(2**20):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise ReadError(source, f"has a damaged member '{member.filename}'") from None


def _enhanced(source: Path, part: str, images: Mapping[str, Image]) -> NDArray[Any]:
    rows = images_of(str(source), part)
    for number, row in enumerate(rows):
        image = images[f"{part}/{number}"]
        pixels = image.pixels if image.pixels.ndim == row.ndim else image.pixels[..., None]  # of three alike, or of one
        present = True if image.valid is None else image.valid[..., None] if row.ndim == 3 else image.valid
        np.copyto(row, pixels, where=present, casting="same_kind")
    return rows
