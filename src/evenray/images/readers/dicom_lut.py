"""Look-up tables of DICOM: modality, VOI and palette, also where they are narrower or shorter than they declare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from evenray.core.errors import ReadError

from .dicom_elements import numbers

__all__ = ["Lut", "lut_of", "palette"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Lut:
    """A table of grey values: `first` is the input of entry 0, `bits` the declared width of an entry."""

    first: int
    bits: int
    values: Array

    def apply(self, pixels: Array) -> Array:
        """The entry of every pixel; inputs outside the table take its first or last entry (PS3.3 C.11.1.1)."""
        whole = np.rint(np.nan_to_num(pixels, nan=self.first)) if pixels.dtype.kind == "f" else pixels
        low, high = self.first, self.first + len(self.values) - 1
        index = np.clip(whole.astype(np.int64) if pixels.itemsize > 2 else whole.astype(np.int32), low, high) - low
        return self.values[index]

    @property
    def used_bits(self) -> int:
        """The bits that the entries really use: an output range of 12 bits is often declared as 16."""
        return max(1, int(self.values.max()).bit_length())


def lut_of(groups: Sequence[Dataset], keyword: str, signed: bool) -> Lut | str | None:
    """The first table of a sequence; None where there is none, a text that says what is wrong where it is malformed."""
    for group in groups:
        if keyword not in group:
            continue
        try:
            items = group[keyword].value
            item = items[0] if len(items) else None
        except Exception:
            return "the sequence is damaged"
        if item is None:
            continue
        descriptor, data = numbers([item], "LUTDescriptor"), _raw(item, "LUTData")
        if descriptor or data is not None:  # an item with neither is left over from anonymization
            return _lut(descriptor, data, signed)
    return None


def _raw(item: Dataset, keyword: str) -> Any:
    try:
        return item.get(keyword)
    except Exception:
        return None


def _lut(descriptor: list[float], data: Any, signed: bool) -> Lut | str:
    if len(descriptor) != 3:
        return "its descriptor has not three values"
    count, first, bits = (int(v) for v in descriptor)
    count = count % 65536 or 65536
    first = first - 65536 if signed and first > 32767 else first
    if not 1 <= bits <= 16:
        return f"its entries have {bits} bits"
    entries = _entries(data, count)
    if len(entries) < 2:
        return f"it holds {len(entries)} of {count} entries"
    values = entries[:count]
    bits = max(bits, int(values.max()).bit_length())
    return Lut(first, bits, values.astype(np.uint8 if bits <= 8 else np.uint16))


def _entries(data: Any, count: int) -> Array:
    """The entries of a table, uint16: from words, or from bytes of which two entries share a word."""
    if data is None:
        return np.zeros(0, np.uint16)
    if isinstance(data, bytes):
        if len(data) in (count, count + 1):
            return np.frombuffer(data, np.uint8).astype(np.uint16)
        return np.frombuffer(data[: len(data) // 2 * 2], "<u2")
    try:
        words = np.atleast_1d(np.asarray(data, dtype=np.int64) & 0xFFFF).astype("<u2")
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0, np.uint16)
    if len(words) == (count + 1) // 2 and count > 2:
        return np.frombuffer(words.tobytes(), np.uint8).astype(np.uint16)
    return words


def palette(stored: Array, dataset: Dataset, path: str) -> tuple[Array, int]:
    """(H, W, 3) of indices through the three palettes (PS3.3 C.7.6.3.1.5), and the largest value of an entry."""
    from pydicom.pixels.processing import apply_color_lut

    if "RedPaletteColorLookupTableDescriptor" not in dataset:
        raise ReadError(path, "is a palette picture without its palette")
    for colour in ("Red", "Green", "Blue", "Alpha"):
        _check_segments(path, dataset.get(f"Segmented{colour}PaletteColorLookupTableData"), dataset)
    try:
        pixels = np.asarray(apply_color_lut(stored, dataset))
    except Exception:
        raise ReadError(path, "its colour palette is malformed") from None
    pixels = pixels.astype(np.uint8 if pixels.dtype.itemsize == 1 else np.uint16, copy=False)
    narrow = pixels.dtype == np.uint8 or (pixels.max() <= 255 and not _is_wide(dataset))
    return pixels, 255 if narrow else 65535


def _is_wide(dataset: Dataset) -> bool:
    """Whether the entries of a palette use more than 8 bits, though those that the picture uses may be low ones."""
    raw = [dataset.get(f"{colour}PaletteColorLookupTableData") for colour in ("Red", "Green", "Blue")]
    tables = [np.frombuffer(data[: len(data) // 2 * 2], "<u2") for data in raw if isinstance(data, bytes)]
    descriptor = numbers([dataset], "RedPaletteColorLookupTableDescriptor")
    wide = len(descriptor) == 3 and descriptor[2] == 16
    return wide and any(len(table) and int(table.max()) > 255 for table in tables)


_ENTRIES = 65_536  # that a palette may have
_WORK = 2**22  # words that pydicom copies while it unfolds one; a second of its time


def _check_segments(path: str, data: Any, dataset: Dataset) -> None:
    """Unfold a segmented palette (PS3.3 C.7.9.2) in numbers only, as pydicom does it in full: segments that repeat others
    can make terabytes of a few bytes, or take years to make nothing."""
    if not isinstance(data, bytes):
        return
    wide = (numbers([dataset], "RedPaletteColorLookupTableDescriptor") or [16])[-1] > 8
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if wide else "u1").tolist()
    entries = work = 0

    def unfold(start: int, most: int) -> None:
        nonlocal entries, work
        at, segments = start, 0
        work += len(words) - start
        while at + 1 < len(words) and segments != most:
            kind, size = words[at], words[at + 1]
            entries += size if kind < 2 else 0
            if entries > _ENTRIES or work > _WORK:
                raise ReadError(path, f"its segmented palette unfolds to more than {_ENTRIES:,} colours")
            if kind == 2:
                step, base = (2, 65_536) if wide else (4, 256)
                unfold(start + sum(n * base**i for i, n in enumerate(words[at + 2 : at + 2 + step])), size)
                at += step
            at += 2 + (size if kind == 0 else kind % 2)
            segments += 1

    try:
        unfold(0, -1)
    except RecursionError:
        raise ReadError(path, "its segmented palette repeats itself without end") from None
