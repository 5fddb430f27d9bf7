"""What an object that is made of an image takes over from it: patient, study, the side of the body, and its date."""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset

__all__ = ["EMPTY", "SHARED", "add_laterality", "laterality_of", "moment"]

# What belongs to the patient and the study, and is the same as in the image.
SHARED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator",
    "SpecificCharacterSet",
)  # fmt: skip
DAY = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9](\.[0-9]{1,6})?)?)?")
# Of type 2: there, if empty.
EMPTY = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
         "ReferringPhysicianName")  # fmt: skip
# Parts of the body of which there is one (PS3.16, annex L); of any other a side has to be told, if only that it is not known.
SINGLE = {
    "ABDOMEN", "ABDOMENPELVIS", "AORTA", "BLADDER", "BRAIN", "CHEST", "CHESTABDOMEN", "COCCYX", "COLON", "CSPINE", "CTSPINE",
    "ESOPHAGUS", "GALLBLADDER", "HEAD", "HEADNECK", "HEART", "JAW", "LARYNX", "LIVER", "LSPINE", "LSSPINE", "MAXILLA",
    "MEDIASTINUM", "NECK", "NECKCHEST", "NOSE", "PANCREAS", "PELVIS", "PENIS", "PHARYNX", "PROSTATE", "RECTUM", "SKULL", "SPINE",
    "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "THYMUS", "TLSPINE", "TONGUE", "TRACHEA", "TSPINE", "UTERUS", "WHOLEBODY",
}  # fmt: skip


def laterality_of(image: Dataset) -> str:
    """L, R, B or U, as the image says it of itself or of its series; empty where it does not."""
    return str(image.get("Laterality") or image.get("ImageLaterality") or "")


def add_laterality(made: Any, image: Dataset) -> None:
    """The side of the body that an image is of becomes Laterality of an object of a part that may come in pairs (where the side is not
    known, empty), and ImageLaterality where there is no one side, or of a part that is single (PS3.3 C.7.3.1)."""
    side, part = laterality_of(image), str(image.get("BodyPartExamined") or "")
    if part.upper() not in SINGLE and (side in ("L", "R") or not side):
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
        day = str(image.get(f"{what}Date") or "").replace(".", "")  # with points before 1993 (PS3.5, 6.2)
        if DAY.fullmatch(day):
            time = str(image.get(f"{what}Time") or "").replace(":", "")
            return day, time if TIME.fullmatch(time) else "000000"
    return "19000101", "000000"
