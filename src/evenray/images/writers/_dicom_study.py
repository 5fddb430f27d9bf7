"""What an object that is made of an image takes over from it: patient, study, the side of the body, and its date."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

__all__ = ["EMPTY", "SHARED", "add_laterality", "laterality_of", "moment"]

# What belongs to the patient and the study, and is the same as in the image.
SHARED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator",
    "SpecificCharacterSet",
)  # fmt: skip
# Of type 2: there, if empty.
EMPTY = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
         "ReferringPhysicianName")  # fmt: skip
# Parts of the body that come in pairs.
PAIRED = {
    "ANKLE", "ARM", "AXILLA", "BREAST", "CALCANEUS", "CLAVICLE", "EAR", "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FINGER", "FOOT",
    "FOREARM", "HAND", "HIP", "HUMERUS", "KIDNEY", "KNEE", "LEG", "RADIUS", "SCAPULA", "SHOULDER", "THIGH", "THUMB", "TIBIA",
    "TOE", "WRIST", "ZYGOMA",
}  # fmt: skip


def laterality_of(image: Dataset) -> str:
    """L, R, B or U, as the image says it of itself or of its series; empty where it does not."""
    return str(image.get("Laterality") or image.get("ImageLaterality") or "")


def add_laterality(made: Any, image: Dataset) -> None:
    """The side of the body that an image is of becomes Laterality of an object of a part that comes
    in pairs, or is not known (where the side is not known either, empty), and ImageLaterality where there is no one side, or of any
    other part (PS3.3 C.7.3.1)."""
    side, part = laterality_of(image), str(image.get("BodyPartExamined") or "")
    if (not part or part.upper() in PAIRED) and (side in ("L", "R") or not side):
        made.Laterality = side
    elif side:
        made.ImageLaterality = side


def moment(image: Dataset) -> tuple[str, str]:
    """When the content is from: the image's own date and time, so that the same is written whenever it is written; of an image
    without any, the first day of 1900.

    >>> image = Dataset()
    >>> image.StudyDate = "20240105"
    >>> moment(image)
    ('20240105', '000000')
    """
    for what in ("Content", "Acquisition", "Series", "Study"):
        if day := image.get(f"{what}Date"):
            return str(day), str(image.get(f"{what}Time") or "000000")
    return "19000101", "000000"
