"""What a DICOM header says beside the pixels: the acquisition facts that may be kept, and the identifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from ._identity import Identity
from .dicom_elements import numbers, text
from .dicom_layout import Layout
from .dicom_terms import MANUFACTURERS, MODALITIES, VIEWS

__all__ = ["Fact", "facts", "identifiers", "spacings"]

Pair = tuple[float, float]
Fact = str | float | Pair


def facts(dataset: Dataset, groups: Sequence[Dataset], layout: Layout) -> dict[str, Fact]:
    """The acquisition facts of one frame, coded terms and numbers only."""
    header: dict[str, Fact] = {
        "format": "dicom",
        "photometric_in_file": layout.photometric,
        "bits_stored": layout.bits_stored,
        "bits_allocated": layout.bits_allocated,
        "pixel_representation": layout.pixel_representation,
        "transfer_syntax": layout.syntax.name,
        "channels_in_file": layout.samples,
    }
    modality, view = text(groups, "Modality").upper(), text(groups, "ViewPosition").upper()
    if modality in MODALITIES:
        header["modality"] = modality
    if view:
        header["view"] = view if view in VIEWS else "other"
    if manufacturer := text(groups, "Manufacturer").lower():
        known = (name for word, name in MANUFACTURERS.items() if re.search(rf"(?<![a-z])({word})", manufacturer))
        header["manufacturer"] = next(known, "other")
    for keyword, key in (("WindowCenter", "window_center"), ("WindowWidth", "window_width")):
        if found := numbers(groups, keyword):
            header[key] = found[0]
    across, place = numbers(groups, "ImageOrientationPatient"), numbers(groups, "ImagePositionPatient")
    if len(across) == 6 and len(place) == 3:  # along the normal of the slice (PS3.3 C.7.6.2.1.1)
        header["slice_position"] = float(np.dot(np.cross(across[:3], across[3:]), place))
    if layout.frames > 1:
        header["frames"] = layout.frames
    if text(groups, "LossyImageCompression") == "01":
        header["lossy"] = True
    if text(groups, "SyntheticData").upper() == "YES" or text(groups, "SeriesDescription").startswith("SYNTHETIC"):
        header["synthetic"] = True
    return header


def spacings(groups: Sequence[Dataset]) -> tuple[Pair | None, str | None, dict[str, Pair]]:
    """Spacing in mm as (row, column), the attribute it comes from, and each of the attributes apart.

    PixelSpacing is in the patient or calibrated, ImagerPixelSpacing at the detector (PS3.3 10.7.1.3): never mixed.
    """
    header: dict[str, Pair] = {}
    source = None
    for keyword, key in (
        ("PixelSpacing", "pixel_spacing"),
        ("ImagerPixelSpacing", "imager_pixel_spacing"),
        ("NominalScannedPixelSpacing", "nominal_scanned_pixel_spacing"),
    ):
        found = numbers(groups, keyword)
        if len(found) == 2 and min(found) > 0:
            header[key] = (found[0], found[1])
            source = source or keyword
    return next(iter(header.values()), None), source, header


def identifiers(dataset: Dataset) -> Identity:
    """The identifiers of a file."""
    groups = [dataset]
    born = text(groups, "PatientBirthDate")[:4]
    return Identity(
        sop_instance_uid=text(groups, "SOPInstanceUID") or None,
        series_instance_uid=text(groups, "SeriesInstanceUID") or None,
        study_instance_uid=text(groups, "StudyInstanceUID") or None,
        accession_number=text(groups, "AccessionNumber") or None,
        patient_id=text(groups, "PatientID") or None,
        patient_name=text(groups, "PatientName") or None,
        sex=text(groups, "PatientSex").upper()[:1] or None,
        birth_year=int(born) if len(born) == 4 and born.isdecimal() else None,
        age=_age(text(groups, "PatientAge"), born, text(groups, "StudyDate")[:4]),
        site=text(groups, "InstitutionName") or None,
        laterality=(text(groups, "ImageLaterality") or text(groups, "Laterality")).upper()[:1] or None,
        kind=_kind(text(groups, "SOPClassUID"), [str(word).upper() for word in dataset.get("ImageType", None) or ()]),
    )


# By the SOP class (PS3.4 B.5) and the image type (PS3.3 C.7.6.1.1.2 and C.8.2.1.1.1).
CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.": "structured_report",
    "1.2.840.10008.5.1.4.1.1.11.": "presentation_state",
    "1.2.840.10008.5.1.4.1.1.66.": "segmentation",
    "1.2.840.10008.5.1.4.1.1.481.": "radiotherapy",
    "1.2.840.10008.5.1.4.1.1.104.": "document",
    "1.2.840.10008.5.1.4.1.1.7": "secondary_capture",
}


def _kind(sop_class: str, image_type: list[str]) -> str | None:
    """What a file is that is no image for diagnosis; None where it is one, or nothing says otherwise.

    >>> _kind("1.2.840.10008.5.1.4.1.1.88.67", []), _kind("1.2.840.10008.5.1.4.1.1.2", ["ORIGINAL", "PRIMARY", "LOCALIZER"])
    ('structured_report', 'localizer')
    >>> _kind("1.2.840.10008.5.1.4.1.1.2", ["ORIGINAL", "PRIMARY", "AXIAL"]) is None
    True
    """
    known = next((kind for start, kind in CLASSES.items() if f"{sop_class}.".startswith(f"{start.rstrip('.')}.")), None)
    return known or ("localizer" if {"LOCALIZER", "SCOUT"} & set(image_type) else None)


def _age(said: str, born: str, examined: str) -> int | None:
    """Whole years, from an age string (PS3.5 6.2: 045Y, 006M), else from the years of birth and of the study.

    >>> _age("045Y", "", ""), _age("018M", "1934", "2021"), _age("", "1934", "2021"), _age("old", "", "2021")
    (45, 1, 87, None)
    """
    found = re.fullmatch(r"(\d{1,3})([DWMY])", said)
    if found:
        return int(found[1]) // {"D": 365, "W": 52, "M": 12, "Y": 1}[found[2]]
    years = [int(year) for year in (born, examined) if len(year) == 4 and year.isdecimal()]
    return years[1] - years[0] if len(years) == 2 and 0 <= years[1] - years[0] <= 130 else None
