"""Stored values of one frame of a DICOM file: what the Image Pixel module says, checked, and then decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes

from evenray.core.errors import ReadError

from ._limits import check
from .dicom_codecs import Array, decode_frame
from .dicom_header import integer, text
from .dicom_terms import PHOTOMETRICS

__all__ = ["Layout", "decode"]


@dataclass(frozen=True)
class Layout:
    """The Image Pixel module of a file (PS3.3 C.7.6.3), with the usual values where the file leaves some out."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    photometric: str
    planar: int
    keyword: str
    syntax: UID

    @classmethod
    def of(cls, dataset: FileDataset, path: str) -> Layout:
        """Read and check the module; ReadError says which value cannot be."""
        groups: Sequence[Dataset] = [dataset]
        allocated = integer(groups, "BitsAllocated", 0)
        stored = integer(groups, "BitsStored", 0) or allocated
        layout = cls(
            rows=integer(groups, "Rows", 0),
            columns=integer(groups, "Columns", 0),
            samples=integer(groups, "SamplesPerPixel", 1),
            frames=max(1, integer(groups, "NumberOfFrames", 1)),
            bits_allocated=allocated,
            bits_stored=stored,
            high_bit=integer(groups, "HighBit", stored - 1),
            pixel_representation=integer(groups, "PixelRepresentation", 0),
            photometric=text(groups, "PhotometricInterpretation").upper(),
            planar=integer(groups, "PlanarConfiguration", 0),
            keyword=next(k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset),
            syntax=UID(str(dataset.file_meta.TransferSyntaxUID)),
        )
        layout._check(path)
        return layout

    def _check(self, path: str) -> None:
        floats = {"FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}.get(self.keyword)
        kind, samples = self.photometric, self.samples
        for wrong, what in (
            (not (0 < self.rows < 65536 and 0 < self.columns < 65536), f"{self.rows} rows x {self.columns} columns"),
            (samples not in (1, 3), f"{samples} samples a pixel; 1 and 3 are read"),
            (self.bits_allocated not in (floats or (1, 8, 16, 32)), f"{self.bits_allocated} bits allocated"),
            (not 0 < self.bits_stored <= self.bits_allocated, f"{self.bits_stored} bits of {self.bits_allocated}"),
            (samples == 3 and self.planar not in (0, 1), f"planar configuration {self.planar}"),
            (self.pixel_representation not in (0, 1), f"pixel representation {self.pixel_representation}"),
            (not kind, "no photometric interpretation, so black and white could be swapped"),
            (kind not in PHOTOMETRICS, "an unknown photometric interpretation"),
            (kind in ("HSV", "ARGB", "CMYK"), f"colours as {kind}, which are not read"),
            (samples == 3 and kind[:3] in ("MON", "PAL"), f"{kind} with three samples a pixel"),
            (samples == 1 and kind[:3] in ("RGB", "YBR"), f"{kind} with one sample a pixel"),
        ):
            if wrong:
                raise ReadError(path, f"its DICOM header declares {what}")
        check(path, "pixels", self.rows * self.columns, "pixels")
        check(path, "frames", self.frames, "frames")
        if not self.syntax.is_transfer_syntax or self.syntax.is_private:
            raise ReadError(path, "its transfer syntax is unknown")


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


def _native(dataset: FileDataset, layout: Layout, frame: int, path: str) -> Array:
    raw = dataset[layout.keyword].value
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
