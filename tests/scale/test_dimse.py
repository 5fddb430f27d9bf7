"""Images of a PACS by C-FIND with C-GET and C-MOVE: from a real Orthanc where there is one, and what nodes may do to us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

import evenray as er
from evenray.core.errors import DataError, MissingExtra, StorageError, UsageError
from evenray.scale import dimse, local
from tests.scale.orthanc import USER, WORD, free_port, orthanc
from tests.scale.test_dicomweb import film, images, uids

AET, LISTEN = "ORTHANC", free_port()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(6):
        film(folder, number)
    return folder


@pytest.fixture(scope="module")
def server(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PACS that holds the archive and knows where EVENRAY listens."""
    from dicomweb_client.api import DICOMwebClient
    from dicomweb_client.session_utils import create_session_from_user_pass

    port = free_port()
    settings: dict[str, Any] = {
        "DicomAet": AET, "DicomPort": port, "DicomCheckCalledAet": True, "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True, "DicomModalities": {"us": {"AET": "EVENRAY", "Host": "127.0.0.1", "Port": LISTEN}},
    }  # fmt: skip
    with orthanc(tmp_path_factory.mktemp("orthanc"), **settings) as address:
        client = DICOMwebClient(f"http://{address}", session=create_session_from_user_pass(USER, WORD))
        client.store_instances([pydicom.dcmread(path) for path in images(archive)])
        yield f"dicom://127.0.0.1:{port}/{AET}"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(dimse, "BACK_OFF", 0.01)


@pytest.mark.parametrize("way", ["C-GET", "C-MOVE"])
def test_the_images_of_a_node_are_data_as_a_folder_is(
    server: str, archive: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "C-MOVE":
        monkeypatch.setenv("EVENRAY_DICOM_LISTEN", f"127.0.0.1:{LISTEN}")
    here = local(server)
    assert uids(here) == uids(archive)
    there = {path.SOPInstanceUID: path.PixelData for path in map(pydicom.dcmread, images(archive))}
    assert all(pydicom.dcmread(path).PixelData == there[path.stem] for path in images(here))
    assert len(er.scan(server)) == len(there)


def test_a_query_narrows_and_nothing_is_fetched_twice(
    server: str, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local(server)

    def never(*given: object) -> None:
        raise AssertionError("fetched again")

    monkeypatch.setattr(dimse.Dimse, "_get", never)
    one = pydicom.dcmread(images(archive)[0])
    for asked in (
        f"StudyInstanceUID={one.StudyInstanceUID}&Modality=CR",
        "PatientID={WHO}&StudyDate=20240101-20240131",
        f"SOPInstanceUID={one.SOPInstanceUID}",
    ):
        monkeypatch.setenv("WHO", str(one.PatientID))
        assert {path.parts[-3] for path in local(f"{server}?{asked}").rglob("*.dcm")} == {one.StudyInstanceUID}
    for asked in ("Modality=XA", "StudyDate=20250101-"):
        with pytest.raises(DataError, match=r"lists no image for .*; widen the query"):
            local(f"{server}?{asked}")


KILLED = """
import os, sys, evenray.scale.pacs as pacs
from evenray.scale import local
real, count = pacs._place, [0]
def dies(kept, instance):
    count[0] += 1
    if count[0] > {after}:
        os.kill(os.getpid(), 9)
    return real(kept, instance)
pacs._place = dies
local(sys.argv[1])
"""


def test_a_fetch_that_was_killed_goes_on(server: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = KILLED.replace(
        "{after}", str(len(images(archive)) + 3)
    )  # as many are looked for, and the fourth to come is the end
    died = subprocess.run([sys.executable, "-c", code, server], env=os.environ, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    fetched: list[str] = []
    real = dimse.Dimse.fetch

    def counted(own: dimse.Dimse, names: list[Any], keep: Any) -> None:
        fetched.extend(name[2] for name in names)
        real(own, names, keep)

    monkeypatch.setattr(dimse.Dimse, "fetch", counted)
    assert uids(local(server)) == uids(archive)
    assert len(fetched) == len(images(archive)) - 3


def test_a_disk_that_refuses_is_told_and_not_the_node(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **more: object) -> None:
        raise StorageError("Cannot write: no space left on device.")

    monkeypatch.setattr("evenray.scale.pacs.atomic", full)
    with pytest.raises(StorageError, match="no space left"):
        local(server)


def test_who_is_refused_is_told_why(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        DataError, match=r"as 'EVENRAY' .it refuses the association: called ae title not recogni.ed.*both AE titles"
    ):
        local(server.replace(AET, "OTHER"))
    monkeypatch.setenv("EVENRAY_DICOM_LISTEN", f"127.0.0.1:{free_port()}")
    with pytest.raises(DataError, match=r"\('?it does not know|cannot be asked as 'STRANGER'"):
        local(server.replace("dicom://", "dicom://STRANGER@"))


def test_a_port_that_is_taken_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        monkeypatch.setenv("EVENRAY_DICOM_LISTEN", f"127.0.0.1:{own.getsockname()[1]}")
        with pytest.raises(
            UsageError, match=r"EVENRAY_DICOM_LISTEN names port \d+, which cannot be listened at .*; give another"
        ):
            local(server)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x02\x00\xff\xff\xff\xff" + b"\x00" * 64, None]
)
def test_what_does_not_speak_dicom_is_named(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed at once, another protocol, a damaged acceptance, and silence."""
    monkeypatch.setattr(dimse, "TIMEOUT", 0.3)
    monkeypatch.setattr(dimse, "TRIES", 1)
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        open_ones = []

        def answers() -> None:
            while True:
                try:
                    line, _ = own.accept()
                except OSError:
                    return
                open_ones.append(line)
                if answer is not None:
                    line.recv(4096)
                    line.sendall(answer)
                    line.close()

        thread = threading.Thread(target=answers, daemon=True)
        thread.start()
        with pytest.raises(DataError, match="no association: nobody answers there, or not in DICOM"):
            local(f"dicom://127.0.0.1:{own.getsockname()[1]}/X")
        own.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for line in open_ones:
            line.close()


class Node:
    """A node of our own that answers C-FIND and C-GET from a folder, and misbehaves as told."""

    def __init__(self, folder: Path, misbehaviour: str) -> None:
        from pynetdicom import AE, AllStoragePresentationContexts, evt

        self.all = [pydicom.dcmread(path) for path in images(folder)]
        self.misbehaviour, self.gets = misbehaviour, 0
        entity = AE("NODE")
        entity.add_supported_context(dimse.FIND)
        if misbehaviour != "no C-GET":
            entity.add_supported_context(dimse.GET)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), scu_role=True, scp_role=True)
        self.port = free_port()
        self.server: Any = entity.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_C_FIND, self.find), (evt.EVT_C_GET, self.get)]
        )

    def find(self, event: Any) -> Iterator[tuple[int, pydicom.Dataset | None]]:
        key = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID"}.get(
            event.identifier.QueryRetrieveLevel, "SOPInstanceUID"
        )
        above = [k for k in ("StudyInstanceUID", "SeriesInstanceUID") if event.identifier.get(k)]
        for value in sorted({own[key].value for own in self.all if all(own[k] == event.identifier[k] for k in above)}):
            found = pydicom.Dataset()
            setattr(
                found, key, "../../escape" if self.misbehaviour == "odd UIDs" and key == "SOPInstanceUID" else value
            )
            yield 0xFF00, found

    def get(self, event: Any) -> Iterator[tuple[int, pydicom.Dataset | None] | int]:
        wanted = event.identifier.SOPInstanceUID
        sent = [own for own in self.all if own.SOPInstanceUID in wanted]
        self.gets += 1
        if self.misbehaviour == "breaks off" and self.gets == 1:
            yield len(sent)
            yield 0xFF00, sent[0]
            event.assoc.abort()
            return
        if self.misbehaviour == "withholds":
            sent = sent[1:]
        if self.misbehaviour == "sends others":
            sent = [own for own in self.all if own.SOPInstanceUID not in wanted][:1] + sent
        yield len(sent)
        for own in sent:
            yield 0xFF00, own


@pytest.fixture
def node(archive: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    made = Node(archive, request.param)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("node", ["breaks off", "sends others"], indirect=True)
def test_a_node_that_stumbles_is_asked_again(node: Node, archive: Path) -> None:
    url = f"dicom://127.0.0.1:{node.port}/NODE"
    one = pydicom.dcmread(images(archive)[0]).StudyInstanceUID
    assert len(uids(local(f"{url}?StudyInstanceUID={one}"))) == 2
    cache = Path(os.environ["EVENRAY_CACHE"])
    assert len({p.name for p in cache.rglob("*.dcm")}) == 2, "what was not asked for is not kept"
    assert uids(local(url)) == uids(archive)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("withholds", r"sends 3 of 6 images that it lists; look in its log for the others"),
        ("no C-GET", r"it does not answer C-GET"),
        ("odd UIDs", r"lists an image whose UIDs are no UIDs"),
    ],
    indirect=["node"],
)
def test_a_node_that_fails_is_told(node: Node, said: str) -> None:
    with pytest.raises(DataError, match=said):
        local(f"dicom://127.0.0.1:{node.port}/NODE")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("dicom://pacs/", "names no host, or an AE title that cannot be one; the form is dicom://"),
        ("dicom://pacs/AN_AE_TITLE_TOO_LONG", "an AE title that cannot be one"),
        ("dicom://pacs:99999/X", "'pacs:99999' has no port between 1 and 65535"),
        ("dicom://me:secret@pacs/X", "holds a password, for which DICOM has no place"),
        ("dicom://pacs/X?PatientID=123", r"asks for PatientID; .*PatientID={VARIABLE}"),
        ("dicom://pacs/X?PatientID={NOBODY_SET_THIS}", "the variable NOBODY_SET_THIS, which is not set"),
        ("dicom://pacs/X?Modalty=CR", "'Modalty', which is no attribute of DICOM"),
    ],
)
def test_what_must_not_stand_in_a_url_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as found:
        local(url)
    assert "secret" not in str(found.value)
    assert "123" not in str(found.value)


def test_a_wrong_place_to_listen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_DICOM_LISTEN", "here")
    with pytest.raises(UsageError, match=r"EVENRAY_DICOM_LISTEN is 'here'; give .HOST:.PORT"):
        local("dicom://127.0.0.1/X")


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(
        MissingExtra, match=r"dicom:// needs pynetdicom; install it with: pip install 'evenray\[pacs\]'"
    ):
        local("dicom://127.0.0.1/X")


def test_verbs_of_the_line_take_a_node(server: str, tmp_path: Path) -> None:
    found = er.audit(server, tmp_path / "run")
    assert found
    assert er.Run(tmp_path / "run").asked.data == server
    with pytest.raises(DataError, match="cannot be asked as 'EVENRAY'"):
        er.audit(f"dicom://127.0.0.1:{free_port()}/X", tmp_path / "other")
    assert not (tmp_path / "other").exists()
