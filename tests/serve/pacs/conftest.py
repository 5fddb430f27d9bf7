"""One PACS for all tests of the loop, and a service with a model of every task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from evenray.scale.archive import Archive
from evenray.serve.decoding import Decoders
from evenray.serve.models import Models
from evenray.serve.pacs.ledger import Ledger
from evenray.serve.pacs.loop import Pacs
from evenray.serve.pacs.rules import Rules
from evenray.serve.service import Service
from tests.scale.orthanc import USER, WORD, orthanc

SIDE = 32
PATIENT = {"PatientName": "Kim^Minsu=金^民秀=김^민수", "PatientID": "HOSP-77", "AccessionNumber": "ACC-991"}


def film(instance: str, study: str, **elements: Any) -> pydicom.FileDataset:
    """A radiograph of a patient, with noise that its UID decides."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ComputedRadiographyImageStorage, instance
    own: Any = pydicom.FileDataset("", {}, b"\0" * 128, meta)
    own.SpecificCharacterSet = "ISO_IR 192"
    own.SOPClassUID, own.SOPInstanceUID, own.StudyInstanceUID = ComputedRadiographyImageStorage, instance, study
    own.SeriesInstanceUID, own.SeriesNumber, own.InstanceNumber = generate_uid(entropy_srcs=[study]), 1, 1
    own.PatientBirthDate, own.PatientSex, own.ReferringPhysicianName, own.StudyID = "19600102", "M", "", "1"
    own.StudyDate, own.StudyTime, own.Modality, own.BodyPartExamined = "20240105", "101500", "CR", "CHEST"
    own.ViewPosition, own.PatientOrientation, own.Manufacturer = "PA", ["L", "F"], "Example"
    own.Rows = own.Columns = SIDE
    own.SamplesPerPixel, own.PhotometricInterpretation, own.PixelRepresentation = 1, "MONOCHROME2", 0
    own.BitsAllocated, own.BitsStored, own.HighBit = 16, 12, 11
    rng = np.random.default_rng(int(instance.rsplit(".", 1)[1][:9]))
    own.PixelData = rng.integers(0, 4096, (SIDE, SIDE), np.uint16).tobytes()
    for keyword, value in (PATIENT | elements).items():
        setattr(own, keyword, value)
    return own


@dataclass(frozen=True)
class Hospital:
    """A PACS that is at work: what is sent to it, and what it holds."""

    url: str

    @property
    def archive(self) -> Archive:
        return Archive(self.url)

    def send(self, images: int = 1, **elements: Any) -> str:
        """A new study of some images; its UID."""
        study = generate_uid()
        self.archive.client.store_instances([film(generate_uid(), study, **elements) for _ in range(images)])
        return study

    def stable(self, study: str) -> bool:
        """Whether the PACS has said that a study is stable."""
        found = self.archive.json("/studies?expand")
        return all(one["IsStable"] for one in found if one["MainDicomTags"]["StudyInstanceUID"] == study)

    def objects(self, study: str, modality: str = "") -> list[pydicom.Dataset]:
        """The instances of a study, by modality."""
        found = self.archive.client.retrieve_study(study)
        return sorted((one for one in found if modality in ("", one.Modality)), key=lambda one: one.SOPInstanceUID)

    def answers(self, study: str) -> list[int]:
        """How many reports, captures and segmentations a study has."""
        modalities = [one["00080060"]["Value"][0] for one in self.archive.client.search_for_instances(study)]
        return [modalities.count(each) for each in ("SR", "OT", "SEG")]


@pytest.fixture(scope="session")
def orthanc_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with orthanc(tmp_path_factory.mktemp("pacs"), StableAge=1) as address:
        yield f"dicomweb://{address}"


@pytest.fixture
def hospital(orthanc_url: str, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """The PACS, and who asks it in the environment."""
    monkeypatch.setenv("EVENRAY_DICOMWEB_USER", USER)
    monkeypatch.setenv("EVENRAY_DICOMWEB_PASSWORD", WORD)
    return Hospital(orthanc_url)


class Plain(Decoders):
    """Decodes in this process: what is tested here is not how files are decoded."""

    def map(self, function: Callable[[Any], Any], items: Any) -> Iterator[Any]:
        return map(function, items)


@pytest.fixture(scope="session")
def services(sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """A service for each task, which decodes in this process."""
    found = {}
    for name, source in sources.items():
        service = Service(Models([source], "cpu"), jobs=1)
        service.decoders, service.folder = Plain(1), tmp_path_factory.mktemp(name)
        found[name] = service
    yield found
    for service in found.values():
        service.models.close()


@pytest.fixture
def pacs(hospital: Hospital, tmp_path: Path) -> Iterator[Callable[..., Pacs]]:
    """A loop beside the PACS, whose state lies in a folder of the test."""
    ledgers = list[Ledger]()

    def made(state: str = "state", rules: Rules | None = None, **more: Any) -> Pacs:
        waits = more.pop("waits", (0.0, 0.0))
        ledgers.append(Ledger(tmp_path / state, waits))
        return Pacs(Archive(hospital.url), ledgers[-1], rules or Rules(), device="cpu", **more)

    yield made
    for ledger in ledgers:
        ledger.close()
