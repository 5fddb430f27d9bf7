"""DICOM Secondary Capture (PS3.3 A.8): a picture that was made from an image, in the image's study."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from ._dicom_again import header_again
from ._dicom_study import EMPTY, SHARED, add_laterality, moment

__all__ = ["write_secondary_capture"]

# What says where in the body the picture is from, and more of the study.
PLACE = ("BodyPartExamined", "PatientOrientation", "StudyDescription", "PatientAge", "IssuerOfPatientID")
SERIES = 2000  # is added to the number of the image's series


def write_secondary_capture(
    source: Path,
    target: Path,
    pixels_HW3: NDArray[np.uint8],
    title: str,
    number: int = 1,
    identity: tuple[str, str] | None = None,
) -> None:
    """A picture, uint8 RGB, that was made from the DICOM file `source`, as a file of its own.

    Patient and study are the image's; Laterality is its Laterality or ImageLaterality (where it has neither, empty for a part of
    the body that comes in pairs or is not known, PS3.3 C.7.3.1). The series and the instance are new: their UIDs follow from the
    image's, from `title` and from the pixels, or from `identity` in place of these two, what tells the series and what the
    instance within it from others that are made of the image: the same picture written twice has the same ones. `title` becomes
    SeriesDescription; `number` is InstanceNumber. The image is named in SourceImageSequence.

    Raises ReadError where the header cannot be written again.
    """
    with header_again(source):
        image = pydicom.dcmread(source, stop_before_pixels=True, force=True)
        pydicom.dcmwrite(target, _capture(image, pixels_HW3, title, number, identity), enforce_file_format=True)


def _capture(
    image: FileDataset, pixels_HW3: NDArray[np.uint8], title: str, number: int, identity: tuple[str, str] | None
) -> FileDataset:
    old = str(image.get("SOPInstanceUID", ""))
    entropy = [old, *(identity or (title, hashlib.sha256(pixels_HW3.tobytes()).hexdigest()))]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["capture", *entropy])
    made: Any = FileDataset("", {}, b"\0" * 128, meta)
    for keyword in (*SHARED, *PLACE):
        if keyword in image:
            made[keyword] = image[keyword]
    for keyword in (
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
    ):  # of another module, which a capture does not have
        if keyword in made:
            del made[keyword]
    for keyword in (*EMPTY, "PatientOrientation"):
        if keyword not in made:
            setattr(made, keyword, "")
    if "StudyInstanceUID" not in made:
        made.StudyInstanceUID = generate_uid(entropy_srcs=["study", old])
    add_laterality(made, image)
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, meta.MediaStorageSOPInstanceUID
    made.SeriesInstanceUID = generate_uid(
        entropy_srcs=["capture series", str(image.get("SeriesInstanceUID", "")), entropy[1]]
    )
    made.Modality, made.SeriesNumber, made.InstanceNumber = "OT", int(image.get("SeriesNumber") or 0) + SERIES, number
    made.SeriesDescription, made.ConversionType, made.BurnedInAnnotation = title[:64], "WSD", "YES"
    if not title.isascii():
        made.SpecificCharacterSet = "ISO_IR 192"
    made.Manufacturer = made.SecondaryCaptureDeviceManufacturer = "evenray"
    made.SecondaryCaptureDeviceSoftwareVersions = version("evenray")
    made.ContentDate, made.ContentTime = moment(image)
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.DerivationDescription = f"{title}; research use only"[:1024]
    if old and "SOPClassUID" in image:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, old
        made.SourceImageSequence = [reference]
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.Rows, made.Columns = pixels_HW3.shape[:2]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    data = np.ascontiguousarray(pixels_HW3).tobytes()
    made.add_new("PixelData", "OB", data + b"\0" * (len(data) % 2))
    found: FileDataset = made
    return found
