"""A DICOM image without what tells whose it is (PS3.15, annex E): the Basic Application Level Confidentiality Profile, and more.

The profile lists what is to go. What it does not list may hold anything, too; so text stays only where the standard itself wrote it:
coded words, codes of public vocabularies, makers by their known names. Numbers stay, unless they repeat a number of something that
goes. Pixels keep their bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from evenray.core.errors import ReadError
from evenray.images.readers.dicom_terms import MANUFACTURERS

from .names import Names
from .pixels import clean_pixels
from .profile import EDITION, action
from .terms import known_terms, meaning

__all__ = ["METHOD", "deidentify"]

METHOD = f"PS3.15 {EDITION} Basic Profile, only coded text kept: evenray"
NUMBERS = {"DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV", "AT"}
BINARY = {  # the attributes of bytes that pixels need
    "PixelData", "FloatPixelData", "DoubleFloatPixelData", "LUTData", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData", "AlphaPaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
}  # fmt: skip
BYTES = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
DUMMIES: dict[str, Any] = {
    "DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y", "DS": "0", "IS": "0", "UR": "urn:removed", "CS": "REMOVED",
    "FL": 0.0, "FD": 0.0, "SL": 0, "SS": 0, "UL": 0, "US": 0, "SV": 0, "UV": 0, "AE": "REMOVED",
}  # fmt: skip
MAY_BE_EMPTY = {  # of type 2 in some modules
    "BodyPartExamined", "ViewPosition", "ScanOptions", "Laterality", "PatientOrientation", "PositionerType",
    "AcquisitionContextSequence",
}  # fmt: skip
CODE = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodingSchemeDesignator", "CodeMeaning")
TELLING = 5  # digits of a number that may be a person's
DATE_LONG = 8
NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def deidentify(dataset: FileDataset, names: Names, path: str) -> bytes:
    """The file of a dataset (which is changed) without what tells whose it is; ReadError where that cannot be done.

    UIDs are replaced throughout, the patient's name and ID by the pseudonym, the institution by its own; the rest as the profile
    has it, in nested sequences too. Private attributes, curves, overlays and free text are gone, as are dates.
    """
    _refuse(dataset, path)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if not _code(dataset):  # an image is none
        for keyword in CODE:
            dataset.pop(keyword, None)
    told = set(_digits(dataset))
    dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or path  # replaced like any other
    _strip(dataset, names, told)
    clean_pixels(dataset, syntax, path)
    _state(dataset)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    dataset.file_meta, dataset.preamble = meta, bytes(128)
    made = io.BytesIO()
    pydicom.dcmwrite(made, dataset, enforce_file_format=True)
    return made.getvalue()


def _refuse(dataset: FileDataset, path: str) -> None:
    """ReadError for what cannot be cleaned without changing pixels."""
    if not dataset.original_encoding[1]:
        raise ReadError(path, "is stored in big-endian order, which DICOM has retired; convert it first")
    if str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
        raise ReadError(path, "its header says that text is burned into the image")
    positions = (dataset[tag].value for tag in list(dataset.keys()) if tag.group >> 8 == 0x60 and tag.element == 0x0102)
    if any(position not in (0, None) for position in positions):
        raise ReadError(path, "holds an overlay in unused bits of its pixels, which would stay")


def _digits(dataset: Dataset) -> Iterator[str]:
    """The long numbers in what goes: identifiers, dates, accession numbers."""
    for element in _elements(dataset):
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _digits(item)
        elif element.VR not in BYTES and (
            element.VR not in NUMBERS | {"UI", "CS"} or action(element.tag) in ("empty", "clear", "remove", "dummy")
        ):
            yield from re.findall(rf"\d{{{TELLING},}}", str(element.value))


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """The elements of a dataset; what cannot be parsed is taken out, for nobody knows what it holds."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            if element.VR != "SQ":
                str(element.value)
        except Exception:
            del dataset[tag]
            continue
        yield element


def _strip(dataset: Dataset, names: Names, told: set[str]) -> None:
    for element in _elements(dataset):
        keyword = element.keyword
        if _goes(element.tag):
            del dataset[element.tag]
        elif keyword in ("PatientID", "PatientName"):
            element.value = names.patient
        elif keyword == "InstitutionName":
            element.value = names.site(str(element.value)) if str(element.value or "").strip() else None
        else:
            _by_profile(dataset, element, names, told)


def _goes(tag: BaseTag) -> bool:
    """Private attributes, curves and overlays, group lengths, padding, what no dictionary knows; and the character set, as all that
    stays is ASCII."""
    drawn = (tag.group & 0xFF00) in (0x5000, 0x6000)
    return (
        tag.is_private
        or drawn
        or tag.element == 0
        or tag == 0x00080005
        or tag.group == 0xFFFC
        or not dictionary_has_tag(tag)
    )


def _by_profile(dataset: Dataset, element: DataElement, names: Names, told: set[str]) -> None:
    done = action(element.tag)
    may_be_empty = element.VR != "SQ" or element.keyword in MAY_BE_EMPTY
    if done == "remove" or (done == "clear" and not may_be_empty):
        del dataset[element.tag]
    elif done in ("empty", "clear"):
        element.value = [] if element.VR == "SQ" else None
    elif done == "dummy":
        _set_dummy(dataset, element)
    elif done == "uid" or element.VR == "UI":
        element.value = _uids(element, names)
    elif element.VR == "SQ":
        items = [item for item in element.value or () if _code(item)]
        for item in items:
            _strip(item, names, told)
        if items or not element.value or element.keyword in MAY_BE_EMPTY:
            element.value = Sequence(items)
        else:  # a sequence that had items may need some, or be absent
            del dataset[element.tag]
    elif element.VR in BYTES:
        if element.keyword not in BINARY:
            del dataset[element.tag]
    elif element.keyword == "ImageType":
        element.value = _image_type([str(one) for one in _values(element)])
    elif element.VR == "CS":
        if found := known_terms(_values(element)):
            element.value = found
        elif element.keyword in MAY_BE_EMPTY:
            element.value = None
        else:
            del dataset[element.tag]
    elif element.VR in NUMBERS:
        if any(_is_told(value, element.VR, told) for value in _values(element)):
            element.value = None
    elif element.keyword in ("RescaleType", "ModalityLUTType"):
        element.value = (known_terms(_values(element)) or ["US"])[0]  # unspecified (PS3.3, C.11.1.1.2)
    elif element.keyword == "Manufacturer":
        element.value = _maker(str(element.value))
    elif element.keyword not in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"):  # of public codes, see _code
        _set_dummy(dataset, element)


def _set_dummy(dataset: Dataset, element: DataElement) -> None:
    """A value without meaning in place of one; none where there was none, and no sequence where its items are not known."""
    if element.VR == "SQ":
        if element.value:
            del dataset[element.tag]
    elif element.VR in BYTES:
        element.value = b"\0\0"
    elif _values(element):
        element.value = DUMMIES.get(element.VR, "removed")


def _image_type(values: list[str]) -> list[str]:
    """Pixels and examination (PS3.3, C.7.6.1.1.2), then what else is a term of the standard."""
    first = values[0] if values and values[0] in ("ORIGINAL", "DERIVED") else "DERIVED"
    second = values[1] if len(values) > 1 and values[1] in ("PRIMARY", "SECONDARY") else "SECONDARY"
    return [first, second, *known_terms(values[2:])]


def _values(element: DataElement) -> list[Any]:
    value = element.value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def _uids(element: DataElement, names: Names) -> list[str]:
    """Those of the standard (classes, syntaxes, code tables) as they are, all others replaced."""
    return [str(one) if UID(str(one)).name != str(one) else names.uid(str(one)) for one in _values(element) if str(one)]


def _code(item: Dataset) -> bool:
    """Whether an item is no code, or one of a public vocabulary, whose public meaning it then has."""
    if not any(keyword in item for keyword in CODE):
        return True
    scheme, value = (str(item.get(keyword, "")).strip() for keyword in ("CodingSchemeDesignator", "CodeValue"))
    found = meaning(scheme, value)
    if found is None:
        return False
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, found[:64].strip()
    return True


def _is_told(value: Any, vr: str, told: set[str]) -> bool:
    """Whether a number repeats one of what goes, is as long as a date or an identifier where whole numbers are counts, or is none."""
    if vr not in ("DS", "IS"):
        return str(value) in told
    whole = str(value).strip().lstrip("+-").partition(".")[0]
    return whole in told or (vr == "IS" and len(whole) >= DATE_LONG) or NUMBER.fullmatch(str(value)) is None


def _maker(text: str) -> str | None:
    """The known name of a maker; "other" for those unknown, none for none."""
    if not text.strip():
        return None
    known = (name for word, name in MANUFACTURERS.items() if re.search(rf"(?<![a-z])({word})", text.lower()))
    return next(known, "other")


def _state(dataset: Dataset) -> None:
    """What was done, as the profile wants it said (PS3.15, E.1.1; PS3.3, C.12.1.1.7)."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"{METHOD} {version('evenray')}"
    dataset.DeidentificationMethodCodeSequence = Sequence([code])
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
