"""The pixel data of a DICOM image and nothing else: no text behind it, in its streams, or in bits that it does not use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID, RLELossless

from evenray.core.errors import ReadError

from .streams import UnsoundStream, begins, blanked

__all__ = ["clean_pixels"]

UNSOUND = "its compressed pixels cannot be followed to their end, so texts in them cannot be found"


def clean_pixels(dataset: FileDataset, syntax: UID, path: str) -> None:
    """Take from the pixel data what follows it, and texts in its streams. ReadError where that would change pixels, or nobody knows
    what is in a stream."""
    if "PixelData" not in dataset:
        return
    element = dataset["PixelData"]
    if not syntax.is_encapsulated:
        size = get_expected_length(dataset)
        element.value = element.value[: size + size % 2]
        if dataset.get("BitsStored", 0) < dataset.get("BitsAllocated", 0) == 16 and _has_more_bits(dataset):
            raise ReadError(
                path, "holds more in its pixels than their stored bits, such as an overlay, which would stay"
            )
        return
    if syntax == RLELossless:  # its segments are counted, and hold pixels alone
        return
    data = bytearray(element.value)
    try:
        frames = list(_frames(element.value))
        for frame in frames:
            stream, at = blanked(b"".join(element.value[start:end] for start, end in frame)), 0
            for start, end in frame:
                data[start:end] = stream[at : at + end - start]
                at += end - start
    except UnsoundStream:
        raise ReadError(path, UNSOUND) from None
    if len(data) % 2 and frames:  # an odd last fragment, which DICOM does not have, would get its padding behind it
        start, end = frames[-1][-1]
        data[start - 4 : start] = (end - start + 1).to_bytes(4, "little")
        data.append(0)
    element.value = bytes(data)


def _has_more_bits(dataset: Dataset) -> bool:
    """Whether bits above those stored are neither zeros nor the sign repeated."""
    high = int(dataset.get("HighBit", dataset.BitsStored - 1))
    words = np.frombuffer(dataset.PixelData[: len(dataset.PixelData) // 2 * 2], "<u2")
    if high + 1 != dataset.BitsStored or high >= 15:
        return bool(high + 1 != dataset.BitsStored)
    above = words >> (high + 1)
    signs = (words >> high) & 1
    full = (1 << (15 - high)) - 1
    return bool(np.any((above != 0) & ~((above == full) & (signs == 1))))


def _frames(data: bytes) -> Iterator[list[tuple[int, int]]]:
    """Where the fragments of each frame lie in encapsulated pixel data (PS3.5, A.4): a frame begins with its stream's first marker."""
    at, frame = 0, list[tuple[int, int]]()
    while at + 8 <= len(data) and data[at : at + 4] != b"\xfe\xff\xdd\xe0":
        start, end = at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] != b"\xfe\xff\x00\xe0" or end > len(data):
            raise UnsoundStream
        if at and begins(data[start:end]) and frame:  # the first item is the table of offsets
            yield frame
            frame = []
        if at:
            frame.append((start, end))
        at = end
    if frame:
        yield frame
