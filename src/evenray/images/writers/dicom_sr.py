"""DICOM SR (PS3.3 A.35.13): what a model says of the images of one study, as a Comprehensive 3D SR after TID 1500 (PS3.16)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID, generate_uid

from evenray.core.errors import MissingExtra
from evenray.core.names import printable

from ._dicom_study import EMPTY, SHARED, laterality_of, moment
from .dicom_seg import SEGMENTATION

__all__ = ["SCHEME", "Algorithm", "Group", "Segment", "class_code", "probability_code", "report_uid", "write_report"]

SCHEME = "99EVENRAY"
SERIES = 3000  # is added to the number of the first image's series
OF_STUDY = ("IssuerOfPatientID", "StudyDescription", "PatientAge")
OF_ANOTHER_MODULE = ("FrameOfReferenceUID", "PositionReferenceIndicator", "SpecificCharacterSet")
NONE = Code("1", "UCUM", "no units")
PIXELS = Code("{pixels}", "UCUM", "pixels")
SQUARE_MM = Code("mm2", "UCUM", "square millimeter")
AREA = Code("42798000", "SCT", "Area")
PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
PRESENT, ABSENT = Code("52101004", "SCT", "Present"), Code("2667000", "SCT", "Absent")
YES, NO = Code("373066001", "SCT", "Yes"), Code("373067005", "SCT", "No")
LATERALITY = Code("272741003", "SCT", "Laterality")
SIDES = {
    "L": Code("7771000", "SCT", "Left"),
    "R": Code("24028007", "SCT", "Right"),
    "B": Code("51440002", "SCT", "Bilateral"),
}
OPERATING_POINT = Code("OPERATING-POINT", SCHEME, "Operating point: least probability that is called")
DECISION = Code("DECISION", SCHEME, "Decision at the operating point")
UNLIKE = Code("UNLIKE-TRAINING", SCHEME, "Image unlike the training images")
CALLED = Code("CALLED-PIXELS", SCHEME, "Pixels called")
BOXES = Code("CALLED-BOXES", SCHEME, "Boxes called")
USE, RESEARCH = Code("USE", SCHEME, "Use"), Code("RESEARCH", SCHEME, "Research use only, not a medical device")


@dataclass(frozen=True)
class Algorithm:
    """What made a report: the name and the digest of its network, and what else tells it from others (`parameters`)."""

    name: str
    weights: str
    parameters: tuple[str, ...] = ()


class Segment(NamedTuple):
    """A frame of a segmentation, from 1 on, and the segment that is drawn in it."""

    series: str
    instance: str
    frame: int
    segment: int


@dataclass(frozen=True)
class Group:
    """A measurement group: what is said of an image (its header; `frame` from 1 on where it has several), of a box in it (left,
    top, right, bottom in its pixels) or of a segment.

    `finding` is a class; `probabilities` are by class, `threshold` the operating point, `decision` a class, or whether the
    finding is present. `boxes` counts those that were called, `pixels` and `mm2` are those of a segment, `unlike` says whether the
    image is unlike the training images. Of a box only finding and probability are written, for there may be many.
    """

    image: Dataset
    frame: int | None = None
    finding: str | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    threshold: float | None = None
    decision: str | bool | None = None
    box: tuple[float, float, float, float] | None = None
    segment: Segment | None = None
    boxes: int | None = None
    pixels: int | None = None
    mm2: float | None = None
    unlike: bool | None = None


def report_uid(study: str, weights: str) -> UID:
    """The UID of the report of a study by a model: always the same one, so that a study is answered once (PS3.5, 9.1).

    >>> report_uid("1.2.3", "ab") == report_uid("1.2.3", "ab") != report_uid("1.2.3", "ac")
    True
    """
    return generate_uid(entropy_srcs=["report", study, weights])


def class_code(name: str) -> Code:
    """The private code of a class: the same for the same name.

    >>> class_code("pneumonia").meaning, class_code("pneumonia").scheme_designator
    ('pneumonia', '99EVENRAY')
    """
    return Code(f"C-{_short(name)}", SCHEME, _plain(name)[:64])


def probability_code(name: str) -> Code:
    """The private code of the probability of a class."""
    return Code(f"P-{_short(name)}", SCHEME, f"Probability of {_plain(name)}"[:64])


def write_report(target: Path, groups: Sequence[Group], algorithm: Algorithm) -> UID:
    """Write what a model says of the images of a study, at least one group, and return the report's UID (`report_uid`).

    Patient and study are the first image's. Nothing in the file depends on the clock: the same groups written twice are the same
    bytes. Raises MissingExtra without highdicom.
    """
    try:
        import highdicom as hd
        from highdicom.coding_schemes import CodingSchemeIdentificationItem
    except ImportError:
        raise MissingExtra("DICOM SR", "highdicom", "pacs") from None
    first = groups[0].image
    study = str(first.StudyInstanceUID)
    images = list({str(group.image.SOPInstanceUID): group.image for group in groups}.values())
    evidence = [_nameless(image) for image in images]
    evidence += [
        _segmentation(segment, image)
        for segment, image in {
            g.segment.instance: (g.segment, g.image) for g in groups if g.segment is not None
        }.values()
    ]
    observer = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=["device", algorithm.weights]), name="evenray", manufacturer_name="evenray",
            model_name=algorithm.name,
        ),
    )  # fmt: skip
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=PROCEDURE,
        imaging_measurements=[_group(group, number, algorithm, hd) for number, group in enumerate(groups, 1)],
    )
    report: Any = hd.sr.Comprehensive3DSR(
        evidence=evidence, content=content[0], series_instance_uid=generate_uid(entropy_srcs=["reports", study, algorithm.weights]),
        series_number=int(first.get("SeriesNumber") or 0) + SERIES, sop_instance_uid=report_uid(study, algorithm.weights),
        instance_number=1, manufacturer="evenray", manufacturer_model_name="evenray", software_versions=version("evenray"),
        device_serial_number=algorithm.weights[:16] or "0", series_description="evenray: research use only", is_complete=True,
        is_final=False, is_verified=False, specific_character_set="ISO_IR 192",
        coding_schemes=[CodingSchemeIdentificationItem(SCHEME, name="evenray", responsible_organization="The evenray authors")],
    )  # fmt: skip
    _identify(report, first)
    pydicom.dcmwrite(target, report, enforce_file_format=True)
    return UID(report.SOPInstanceUID)


def _identify(report: Any, image: Dataset) -> None:
    """Patient and study as in the image, and the image's date in place of the clock's."""
    for keyword in (*SHARED, *OF_STUDY):
        if keyword in image and keyword not in OF_ANOTHER_MODULE:
            report[keyword] = image[keyword]
    report.ContentDate, report.ContentTime = moment(image)
    del report.InstanceCreationDate, report.InstanceCreationTime
    for equipment in report.ContributingEquipmentSequence:
        del equipment.ContributionDateTime


def _nameless(image: Dataset) -> Dataset:
    """What identifies an image, without its patient: highdicom logs a name that it finds odd."""
    found = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(found, keyword, str(image[keyword].value))
    for keyword in EMPTY:
        setattr(found, keyword, "")
    return found


def _segmentation(segment: Segment, image: Dataset) -> Dataset:
    found = _nameless(image)
    found.SOPClassUID, found.SOPInstanceUID, found.SeriesInstanceUID = SEGMENTATION, segment.instance, segment.series
    return found


def _group(group: Group, number: int, algorithm: Algorithm, hd: Any) -> Any:
    image, weights = group.image, algorithm.weights
    place = [str(image.SOPInstanceUID), str(group.frame), str(group.finding), str(number)]
    reference = (str(image.SOPClassUID), str(image.SOPInstanceUID), None if group.frame is None else [group.frame])
    common: dict[str, Any] = {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            uid=generate_uid(entropy_srcs=["track", weights, *place]), identifier=f"evenray {number}"
        ),
        "finding_type": None if group.finding is None else class_code(group.finding),
        "measurements": [hd.sr.Measurement(name=name, value=value, unit=unit) for name, value, unit in _numbers(group)],
    }  # fmt: skip
    if group.box is not None:
        left, top, right, bottom = group.box
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
        region = hd.sr.ImageRegion(hd.sr.GraphicTypeValues.POLYLINE, corners, hd.sr.SourceImageForRegion(*reference))
        return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **common)
    common["algorithm_id"] = hd.sr.AlgorithmIdentification(
        name=algorithm.name, version=version("evenray"), manufacturer="evenray",
        parameters=[f"model sha256 {weights}", *algorithm.parameters, RESEARCH.meaning],
    )  # fmt: skip
    common["qualitative_evaluations"] = [hd.sr.QualitativeEvaluation(name=n, value=v) for n, v in _words(group)]
    if group.segment is not None:
        referenced = hd.sr.ReferencedSegmentationFrame(
            SEGMENTATION, group.segment.instance, group.segment.frame, group.segment.segment,
            hd.sr.SourceImageForSegmentation(*reference),
        )  # fmt: skip
        del referenced[0].ReferencedSOPSequence[0].ReferencedSegmentNumber  # its frame says which (PS3.3, 10.8)
        return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_segment=referenced, **common)
    source = hd.sr.SourceImageForMeasurementGroup(*reference)
    return hd.sr.MeasurementsAndQualitativeEvaluations(source_images=[source], **common)


def _numbers(group: Group) -> Iterator[tuple[Code, float, Code]]:
    for name, p in group.probabilities.items():
        yield probability_code(name), float(p), NONE
    if group.threshold is not None:
        yield OPERATING_POINT, float(group.threshold), NONE
    if group.boxes is not None:
        yield BOXES, float(group.boxes), NONE
    if group.pixels is not None:
        yield CALLED, float(group.pixels), PIXELS
    if group.mm2 is not None:
        yield AREA, float(group.mm2), SQUARE_MM


def _words(group: Group) -> Iterator[tuple[Code, Code]]:
    if isinstance(group.decision, bool):
        yield DECISION, PRESENT if group.decision else ABSENT
    elif group.decision is not None:
        yield DECISION, class_code(group.decision)
    if group.unlike is not None:
        yield UNLIKE, YES if group.unlike else NO
    side = laterality_of(group.image)
    if side in SIDES:
        yield LATERALITY, SIDES[side]
    yield USE, RESEARCH


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _plain(name: str) -> str:
    """A name as DICOM's LO has it: without control characters and backslashes."""
    return printable(name).replace("\\", "/")
