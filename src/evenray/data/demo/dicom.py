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
    "explicit": ExplicitVRLittleEndian, "jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless, "jpeg-2000-lossy": JPEG2000,
    "rle": RLELossless,
}  # fmt: skip
ALL: dict[str, Any] = {
    "AccessionNumber": "", "ReferringPhysicianName": "", "StudyDescription": "Chest PA", "SeriesDescription": NOTICE,
    "ImageComments": NOTICE, "SyntheticData": "YES",  # PS3.3 C.12.1: so that software knows it too
    "QualityControlImage": "YES",  # DICOM's own word for the image of a phantom
    "BodyPartExamined": "CHEST", "ViewPosition": "PA", "PatientOrientation": ["L", "F"], "SamplesPerPixel": 1,
    "PixelRepresentation": 0, "RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US", "BurnedInAnnotation": "NO",
    "DistanceSourceToDetector": "1800", "DistanceSourceToPatient": f"{1800 / MAGNIFICATION:.1f}", "LossyImageCompression": "00",
}  # fmt: skip
SITES: dict[str, dict[str, Any]] = {
    "south": {
        "SOPClassUID": ComputedRadiographyImageStorage, "Modality": "CR", "Manufacturer": "Example Plates",
        "ManufacturerModelName": "EP-35", "InstitutionName": "Invented Hospital South", "KVP": "110",
        "ImageType": ["ORIGINAL", "PRIMARY"],
    },
    "north": {
        "SOPClassUID": DigitalXRayImageStorageForPresentation, "Modality": "DX", "Manufacturer": "Phantom Works",
        "ManufacturerModelName": "PW-43", "InstitutionName": "Invented Hospital North", "KVP": "125",
        "ImageType": ["ORIGINAL", "PRIMARY", ""], "PresentationIntentType": "FOR PRESENTATION", "ImageLaterality": "U",
        "DetectorType": "DIRECT", "PositionerType": "COLUMN", "AcquisitionContextSequence": [],
        "PixelIntensityRelationship": "LOG", "EstimatedRadiographicMagnificationFactor": f"{MAGNIFICATION:.2f}",
    },
}  # fmt: skip


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
    for keyword, value in (ALL | SITES[film.site]).items():
        setattr(dataset, keyword, value)
    _identify(dataset, film, sex, seed)
    if film.site == "north":
        _add_codes(dataset, film)
    _place(dataset, film, drawn.spacing)
    pixels = _pixels(dataset, film, drawn.pixels)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = SYNTAXES[film.syntax]
    meta.ImplementationClassUID, meta.ImplementationVersionName = uid(0, "implementation"), "EVENRAY_DEMO"
    dataset.file_meta = meta
    if film.syntax == "explicit":
        data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
        dataset.add_new("PixelData", "OB" if pixels.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    else:
        dataset.add_new("PixelData", "OB", encapsulate([_compressed(pixels, film.syntax)]))
        dataset["PixelData"].is_undefined_length = True
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _identify(dataset: Dataset, film: Film, sex: str, seed: int) -> None:
    """Patient, study, series and instance; the third film of a patient belongs to the second study."""
    rng = generator(seed, 3, film.patient)
    study = film.number if film.number < 2 else film.number - 1
    first = datetime.date(2021, 1, 4) + datetime.timedelta(days=int(rng.integers(600)))
    day, age = first + datetime.timedelta(days=45 * study), int(rng.integers(22, 85))
    dataset.SOPInstanceUID = uid(seed, "image", film.patient, film.number)
    dataset.StudyInstanceUID = uid(seed, "study", film.patient, study)
    dataset.SeriesInstanceUID = uid(seed, "series", film.patient, film.number)
    dataset.PatientName = f"Phantom^Number {film.patient + 1:04d}"
    dataset.PatientID = f"PHANTOM-{film.patient + 1:04d}"
    dataset.PatientBirthDate = f"{first.year - age}{int(rng.integers(1, 13)):02d}15"
    dataset.PatientSex = sex
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day.strftime("%Y%m%d")
    time = f"{8 + film.patient % 9:02d}{film.patient % 60:02d}00"
    dataset.StudyTime = dataset.AcquisitionTime = dataset.ContentTime = time
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = str(study + 1), film.number + 1, 1


def _add_codes(dataset: Dataset, film: Film) -> None:
    """The attributes of Digital X-Ray that are coded, or depend on the polarity."""
    dataset.AnatomicRegionSequence = [_code("51185008", "SCT", "Chest")]
    dataset.ViewCodeSequence = [_code("399348003", "SCT", "postero-anterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.PixelIntensityRelationshipSign = 1 if film.inverted else -1


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _place(dataset: Dataset, film: Film, spacing: float) -> None:
    """Pixel spacing at the detector, and for calibrated films also in the patient (PS3.3 10.7.1.1)."""
    dataset.ImagerPixelSpacing = [f"{spacing * MAGNIFICATION:.4f}"] * 2
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
    dataset.PhotometricInterpretation = "MONOCHROME1" if film.inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if film.inverted else "IDENTITY"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, stored, stored - 1
    if film.padded:
        dataset.PixelPaddingValue = white - PADDING if film.inverted else PADDING
    if film.syntax == "jpeg-2000-lossy":
        dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", f"{LOSSY_RATIO:g}"
        dataset.LossyImageCompressionMethod = "ISO_15444_1"
    if film.site == "north":
        dataset.WindowCenter, dataset.WindowWidth = str((white + 1) // 2), str(white + 1)
    return values


def _compressed(pixels: NDArray[np.uint16], syntax: str) -> bytes:
    """One frame of 12 bits in 16, by the codec packages themselves, so that no other installed one changes the bytes."""
    about = {"rows": pixels.shape[0], "columns": pixels.shape[1], "samples_per_pixel": 1}
    if syntax == "jpeg-ls":
        return bytes(jpeg_ls.encode_pixel_data(pixels.tobytes(), bits_stored=12, **about))
    if syntax == "rle":
        return bytes(
            rle.encode_pixel_data(pixels.tobytes(), byteorder="<", bits_allocated=16, number_of_frames=1, **about)
        )
    ratios = [LOSSY_RATIO] if syntax == "jpeg-2000-lossy" else None
    return bytes(openjpeg.encode_array(pixels, bits_stored=12, photometric_interpretation=2, compression_ratios=ratios))
