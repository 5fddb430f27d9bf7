"""DICOM SEG (PS3.3 A.51): masks of one DICOM file, or of the slices of a series, as binary segments, a frame for each class and
image frame."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from ._dicom_study import EMPTY, SHARED, laterality_of, moment

__all__ = ["SEGMENTATION", "series_of", "write_seg", "write_series_seg"]

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
CATEGORY = ("49755003", "Morphologically Abnormal Structure")  # SNOMED CT, of CID 7150
TYPE = ("52988006", "Lesion")
ALIKE = ("SeriesInstanceUID", "FrameOfReferenceUID", "Rows", "Columns")
PLACED = ("ImagePositionPatient", "ImageOrientationPatient")


def write_seg(
    source: Path, target: Path, masks: Mapping[str, NDArray[np.uint8]], classes: Sequence[str], identity: str = ""
) -> tuple[str, str]:
    """The masks of the frames of a DICOM file: 0 background, k + 1 class k; each frame names its image (and frame) as its source.

    Segments are labelled by the classes and marked as made by an algorithm. The UIDs, those of series and instance, are returned;
    they follow from the image's and from the masks, or from `identity` in place of these, such as the digest of what made them: the
    same masks written twice have the same ones.
    """
    image = pydicom.dcmread(source, stop_before_pixels=True, force=True)
    return _write(target, [_Slice(image, name, mask) for name, mask in masks.items()], classes, source.name, identity)


def write_series_seg(
    sources: Sequence[Path], target: Path, masks: Sequence[NDArray[np.uint8]], classes: Sequence[str]
) -> tuple[str, str]:
    """The masks of slices, a file each, of what `series_of` calls one series: one object, its frames in the order of the slices along
    their normal, each with the place of its slice. Otherwise as `write_seg`."""
    slices = [
        _Slice(pydicom.dcmread(path, stop_before_pixels=True, force=True), "", mask)
        for path, mask in zip(sources, masks, strict=True)
    ]
    slices.sort(key=lambda one: one.place)
    return _write(target, slices, classes, sources[0].name, "")


def series_of(source: Path) -> tuple[str, ...] | None:
    """What slices of one SEG have in common: series, frame of reference, size and orientation; None of any other file."""
    try:
        image = pydicom.dcmread(source, stop_before_pixels=True, specific_tags=[*ALIKE, *PLACED, "NumberOfFrames"])
    except (pydicom.errors.InvalidDicomError, OSError, ValueError):
        return None
    if (
        any(not image.get(keyword) for keyword in ("SeriesInstanceUID", *PLACED))
        or (image.get("NumberOfFrames") or 1) > 1
    ):
        return None
    turned = [f"{float(number):.3f}" for number in image.ImageOrientationPatient]
    return (*(str(image.get(keyword, "")) for keyword in ALIKE), *turned)


@dataclass(frozen=True)
class _Slice:
    """The header of an image, the fragment of it, and its mask."""

    image: Dataset
    fragment: str
    mask: NDArray[np.uint8]

    @property
    def place(self) -> float:
        """Along the normal of the slice, in mm."""
        turned = [float(number) for number in self.image.ImageOrientationPatient]
        return float(np.dot(np.cross(turned[:3], turned[3:]), [float(x) for x in self.image.ImagePositionPatient]))


def _write(target: Path, slices: Sequence[_Slice], classes: Sequence[str], name: str, identity: str) -> tuple[str, str]:
    image, several = slices[0].image, len({str(one.image.get("SOPInstanceUID", "")) for one in slices}) > 1
    frames = [(k, place) for k in range(len(classes)) for place in range(len(slices))]
    pixels = np.stack([slices[place].mask == k + 1 for k, place in frames]).astype(np.uint8)
    made_of = dict.fromkeys(str(one.image.get("SOPInstanceUID", name)) for one in slices)
    entropy = [*made_of, *classes]
    entropy.append(identity or hashlib.sha256(pixels.tobytes()).hexdigest())
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UID(SEGMENTATION)
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["seg", *entropy])
    seg: Any = FileDataset("", {}, b"\0" * 128, meta)
    for keyword in SHARED:
        if keyword in image:
            seg[keyword] = image[keyword]
    for keyword in EMPTY:
        if keyword not in seg:
            setattr(seg, keyword, "")
    if part := image.get("BodyPartExamined"):
        seg.BodyPartExamined = part
    if side := laterality_of(image):
        seg.ImageLaterality = side  # Laterality is none of its attributes (dciodvfy)
    if not all(name.isascii() for name in classes):
        seg.SpecificCharacterSet = "ISO_IR 192"
    seg.SOPClassUID, seg.SOPInstanceUID = SEGMENTATION, meta.MediaStorageSOPInstanceUID
    seg.SeriesInstanceUID = generate_uid(entropy_srcs=["series", *entropy])
    seg.Modality, seg.SeriesNumber, seg.InstanceNumber = "SEG", int(image.get("SeriesNumber") or 0) + 1000, 1
    seg.Manufacturer = seg.ManufacturerModelName = "evenray"
    seg.SoftwareVersions, seg.DeviceSerialNumber = version("evenray"), "0"
    seg.ContentLabel, seg.ContentDescription, seg.ContentCreatorName = "SEGMENTATION", "Research use only", ""
    seg.ContentDate, seg.ContentTime = moment(image)
    seg.ImageType = ["DERIVED", "PRIMARY"]
    if "ImageOrientationPatient" not in image:
        seg.PatientOrientation = image.get("PatientOrientation", "")
    seg.SamplesPerPixel, seg.PhotometricInterpretation = 1, "MONOCHROME2"
    seg.NumberOfFrames, seg.Rows, seg.Columns = len(frames), *pixels.shape[1:]
    seg.BitsAllocated, seg.BitsStored, seg.HighBit, seg.PixelRepresentation = 1, 1, 0, 0
    seg.LossyImageCompression, seg.SegmentationType, seg.SegmentsOverlap = "00", "BINARY", "NO"
    seg.SegmentSequence = [_segment(k + 1, name) for k, name in enumerate(classes)]
    seg.DimensionOrganizationSequence = [
        _made(DimensionOrganizationUID=generate_uid(entropy_srcs=["dimension", *entropy]))
    ]
    organization = seg.DimensionOrganizationSequence[0].DimensionOrganizationUID
    seg.DimensionIndexSequence = [
        _made(DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=group)
        for pointer, group in (
            (0x0062000B, 0x0062000A),
            (0x00200032, 0x00209113) if several else (0x00201019, 0x00089124),
        )
    ]
    of_images = {str(one.image.get("SOPInstanceUID", "")): one.image for one in slices}
    references = [
        _made(ReferencedSOPClassUID=one.get("SOPClassUID", ""), ReferencedSOPInstanceUID=one.get("SOPInstanceUID", ""))
        for one in of_images.values()
    ]
    seg.ReferencedSeriesSequence = [
        _made(SeriesInstanceUID=image.get("SeriesInstanceUID", ""), ReferencedInstanceSequence=references)
    ]
    step = abs(slices[1].place - slices[0].place) if several else 0.0
    seg.SharedFunctionalGroupsSequence = [_shared(image, step)]
    seg.PerFrameFunctionalGroupsSequence = [
        _frame(slices[place], k + 1, place, placed=several or len(slices) == 1) for k, place in frames
    ]
    seg.PixelData = pack_bits(pixels.ravel())
    pydicom.dcmwrite(target, seg, enforce_file_format=True)
    return str(seg.SeriesInstanceUID), str(seg.SOPInstanceUID)


def _made(**elements: Any) -> Dataset:
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def _code(value: str, meaning: str) -> Dataset:
    return _made(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)


def _segment(number: int, name: str) -> Dataset:
    return _made(
        SegmentNumber=number, SegmentLabel=name[:64], SegmentAlgorithmType="AUTOMATIC", SegmentAlgorithmName="evenray",
        SegmentedPropertyCategoryCodeSequence=[_code(*CATEGORY)], SegmentedPropertyTypeCodeSequence=[_code(*TYPE)],
    )  # fmt: skip


def _shared(image: Dataset, step: float) -> Dataset:
    """The size of pixels and the orientation, where the image knows them, and the distance of slices, where there are several."""
    found = Dataset()
    if spacing := image.get("PixelSpacing") or image.get("ImagerPixelSpacing"):
        thickness = image.get("SliceThickness") or 1
        found.PixelMeasuresSequence = [_made(PixelSpacing=list(spacing), SliceThickness=thickness)]
        if step:
            found.PixelMeasuresSequence[0].SpacingBetweenSlices = pydicom.valuerep.DSfloat(step, auto_format=True)
    if orientation := image.get("ImageOrientationPatient"):
        found.PlaneOrientationSequence = [_made(ImageOrientationPatient=list(orientation))]
    return found


def _frame(one: _Slice, segment: int, place: int, *, placed: bool) -> Dataset:
    image, name = one.image, one.fragment
    found = _made(SegmentIdentificationSequence=[_made(ReferencedSegmentNumber=segment)])
    source = _made(
        ReferencedSOPClassUID=image.get("SOPClassUID", ""), ReferencedSOPInstanceUID=image.get("SOPInstanceUID", ""),
        SpatialLocationsPreserved="YES", PurposeOfReferenceCodeSequence=[
            _made(CodeValue="121322", CodingSchemeDesignator="DCM", CodeMeaning="Source image for image processing operation")
        ],
    )  # fmt: skip
    if name:
        source.ReferencedFrameNumber = int(name.rpartition("=")[2]) + 1
    derivation = _made(CodeValue="113076", CodingSchemeDesignator="DCM", CodeMeaning="Segmentation")
    found.DerivationImageSequence = [_made(SourceImageSequence=[source], DerivationCodeSequence=[derivation])]
    found.FrameContentSequence = [_made(DimensionIndexValues=[segment, place + 1])]
    if (position := image.get("ImagePositionPatient")) and placed:
        found.PlanePositionSequence = [_made(ImagePositionPatient=list(position))]
    return found
