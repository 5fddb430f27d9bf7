"""What is said to a DICOM node: its URL, the queries at each level, and requests for the images that are missing."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from urllib.parse import unquote, urlsplit

from pydicom import uid
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from evenray.core.errors import UsageError

__all__ = ["SYNTAXES", "UIDS", "Name", "batches", "level_of", "listening", "matches", "parts", "query", "requests"]

Name = tuple[str, str, str]  # the UIDs of study, series and instance
PORT = 104
FORM = "the form is dicom://[OWN_AET@]HOST[:PORT]/CALLED_AET?Modality=CR, with AE titles of at most 16 characters"
UIDS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}
LEVELS = {  # keys of the study root model (PS3.4, C.6.2.1) whose level is not that of the series
    "STUDY": {
        "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyDescription", "ModalitiesInStudy",
        "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "OtherPatientIDs", "ReferringPhysicianName",
    },
    "IMAGE": {
        "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "ContentDate", "ContentTime", "ImageType", "ViewPosition",
        "ImageLaterality", "Rows", "Columns", "NumberOfFrames", "PhotometricInterpretation",
    },
}  # fmt: skip
SYNTAXES = (
    uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit,
    uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless, uid.JPEG2000Lossless, uid.JPEG2000,
)  # fmt: skip
USUAL = (  # where the listing does not say of which class an image is
    uid.ComputedRadiographyImageStorage, uid.DigitalXRayImageStorageForPresentation,
    uid.DigitalMammographyXRayImageStorageForPresentation, uid.CTImageStorage, uid.MRImageStorage, uid.UltrasoundImageStorage,
    uid.UltrasoundMultiFrameImageStorage, uid.SecondaryCaptureImageStorage, uid.XRayAngiographicImageStorage,
)  # fmt: skip


def parts(url: str) -> tuple[str, str, int, str]:
    """Own AE title ("" for none), host, port and the called AE title of a URL; UsageError.

    >>> parts("dicom://ME@pacs.example:4242/ORTHANC?Modality=CR")
    ('ME', 'pacs.example', 4242, 'ORTHANC')
    """
    split = urlsplit(url)
    own, _, place = split.netloc.rpartition("@")
    called = unquote(split.path.strip("/"))
    try:
        port = PORT if split.port is None else split.port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageError(f"'{place}' has no port between 1 and 65535; {FORM}.")
    if ":" in own:
        raise UsageError(f"The dicom URL holds a password, for which DICOM has no place; {FORM}.")
    if not split.hostname or split.fragment or not _is_title(called) or (own and not _is_title(unquote(own))):
        raise UsageError(f"The dicom URL names no host, or an AE title that cannot be one; {FORM}.")
    return unquote(own), split.hostname, port, called


def _is_title(text: str) -> bool:
    """PS3.5, table 6.2-1: at most 16 printable characters, no backslash, not all spaces."""
    return re.fullmatch(r"[ -\[\]-~]{1,16}", text) is not None and bool(text.strip())


def listening(variable: str) -> tuple[str, int] | None:
    """Host and port of a variable of the environment that holds [HOST:]PORT; None where it is not set."""
    told = os.environ.get(variable)
    if not told:
        return None
    host, _, port = told.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"{variable} is '{told}'; give [HOST:]PORT, such as 11112, with a port between 1 and 65535.")
    return host, int(port)


def level_of(keyword: str) -> str:
    """The level of the study root model that a key is asked for at."""
    return next((level for level, keys in LEVELS.items() if keyword in keys), "SERIES")


def query(level: str, asked: Mapping[str, str], returned: Iterable[str] = ()) -> Dataset:
    """The identifier of a request at a level: what is asked, and keys without a value for what is to be returned; UsageError for
    a number that is none."""
    made = Dataset()
    made.QueryRetrieveLevel = level
    if not all(value.isascii() for value in asked.values()):
        made.SpecificCharacterSet = "ISO_IR 192"
    for keyword in returned:
        setattr(made, keyword, "")
    for keyword, value in asked.items():
        number = dictionary_VR(keyword) in ("US", "UL", "SS", "SL")
        if number and not value.isdecimal():
            raise UsageError(f"The query asks for {keyword}={value}; give a whole number.")
        setattr(made, keyword, int(value) if number else value)
    return made


def matches(answer: Dataset, asked: Mapping[str, str]) -> bool:
    r"""Whether an answer is what was asked for, as far as it says: a node may pass over keys that it does not know.

    >>> found = Dataset()
    >>> found.StudyDate, found.BodyPartExamined = "20240105", "CHEST"
    >>> keys = ("StudyDate", "20240101-"), ("BodyPartExamined", "HAND"), ("Modality", "CR")
    >>> [matches(found, dict([key])) for key in keys]
    [True, False, True]
    """
    return all(_matches(answer.get(keyword), value, dictionary_VR(keyword)) for keyword, value in asked.items())


def _matches(found: object, asked: str, vr: str) -> bool:
    values = [
        str(one).strip() for one in (found if isinstance(found, MultiValue) else [found]) if one not in (None, "")
    ]
    if not values or not asked or vr in ("TM", "DT", "PN", "SQ"):  # of several spellings: the node knows
        return True
    if vr == "DA" and "-" in asked:
        first, _, last = asked.partition("-")
        return any((first or "0") <= value <= (last or "9" * 8) for value in values)
    return any(fnmatch.fnmatchcase(value, one.strip()) for value in values for one in asked.split("\\"))


def requests(names: Sequence[Name], most: int) -> Iterator[Dataset]:
    """Identifiers that ask for these images, at most so many at once, each of one series."""
    for (study, series), group in groupby(names, key=lambda name: name[:2]):
        images = [name[2] for name in group]
        for at in range(0, len(images), most):
            above = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
            yield query("IMAGE", above | {"SOPInstanceUID": "\\".join(images[at : at + most])})


def batches(names: Sequence[Name], classes: Mapping[str, str], most: int) -> Iterator[tuple[list[str], list[Name]]]:
    """At most so many SOP classes, and the images of them; one whose class is unknown is tried with each of the usual ones."""
    known = {classes.get(name[2], "") for name in names}
    if "" in known:
        known = known - {""} | set(USUAL)
    ordered = sorted(known)
    for at in range(0, len(ordered), most):
        batch = ordered[at : at + most]
        yield batch, [name for name in names if classes.get(name[2], "") in ("", *batch)]
