"""Images of a PACS by DICOMweb: from a real Orthanc where there is one, and what is refused or goes wrong before that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

import evenray as er
from evenray.core.errors import DataError, UsageError
from evenray.scale import local
from evenray.scale.pace import Pace
from tests.scale.orthanc import USER, WORD, free_port, orthanc


def film(folder: Path, number: int) -> None:
    """A small radiograph; two of each patient, in one study."""
    own = pydicom.Dataset()
    own.SOPClassUID, own.SOPInstanceUID = pydicom.uid.ComputedRadiographyImageStorage, f"1.2.826.0.1.77.{number}"
    own.StudyInstanceUID, own.SeriesInstanceUID = f"1.2.826.0.1.66.{number // 2}", f"1.2.826.0.1.55.{number // 2}"
    own.PatientID, own.PatientName, own.Modality, own.StudyDate = f"P{number // 2}", "Doe^Jane", "CR", "20240105"
    own.Rows = own.Columns = 32
    own.SamplesPerPixel, own.PhotometricInterpretation, own.PixelRepresentation = 1, "MONOCHROME2", 0
    own.BitsAllocated, own.BitsStored, own.HighBit = 16, 12, 11
    own.PixelData = np.random.default_rng(number).integers(0, 4096, (32, 32), np.uint16).tobytes()
    own.file_meta = pydicom.dataset.FileMetaDataset()
    own.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    own.save_as(folder / f"{number}.dcm", enforce_file_format=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(10):
        film(folder, number)
    rows = "".join(f"1.2.826.0.1.77.{number},{'sick' if number % 4 < 2 else 'healthy'}\n" for number in range(10))
    (folder / "labels.csv").write_text(f"SOPInstanceUID,label\n{rows}")
    return folder


@pytest.fixture(scope="module")
def server(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PACS that holds the archive."""
    from dicomweb_client.api import DICOMwebClient
    from dicomweb_client.session_utils import create_session_from_user_pass

    with orthanc(tmp_path_factory.mktemp("orthanc")) as address:
        client = DICOMwebClient(f"http://{address}", session=create_session_from_user_pass(USER, WORD))
        client.store_instances([pydicom.dcmread(path) for path in images(archive)])
        yield f"dicomweb://{address}"


@pytest.fixture
def pacs(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its address, who asks it in the environment, and an empty cache."""
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EVENRAY_DICOMWEB_USER", USER)
    monkeypatch.setenv("EVENRAY_DICOMWEB_PASSWORD", WORD)
    return server


def images(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*.dcm")) if pydicom.misc.is_dicom(p)]


def uids(folder: Path) -> set[str]:
    return {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in images(folder)}


def test_the_images_of_a_pacs_are_data_as_a_folder_is(pacs: str, archive: Path, tmp_path: Path) -> None:
    here = local(pacs)
    assert uids(here) == uids(archive)
    there = {str(pydicom.dcmread(p).SOPInstanceUID): pydicom.dcmread(p).pixel_array.tobytes() for p in images(archive)}
    assert all(pydicom.dcmread(p).pixel_array.tobytes() == there[p.stem] for p in images(here))
    data = er.scan(pacs, labels=str(archive / "labels.csv"))
    assert len(data) == len(er.scan(archive))
    assert WORD not in "".join(p.read_text(errors="ignore") for p in tmp_path.rglob("*.json"))


def test_a_query_narrows_and_nothing_is_fetched_twice(
    pacs: str, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dicomweb_client.api import DICOMwebClient

    whole = local(pacs)
    one = pydicom.dcmread(images(archive)[0]).StudyInstanceUID

    def never(*given: object, **more: object) -> None:
        raise AssertionError("fetched again")

    monkeypatch.setattr(DICOMwebClient, "retrieve_instance", never)
    part = local(f"{pacs}?StudyInstanceUID={one}")
    assert {p.parts[-3] for p in part.rglob("*.dcm")} == {one}
    assert local(pacs) == whole
    with pytest.raises(DataError, match=r"lists no image for {'Modality': 'XA'}; widen the query"):
        local(f"{pacs}?Modality=XA")


def test_a_fetch_that_was_stopped_goes_on(pacs: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dicomweb_client.api import DICOMwebClient

    real, count = DICOMwebClient.retrieve_instance, []

    def fails(own: DICOMwebClient, *given: str) -> object:
        count.append(given)
        if len(count) == 4:
            raise OSError("the line is dead")
        return real(own, *given)

    monkeypatch.setattr(DICOMwebClient, "retrieve_instance", fails)
    with pytest.raises(DataError, match=r"OSError.*it goes on where it stopped"):
        local(pacs)
    before = len(count)
    assert uids(local(pacs)) == uids(archive)
    assert len(count) < before + len(images(archive)), "what had come was not asked for again"


def test_who_is_not_known_is_told_so(pacs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_DICOMWEB_PASSWORD", "wrong")
    with pytest.raises(DataError, match=r"status 401, it wants to know who asks.*EVENRAY_DICOMWEB_TOKEN"):
        local(pacs)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("dicomweb://reader:secret@pacs/web", "holds a user or a password"),
        ("dicomweb://pacs/web?PatientName=Kim", "asks for PatientName; it would stand in the run's artefacts"),
        ("dicomwebs://pacs/web?Modalty=CR", "'Modalty', which is no attribute of DICOM"),
    ],
)
def test_what_must_not_stand_in_a_url_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as found:
        local(url)
    assert "secret" not in str(found.value)


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(DataError, match=f"'http://{address}' cannot be asked .Connection"):
        local(f"dicomweb://{address}")


def test_the_rate_is_kept_and_a_wrong_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, pace = time.monotonic(), Pace(50)
    for _ in range(6):
        pace()
    assert time.monotonic() - begun >= 0.1
    monkeypatch.setenv("EVENRAY_DICOMWEB_RATE", "fast")
    with pytest.raises(UsageError, match="EVENRAY_DICOMWEB_RATE is 'fast'; give a number"):
        local("dicomweb://127.0.0.1:1")
