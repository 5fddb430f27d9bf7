"""A drawn film as a DICOM file: Digital X-Ray (PS3.3 A.26) from the north site, Computed Radiography (A.2) from the south.

Everything that a reader has to get right occurs: 12 bits stored in 16, both polarities, padding, two kinds of pixel
spacing, several transfer syntaxes. Every file says twice that it is synthetic, and nothing in it depends on the clock.
"""

from __future__ import annotations

import datetime
import uuid
from io import BytesIO
from typing import Any

import jpeg_ls  # type: ignore[import-untyped]
import numpy as np
import openjpeg.utils as openjpeg
import rle.utils as rle
from numpy.typing import NDArray
from pydicom import FileMetaDataset
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from .detector import WHITE
from .film import PADDING, Picture
from .plan import Film, generator

__all__ = ["NOTICE", "encode", "uid"]

NOTICE = "SYNTHETIC PHANTOM, not a patient"
MAGNIFICATION = 1.08  # detector 1.80 m from the source, the middle of the chest 1.67 m
LOSSY_RATIO = 8.0
NAMESPACE = uuid.UUID("5d3b6a0e-52f4-5f0c-9a3e-1f6f3c1d7e21")
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
    "jpeg-2000-lossy": JPEG2000,
    "rle": RLELossless,
}


def uid(seed: int, *names: object) -> UID:
    """A UID under the root of UUIDs (2.25, PS3.5 B.2), always the same for the same seed and names.

    >>> uid(0, "study", 1) == uid(0, "study", 1) != uid(1, "study", 1)
    True
    """
    text = " ".join(map(str, ("evenray demo", seed, *names)))
    return UID(f"2.25.{uuid.uuid5(NAMESPACE, text).int}")


def encode(film: Film, drawn: Picture, sex: str, seed: int) -> bytes:
    """The whole file; a film with the fault eight_bit_stray is stored in 8 bits."""
    dataset = Dataset()
    _identity(dataset, film, sex, seed)
    _equipment(dataset, film)
    _geometry(dataset, film, drawn.spacing)
    pixels = _pixels(dataset, film, drawn.pixels)
    syntax = SYNTAXES[film.syntax]
    dataset.file_meta = _file_meta(dataset, syntax, seed)
    if film.syntax == "explicit":
        data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
        dataset.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    else:
        dataset.add_new("PixelData", "OB", encapsulate([_compressed(pixels, film.syntax)]))
        dataset["PixelData"].is_undefined_length = True
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _identity(dataset: Dataset, film: Film, sex: str, seed: int) -> None:
    """Patient, study, series and instance; the third film of a patient belongs to the second study."""
    rng = generator(seed, 3, film.patient)
    study = film.number if film.number < 2 else film.number - 1
    first = datetime.date(2021, 1, 4) + datetime.timedelta(days=int(rng.integers(600)))
    day, age = first + datetime.timedelta(days=45 * study), int(rng.integers(22, 85))
    dataset.SOPClassUID = (
        DigitalXRayImageStorageForPresentation if film.site == "north" else ComputedRadiographyImageStorage
    )
    dataset.SOPInstanceUID = uid(seed, "image", film.patient, film.number)
    dataset.StudyInstanceUID = uid(seed, "study", film.patient, study)
    dataset.SeriesInstanceUID = uid(seed, "series", film.patient, film.number)
    dataset.PatientName = f"Phantom^Number {film.patient + 1:04d}"
    dataset.PatientID = f"PHANTOM-{film.patient + 1:04d}"
    dataset.PatientBirthDate = f"{first.year - age}{int(rng.integers(1, 13)):02d}15"
    dataset.PatientSex = sex
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day.strftime("%Y%m%d")
    dataset.StudyTime = f"{8 + film.patient % 9:02d}{film.patient % 60:02d}00"
    dataset.AcquisitionTime = dataset.ContentTime = dataset.StudyTime
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = str(study + 1), film.number + 1, 1
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "", ""
    dataset.StudyDescription = "Chest PA"
    dataset.SeriesDescription = dataset.ImageComments = NOTICE
    dataset.SyntheticData = "YES"  # DICOM PS3.3 C.12.1: so that software knows it too
    dataset.QualityControlImage = "YES"  # DICOM's own word for the image of a phantom


def _equipment(dataset: Dataset, film: Film) -> None:
    """The machine, and the attributes that its SOP class asks for."""
    dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", "PA"
    dataset.PatientOrientation = ["L", "F"]
    if film.site == "south":
        dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "CR", "Example Plates", "EP-35"
        dataset.InstitutionName, dataset.KVP = "Invented Hospital South", "110"
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        return
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "DX", "Phantom Works", "PW-43"
    dataset.InstitutionName, dataset.KVP = "Invented Hospital North", "125"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageLaterality, dataset.DetectorType, dataset.PositionerType = "U", "DIRECT", "COLUMN"
    dataset.AcquisitionContextSequence = []
    dataset.AnatomicRegionSequence = [_code("51185008", "SCT", "Chest")]
    dataset.ViewCodeSequence = [_code("399348003", "SCT", "postero-anterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if film.inverted else -1
    dataset.EstimatedRadiographicMagnificationFactor = f"{MAGNIFICATION:.2f}"


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _geometry(dataset: Dataset, film: Film, spacing: float) -> None:
    """Pixel spacing at the detector, and for calibrated films also in the patient (PS3.3 10.7.1.1)."""
    at_detector = [f"{spacing * MAGNIFICATION:.4f}"] * 2
    dataset.ImagerPixelSpacing = at_detector
    dataset.DistanceSourceToDetector, dataset.DistanceSourceToPatient = "1800", f"{1800 / MAGNIFICATION:.1f}"
    if film.calibrated:
        dataset.PixelSpacing = [f"{spacing:.4f}"] * 2
        dataset.PixelSpacingCalibrationType = "GEOMETRY"
        dataset.PixelSpacingCalibrationDescription = "magnification of the middle of the chest"


def _pixels(dataset: Dataset, film: Film, shown: NDArray[np.uint16]) -> NDArray[Any]:
    """The stored values, with the attributes that say how to read them."""
    stray = film.fault == "eight_bit_stray"
    white, bits, stored = (255, 8, 8) if stray else (WHITE, 16, 12)
    values: NDArray[Any] = (shown >> 4).astype(np.uint8) if stray else shown
    values = np.asarray(white - values, dtype=values.dtype) if film.inverted else values
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if film.inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
        bits,
        stored,
        stored - 1,
        0,
    )
    if film.padded:
        dataset.PixelPaddingValue = white - PADDING if film.inverted else PADDING
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "INVERSE" if film.inverted else "IDENTITY"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    if film.syntax == "jpeg-2000-lossy":
        dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", f"{LOSSY_RATIO:g}"
        dataset.LossyImageCompressionMethod = "ISO_15444_1"
    if film.site == "north":
        dataset.WindowCenter, dataset.WindowWidth = str((white + 1) // 2), str(white + 1)
    return values


def _file_meta(dataset: Dataset, syntax: UID, seed: int) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID, meta.ImplementationVersionName = uid(0, "implementation"), "EVENRAY_DEMO"
    return meta


def _compressed(pixels: NDArray[np.uint16], syntax: str) -> bytes:
    """One frame of 12 bits in 16, by the codec packages themselves, so that no other installed one changes the bytes."""
    rows, columns = pixels.shape
    if syntax == "jpeg-ls":
        about = {"rows": rows, "columns": columns, "samples_per_pixel": 1, "bits_stored": 12}
        return bytes(jpeg_ls.encode_pixel_data(pixels.tobytes(), **about))
    if syntax == "rle":
        shape = {"rows": rows, "columns": columns, "samples_per_pixel": 1, "bits_allocated": 16, "number_of_frames": 1}
        return bytes(rle.encode_pixel_data(pixels.tobytes(), byteorder="<", **shape))
    ratios = [LOSSY_RATIO] if syntax == "jpeg-2000-lossy" else None
    return bytes(openjpeg.encode_array(pixels, bits_stored=12, photometric_interpretation=2, compression_ratios=ratios))
