"""DICOM: a derived image with an identity of its own, valid, uncompressed, in the stored values of the original."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from evenray.core.errors import ReadError
from evenray.core.types import Image
from evenray.images.readers.dicom_parse import forget_unknown_vrs, to_little_endian

from ._dicom_again import header_again

__all__ = ["write"]

_LOOK_UP = ("VOI LUT", "SIGMOID", "modality LUT")  # ways of reading that leave the stored values behind
_STALE = (
    "IconImageSequence", "SmallestImagePixelValue", "LargestImagePixelValue", "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries", "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "DigitalSignaturesSequence",
    "MACParametersSequence", "WindowCenterWidthExplanation", "VOILUTFunction", "VOILUTSequence",
    "PixelDataProviderURL", "DoubleFloatPixelData",
)  # fmt: skip
_PALETTE = [f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue") for part in
            ("Descriptor", "Data")] + ["PaletteColorLookupTableUID"]  # fmt: skip


def write(source: Path, target: Path, images: Mapping[str, Image], note: str) -> None:
    """All frames, as a derived image (PS3.3 C.7.6.1.1.2): its own SOP Instance and Series UID, ImageType DERIVED, what
    was done in DerivationDescription, and the original in SourceImageSequence.

    Grey values go back through rescale and MONOCHROME1 to the stored values of the original, so depth, units and
    window mean what they meant. Where a look-up table stood between, the table is applied and removed. The UIDs follow
    from the original's and from `note`: the same copy made twice has the same ones. The header keeps the patient.
    """
    with header_again(source):
        _write(source, target, list(images.values()), note)


def _write(source: Path, target: Path, frames: list[Image], note: str) -> None:
    dataset = pydicom.dcmread(source, force=True)
    forget_unknown_vrs(dataset)
    dataset.decode()
    little = bool(dataset.original_encoding[1])
    if not little:
        to_little_endian(dataset)
    if dataset.get("SamplesPerPixel", 1) == 3 or dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        _set_colour(dataset, frames)
    elif "PixelData" in dataset:
        _set_grey(dataset, frames)
    else:
        _set_floats(dataset, frames, "<f4" if little else ">f4")
    _set_identity(dataset, note)
    pydicom.dcmwrite(target, dataset, enforce_file_format=True, implicit_vr=False, little_endian=True)


def _set_grey(dataset: FileDataset, frames: list[Image]) -> None:
    header = frames[0].header
    anew = header.get("range_from") in _LOOK_UP or "voi_lut_bits" in header
    stored = np.stack([_shown(image) if anew else _stored(image) for image in frames])
    if anew:
        _forget_tables(dataset)
    # A codestream may be signed where the header says that it is not.
    dataset.PixelRepresentation = int(not anew and bool(header["pixel_representation"] or (stored < 0).any()))
    stored = _fitted(dataset, stored, frames)
    _set_pixels(dataset, stored)
    _set_window(dataset, (0.0, 2.0 ** int(header["bits_stored"]) - 1) if anew else frames[0].value_range)


def _shown(image: Image) -> NDArray[Any]:
    """Grey levels as they are shown, over the whole of the bits that the original stored."""
    low, high = image.value_range
    unit = np.clip((image.pixels.astype(np.float64) - low) / (high - low), 0, 1)
    return np.asarray(np.rint(unit * (2 ** int(image.header["bits_stored"]) - 1)))


def _stored(image: Image) -> NDArray[Any]:
    """Grey levels back as stored values: the inversion of MONOCHROME1, then slope and intercept, undone."""
    values = image.pixels.astype(np.float64)
    if image.header.get("photometric_in_file") == "MONOCHROME1":
        values = image.value_range[0] + image.value_range[1] - values
    values -= float(image.header.get("rescale_intercept", 0.0))
    return np.asarray(np.rint(values / float(image.header.get("rescale_slope", 1.0))))


def _fitted(dataset: Dataset, stored: NDArray[Any], frames: list[Image]) -> NDArray[Any]:
    """Stored values within BitsStored; a pixel that is present does not become the padding value."""
    bits, signed = int(frames[0].header["bits_stored"]), dataset.PixelRepresentation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    present = np.stack([np.ones(image.shape, bool) if image.valid is None else image.valid for image in frames])
    stored = np.where(present, stored.clip(low, high), stored)
    padding = dataset.get("PixelPaddingValue")
    if isinstance(padding, int):
        limit = dataset.get("PixelPaddingRangeLimit")
        first, last = sorted((padding, limit if isinstance(limit, int) else padding))
        taken = present & (stored >= first) & (stored <= last)
        stored[taken] = last + 1 if last < high else first - 1
    bytes_ = 1 if bits <= 8 and int(frames[0].header["bits_allocated"]) <= 8 else 2 if bits <= 16 else 4
    dtype = np.dtype(f"<{'i' if signed else 'u'}{bytes_}")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * bytes_, bits, bits - 1
    info = np.iinfo(dtype)
    return stored.clip(info.min, info.max).astype(dtype)


def _forget_tables(dataset: Dataset) -> None:
    """What led from stored to shown values goes, as the shown ones are now stored."""
    dataset.PhotometricInterpretation = "MONOCHROME2"
    _drop(dataset, ["ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "RescaleType"])
    _drop(dataset, ["PixelPaddingValue", "PixelPaddingRangeLimit"])
    for group in _groups(dataset):
        _drop(group, ["PixelValueTransformationSequence", "FrameVOILUTSequence"])


def _set_floats(dataset: FileDataset, frames: list[Image], stored: str) -> None:
    pixels = np.stack([image.pixels for image in frames]).astype("<f4")
    # Missing ones stay as they are.
    if any(image.valid is not None for image in frames) and "FloatPixelData" in dataset:
        before = np.frombuffer(dataset.FloatPixelData, stored)[: pixels.size].reshape(pixels.shape)
        present = np.stack([np.ones(i.shape, bool) if i.valid is None else i.valid for i in frames])
        pixels = np.where(present, pixels, before)
    dataset.BitsAllocated, dataset.FloatPixelData = 32, pixels.astype("<f4").tobytes()
    _drop(dataset, _STALE)


def _set_colour(dataset: FileDataset, frames: list[Image]) -> None:
    pixels = np.stack([i.pixels if i.channels == 3 else np.repeat(i.pixels[..., None], 3, axis=2) for i in frames])
    high = frames[0].value_range[1]
    if dataset.PhotometricInterpretation == "PALETTE COLOR":  # its entries have 16 bits, but its indices 8
        pixels, high = np.rint(np.clip(pixels / high, 0, 1) * 255).astype(np.uint8), 255.0
    bits = 8 * pixels.itemsize
    dataset.SamplesPerPixel, dataset.PlanarConfiguration, dataset.PhotometricInterpretation = 3, 0, "RGB"
    dataset.BitsAllocated, dataset.PixelRepresentation = bits, 0
    dataset.BitsStored = max(1, min(bits, int(high).bit_length()))
    dataset.HighBit = dataset.BitsStored - 1
    _drop(dataset, _PALETTE)
    _set_pixels(dataset, pixels)


def _set_pixels(dataset: FileDataset, pixels: NDArray[Any]) -> None:
    data = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
    _drop(dataset, ["PixelData", *_STALE])
    wide = int(dataset.BitsAllocated) > 8
    dataset.add_new("PixelData", "OW" if wide else "OB", data + b"\0" * (len(data) % 2))
    dataset["PixelData"].is_undefined_length = False


def _set_window(dataset: Dataset, value_range: tuple[float, float]) -> None:
    """One linear window that shows exactly the levels (PS3.3 C.11.2.1.2.1)."""
    low, high = value_range
    center, width = _number((low + high + 1) / 2), _number(high - low + 1)
    inner = [item for group in _groups(dataset) for item in group.get("FrameVOILUTSequence", [])]
    for place in inner or [dataset]:
        _drop(place, _STALE)
        place.WindowCenter, place.WindowWidth = center, width


def _set_identity(dataset: FileDataset, note: str) -> None:
    old = str(dataset.get("SOPInstanceUID", "")) or None
    if old and "SOPClassUID" in dataset:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = dataset.SOPClassUID, old
        dataset.SourceImageSequence = [reference]
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[old or "", note])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[str(dataset.get("SeriesInstanceUID", "")), note])
    before = str(dataset.get("DerivationDescription") or "")
    dataset.DerivationDescription = (f"{before}; {note}" if before else note)[:1024]
    if not note.isascii() and not dataset.get("SpecificCharacterSet"):
        dataset.SpecificCharacterSet = "ISO_IR 192"  # UTF-8, of which the ASCII that stands there is a part
    dataset.ImageType = _derived(dataset.get("ImageType"))
    for group in _groups(dataset):
        for item in [item for element in group if element.VR == "SQ" for item in element.value]:
            if "FrameType" in item:
                item.FrameType = _derived(item.FrameType)
    if "SOPClassUID" not in dataset:
        raise ReadError(dataset.filename, "has no SOP Class UID, so it cannot become a valid DICOM file")
    meta = dataset.file_meta
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID


def _derived(kind: Any) -> list[str]:
    """ImageType or FrameType of a derived image: its first value replaced, of two at least.

    >>> _derived("ORIGINAL"), _derived(["ORIGINAL", "SECONDARY", "AXIAL"])
    (['DERIVED', 'PRIMARY'], ['DERIVED', 'SECONDARY', 'AXIAL'])
    """
    values = [kind] if isinstance(kind, str) else list(kind or [])
    return ["DERIVED", *(values[1:] or ["PRIMARY"])]


def _groups(dataset: Dataset) -> list[Dataset]:
    """The functional groups of a multi-frame image, shared and per frame."""
    names = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
    return [group for name in names for group in dataset.get(name) or []]


def _drop(dataset: Dataset, keywords: list[str] | tuple[str, ...]) -> None:
    for keyword in keywords:
        if keyword in dataset:
            del dataset[keyword]


def _number(value: float) -> str:
    """A decimal string of at most 16 characters."""
    text = f"{value:.10g}"
    return text if len(text) <= 16 else f"{value:.8g}"
