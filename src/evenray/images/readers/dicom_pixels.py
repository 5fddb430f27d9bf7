"""The stored values of one frame of a DICOM file, decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes

from evenray.core.errors import ReadError

from ._limits import check
from .dicom_codecs import Array, decode_frame
from .dicom_layout import Layout

__all__ = ["decode"]


def decode(dataset: FileDataset, layout: Layout, frame: int, path: str) -> Array:
    """The stored values of one frame, (H, W) or (H, W, 3) RGB, integers as BitsStored and PixelRepresentation say."""
    if not layout.syntax.is_encapsulated:
        return _native(dataset, layout, frame, path)
    if layout.keyword != "PixelData" or not isinstance(dataset.PixelData, bytes):
        raise ReadError(path, "its compressed pixel data is damaged")
    check(path, "sequence_items", dataset.PixelData.count(b"\xfe\xff\x00\xe0"), "fragments of pixel data")
    try:
        data = get_frame(dataset.PixelData, frame, number_of_frames=layout.frames, extended_offsets=_offsets(dataset))
    except Exception:
        raise ReadError(path, f"its pixel data holds no frame {frame} of {layout.frames}; it is truncated") from None
    pixels, precision, photometric = decode_frame(data, layout, path)
    if layout.syntax in JPEG2000TransferSyntaxes or layout.syntax in JPEGLSTransferSyntaxes:
        # Header and stream contradict each other in some CT: negative values come of it, whichever says signed.
        signed = layout.pixel_representation or int(pixels.dtype.kind == "i")
        stored = _signed(pixels, precision, 0, signed)
    else:
        shift = layout.high_bit + 1 - layout.bits_stored if precision > layout.bits_stored else 0
        stored = _signed(pixels, min(precision, layout.bits_stored), shift, layout.pixel_representation)
    return _rgb(stored, photometric)


def _offsets(dataset: Dataset) -> tuple[bytes, bytes] | None:
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    return None


def _is_encapsulated(data: bytes) -> bool:
    """Whether pixel data are items as those of a compressed stream (PS3.5 A.4): a table of offsets, then a fragment."""
    item = b"\xfe\xff\x00\xe0"
    length = int.from_bytes(data[4:8], "little")
    return data[:4] == item and length % 4 == 0 and data[8 + length : 12 + length] == item


def _native(dataset: FileDataset, layout: Layout, frame: int, path: str) -> Array:
    raw = dataset[layout.keyword].value
    if isinstance(raw, bytes) and _is_encapsulated(raw):
        raise ReadError(path, "its pixel data is a compressed stream, but its header says that it is not compressed; correct its"
                        " transfer syntax")  # fmt: skip
    pixels = layout.rows * layout.columns * layout.samples * layout.frames
    if layout.photometric == "YBR_FULL_422":
        pixels = pixels * 2 // 3
    expected, actual = -(-pixels * layout.bits_allocated // 8), len(raw) if isinstance(raw, bytes) else 0
    if actual < expected:
        raise ReadError(path, f"the pixel data ends after {actual:,} of {expected:,} bytes; the file is truncated")
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation"):
        setattr(dataset, keyword, getattr(layout, _ATTRIBUTES[keyword]))  # repaired values, under their right VR
    dataset.PhotometricInterpretation, dataset.NumberOfFrames = layout.photometric, layout.frames
    if layout.samples == 3:
        dataset.PlanarConfiguration = layout.planar
    options: dict[str, Any] = {"correct_unused_bits": False, "allow_excess_frames": False, "view_only": True}
    array, properties = get_decoder(layout.syntax).as_array(dataset, index=frame, raw=True, **options)
    if layout.keyword != "PixelData":
        return array
    shift = layout.high_bit + 1 - layout.bits_stored
    stored = _signed(array, layout.bits_stored, shift, layout.pixel_representation)
    return _rgb(stored, str(properties["photometric_interpretation"]))


_ATTRIBUTES = {
    "Rows": "rows",
    "Columns": "columns",
    "SamplesPerPixel": "samples",
    "BitsAllocated": "bits_allocated",
    "BitsStored": "bits_stored",
    "PixelRepresentation": "pixel_representation",
}


def _signed(array: Array, bits: int, shift: int, representation: int) -> Array:
    """Shift the stored bits down, drop what stands above them, and read them as signed where the header says so."""
    width = array.dtype.itemsize * 8
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    wanted = np.dtype(f"{'ui'[representation]}{width // 8}")
    if shift <= 0 and bits >= width:
        return array.view(wanted)
    above = max(0, width - max(shift, 0) - bits)
    # Up to the top and down again: an arithmetic shift down carries the sign along, a logical one fills with zeros.
    return (array.view(wanted) << above) >> (above + max(shift, 0)) if above or shift > 0 else array.view(wanted)


def _rgb(pixels: Array, photometric: str) -> Array:
    if pixels.ndim == 3 and photometric in ("YBR_FULL", "YBR_FULL_422"):
        if pixels.dtype != np.uint8:
            raise ValueError("YBR colours of more than 8 bits")
        return convert_color_space(np.ascontiguousarray(pixels), "YBR_FULL", "RGB")
    return pixels
