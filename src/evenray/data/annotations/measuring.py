"""What a scan keeps of the annotation of one image: columns of the table of cases."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.errors import ReadError
from evenray.core.marks import BOXES, MASKS, BoxStruct, MaskStruct
from evenray.core.names import as_path
from evenray.images.readers import fragments, sniff

from .found import Annotated, MaskFile
from .mask_pixels import colours_of, mask_pixels
from .palettes import PALETTES
from .reading import joined, stretched

__all__ = ["COLUMNS", "describe_boxes", "describe_masks", "with_masks"]

ALL_AROUND = 0.9  # share of the pixels at the border
MOST_VALUES = 256  # that are counted of one mask, the most frequent ones, beside the lowest and the highest
VALUES = pl.List(pl.Struct({"value": pl.Int64, "pixels": pl.Int64}))
OF_MASKS: dict[str, Any] = {
    "masks": MASKS, "mask_values": VALUES, "mask_lowest": VALUES, "mask_borders": pl.List(pl.Int64), "mask_hash": pl.String,
    "annotated_rows": pl.Int32, "annotated_columns": pl.Int32,
}  # fmt: skip
COLUMNS: dict[str, Any] = OF_MASKS | {
    "boxes": BOXES, "mask_offset": pl.Float64, "mask_turned": pl.Boolean, "mask_palettes": PALETTES,
    "mask_coloured": pl.Struct(OF_MASKS),
}  # fmt: skip


class ValueCount(TypedDict):
    """How many pixels of an image have a value, its mask being stretched to it."""

    value: int
    pixels: int


class PaletteColour(TypedDict):
    """A number of a palette, its colour, and how many pixels of an image have it."""

    number: int
    colour: int
    pixels: int


class MaskColumns(TypedDict):
    """What is kept of the masks of an image; `annotated_rows` and `annotated_columns` are their own size.

    Of several files whose values the whole data set must tell, `mask_values` are of the highest value of each pixel, and `mask_lowest`
    of the lowest, which counts where white is the background; `mask_borders` has one a file.
    """

    masks: list[MaskStruct]
    mask_values: list[ValueCount]
    mask_lowest: list[ValueCount] | None
    mask_borders: list[int | None]
    mask_hash: str
    annotated_rows: int
    annotated_columns: int


class Described(MaskColumns):
    """The same, and of masks with a palette its colours, and what is kept where these count; None of it where one colour stands for
    several numbers."""

    mask_palettes: list[PaletteColour] | None
    mask_coloured: MaskColumns | None


class BoxColumns(TypedDict):
    """What is kept of the boxes of an image; `annotated_rows` and `annotated_columns` are the size that they were made for."""

    boxes: list[BoxStruct]
    annotated_rows: int
    annotated_columns: int


def with_masks(root: Path, annotated: Annotated, names: Sequence[str]) -> Sequence[str]:
    """The frames of an image of several volumes that its masks are of: where these have a volume, the middle one."""
    volumes = len({name.partition(",volume=")[2] for name in names})
    if volumes < 2 or not annotated.masks[0].file:
        return names
    slices = len(names) // volumes
    own = len(fragments(as_path(root / annotated.masks[0].file)))
    return names[volumes // 2 * slices :][:slices] if own == slices else names


def describe_masks(root: Path, annotated: Annotated, place: tuple[int, int], shape: tuple[int, int]) -> Described:
    """The masks of one frame, whose image has `shape`; `place` is its number and how many there are in its file.

    Columns: MASKS (without the meaning of values where the whole data set must tell it), how many pixels of the image have each
    value, the value of the border of each file, and a hash of all pixels.

    ReadError says what is wrong with a mask.
    """
    own = replace(annotated, masks=tuple(m for m in annotated.masks if not m.frames or place[0] in m.frames))
    files = dict.fromkeys(mask.file for mask in own.masks if mask.file)
    palettes = [found for file in files if (found := colours_of(as_path(root / file)))]
    entries: list[PaletteColour] = [{"number": n, "colour": c, "pixels": p} for each in palettes for n, c, p in each]
    differ = all(len({colour for _, colour, _ in each}) == len(each) for each in palettes)
    return {
        **_described(root, own, place, shape, coloured=False), "mask_palettes": entries or None,
        "mask_coloured": _described(root, own, place, shape, coloured=True) if entries and differ else None,
    }  # fmt: skip


def _described(
    root: Path, annotated: Annotated, place: tuple[int, int], shape: tuple[int, int], *, coloured: bool
) -> MaskColumns:
    structs: list[MaskStruct] = []
    raw, size = [], shape
    for mask in annotated.masks:
        try:
            own = mask.fragment if mask.fragment is not None else _fragment(root, mask, *place)
            path = as_path(root / mask.file)
            pixels = mask_pixels(path, own, mask.runs, annotated.size or shape, coloured=coloured)
        except ReadError as error:
            raise ReadError(error.path, f"cannot be used: its mask '{mask.file}' {error.reason}") from None
        except ValueError as error:
            raise ReadError(root, f"cannot be used: its mask cannot be read: {error}") from None
        values, indices = _binary(pixels, mask.index) if mask.index is not None else (None, None)
        rows, columns = (annotated.size if mask.runs else None) or (None, None)
        structs.append({
            "file": mask.file, "fragment": own, "runs": mask.runs, "values": values, "indices": indices,
            "rows": rows, "columns": columns, "coloured": coloured,
        })  # fmt: skip
        size = (pixels.shape[0], pixels.shape[1]) if pixels.shape != shape else size
        raw.append(pixels)
    by_value = bool(structs) and structs[0]["values"] is None
    if not by_value:  # of what lies within another, such as a cup in its disc, the smaller counts
        sizes = [int(np.count_nonzero(pixels)) / pixels.size for pixels in raw]
        structs = [structs[k] for k in sorted(range(len(structs)), key=lambda k: -sizes[k])]
    whole = _together(raw, np.maximum) if by_value else joined(root, structs, shape)
    lowest = _together(raw, np.minimum) if by_value and len(raw) > 1 else None
    digest = hashlib.sha256(f"{whole.shape}".encode() + _bytes(whole))
    if lowest is not None and lowest.any():  # dark on white several files are all white together
        digest.update(_bytes(lowest))
    return {
        "masks": structs, "mask_values": _values(stretched(whole, shape)),
        "mask_lowest": None if lowest is None else _values(stretched(lowest, shape)),
        "mask_borders": [_border(pixels) for pixels in (raw if by_value else [whole])], "mask_hash": digest.hexdigest(),
        "annotated_rows": size[0], "annotated_columns": size[1],
    }  # fmt: skip


def _bytes(pixels: NDArray[np.integer[Any]]) -> bytes:
    """Pixels as bytes, the same however deep their file is."""
    same = pixels.astype(np.uint8) if pixels.max(initial=0) < 256 else pixels.astype(np.int64)
    return np.ascontiguousarray(same).tobytes()


def _values(pixels: NDArray[np.integer[Any]]) -> list[ValueCount]:
    values_met, counts = _counted(pixels)
    # The lowest or the highest is the background, which is rare among a thousand cells and needed to tell how much they cover.
    kept = np.union1d(np.argsort(-counts, kind="stable")[:MOST_VALUES], [0, len(counts) - 1])
    return [{"value": v, "pixels": n} for v, n in zip(values_met[kept].tolist(), counts[kept].tolist(), strict=True)]


def _border(pixels: NDArray[np.integer[Any]]) -> int | None:
    """The value that nearly all pixels at the border have, None where none has."""
    around = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    values, counts = np.unique(around, return_counts=True)
    return int(values[counts.argmax()]) if counts.max() >= ALL_AROUND * len(around) else None


def _counted(pixels: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values of pixels, from the lowest up, and how often each occurs."""
    if pixels.dtype == np.uint8:
        counts = np.bincount(pixels.ravel(), minlength=256)
        return np.flatnonzero(counts), counts[counts > 0]
    values, counts = np.unique(pixels, return_counts=True)
    return values.astype(np.int64), counts


def _fragment(root: Path, mask: MaskFile, place: int, of: int) -> str:
    """The frame of a mask that belongs to a frame of its image."""
    path = as_path(root / mask.file)
    if not mask.file or sniff(path) is None:  # a GIF, of which the first frame counts
        return ""
    names = fragments(path)
    if len(names) != of:
        raise ReadError(path, f"has {len(names)} frames, and its image {of}")
    return names[place] if of > 1 else ""


def _binary(pixels: NDArray[np.integer[Any]], index: int) -> tuple[list[int], list[int]]:
    high = int(pixels.max())
    return ([0, high], [0, index]) if high else ([0], [0])


def _together(masks: list[NDArray[np.integer[Any]]], chosen: np.ufunc) -> NDArray[np.integer[Any]]:
    """Masks of one image together, of each pixel the highest or the lowest value."""
    whole = masks[0]
    for each in masks[1:]:
        if each.shape != whole.shape:
            raise ReadError("", f"cannot be used: its masks are of different sizes, {whole.shape} and {each.shape}")
        whole = chosen(whole, each)
    return whole


def describe_boxes(annotated: Annotated, shares: bool, shape: tuple[int, int]) -> BoxColumns:
    """The boxes of an image of `shape`, as BOXES, in its pixels."""
    down, across = shape if shares else (1, 1)
    boxes: list[BoxStruct] = [
        {"class": box.index, "x0": box.x0 * across, "y0": box.y0 * down, "x1": box.x1 * across, "y1": box.y1 * down,
         "ignored": box.ignored}
        for box in annotated.boxes
    ]  # fmt: skip
    rows, columns = annotated.size or shape
    return {"boxes": boxes, "annotated_rows": rows, "annotated_columns": columns}
