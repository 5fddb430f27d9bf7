"""Files and forms made to hurt: the server answers with a reason, and the next request as before."""

from __future__ import annotations

import io
import re
import resource
import socket
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from evenray.serve.service import Service
from evenray.serve.uploads import FILES

GREY = cv2.imencode(".png", np.arange(784, dtype=np.uint8).reshape(28, 28))[1].tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def archive(shape: tuple[int, ...], data: bytes) -> bytes:
    """A .npz file whose array says a shape and holds other bytes."""
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("train_images.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + data)
    return held.getvalue()


HURTING = {
    "a picture of 10 gigapixels": png(100_000, 100_000, zlib.compress(bytes(10**6))),
    "a picture of 60 megapixels that is not there": png(8000, 7500, zlib.compress(b"")),
    "a bitmap of 900 megapixels": b"BM" + struct.pack("<IHHIIiiHH", 0, 0, 0, 54, 40, 30_000, 30_000, 1, 8) + bytes(24),
    "an archive of a terabyte": archive((10**6, 1000, 1000), b""),
    "an archive that unpacks to a gigabyte": archive((10**6, 32, 32), zlib.compress(bytes(10**5))),
    "an archive of more images than one may send": archive((2000, 2, 2), bytes(8000)),
    "text": b"<script>alert(1)</script>" * 100,
    "half a picture": GREY[: len(GREY) // 2],
    "a DICOM head and nothing more": bytes(128) + b"DICM",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize(
    "route", ["/v1/predict", "/v1/predict?model=segment", "/v1/enhance?method=equalize", "/v1/histogram"]
)
@pytest.mark.parametrize("name", list(HURTING))
def test_files_that_hurt_are_refused_with_a_reason(client: httpx.Client, route: str, name: str) -> None:
    answered = client.post(route, content=HURTING[name])
    if answered.status_code != 200:  # some routes can do with a part: the first image of an archive
        assert answered.status_code in (413, 422), answered.text
        assert answered.json()["error"].startswith("serve.")
        assert tempfile.gettempdir() not in answered.text
        assert "<script" not in answered.text
    assert client.post("/v1/predict", content=GREY).json()["images"] == 1


@pytest.mark.parametrize("name", list(HURTING))
def test_files_are_refused_in_the_language_of_the_request(client: httpx.Client, name: str) -> None:
    answered = client.post("/v1/predict", content=HURTING[name], params={"lang": "ko"})
    told = [answered.json().get("message", ""), *(one["reason"] for one in answered.json().get("rejected", []))]
    for sentence in filter(None, told):
        assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", sentence), sentence


@pytest.mark.parametrize("shared", ["c0_fdat_a1_f0_n2.png", "pal_exp_40.dcm", "conf_rle.bmp"])
def test_files_that_have_hurt(client: httpx.Client, evenray_data: Path, shared: str) -> None:
    file = evenray_data.parent / "cases" / "attacks" / shared
    if not file.is_file():
        pytest.skip("the file is not at hand")
    assert client.post("/v1/predict", content=file.read_bytes()).status_code in (200, 422)
    assert client.post("/v1/predict", content=GREY).status_code == 200


@pytest.mark.parametrize(
    "method",
    [
        "match('/etc/passwd')", "match(reference='../secret.json')", "match(passwd)", "local(match('a.json'), tiles=2)",
        "gamma(1) | match('a.json')", "__import__('os').system('true')", "gamma(" * 60 + ")" * 60, "(" * 900, "gamma(9**9**9)",
        "clahe(tiles=99999999)", "a" * 990, "\0", "<script>", "",
    ],
)  # fmt: skip
def test_methods_that_hurt_are_refused(client: httpx.Client, method: str) -> None:
    answered = client.post("/v1/enhance", content=GREY, params={"method": method})
    assert (answered.status_code, answered.headers["content-type"]) == (422, "application/json")
    assert "root:" not in answered.text


def test_a_method_reads_no_file_whatever_its_name(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray.images.histogram import Histogram

    saved = tmp_path / "reference.json"
    Histogram.of_values([0, 1, 2, 3], width=1).save(saved)
    answered = client.post("/v1/enhance", content=GREY, params={"method": f"match('{saved}')"})
    assert answered.status_code == 422
    assert "There is no reference named" in answered.json()["message"]


def form(*parts: bytes, boundary: str = "B") -> dict[str, object]:
    body = b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"
    return {"content": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


FILE = b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'


@pytest.mark.parametrize(
    "sent",
    [
        form(b'Content-Disposition: form-data; name="file"\r\n\r\nno file'),
        form(b'Content-Disposition: form-data; name="other"; filename="a"\r\n\r\n' + GREY),
        form(FILE % b"a" + GREY, boundary="another"),
        form(b"no header at all"),
        form(*([b'Content-Disposition: form-data; name="x"\r\n\r\ny'] * 200)),
        form(b'Content-Disposition: form-data; name="x"\r\n\r\n' + bytes(100_000)),
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=" + "b" * 300}},
        {"content": b""},
    ],
)
def test_forms_that_are_none(client: httpx.Client, sent: dict[str, object]) -> None:
    answered = client.post("/v1/predict", **sent)  # type: ignore[arg-type]
    assert answered.status_code in (400, 413, 422)
    assert answered.json()["error"].startswith("serve.")


@pytest.mark.parametrize(
    "name",
    [b"../../../tmp/x.png", b"/etc/cron.d/x", b"..\\..\\x", b"a\0b", b"<script>", b"x" * 5000, b"\xff\xfe", b"CON"],
)
def test_names_of_files_lead_nowhere(client: httpx.Client, service: Service, name: bytes) -> None:
    answered = client.post("/v1/predict", **form(FILE % name + GREY))  # type: ignore[arg-type]
    assert answered.status_code == (400 if len(name) > 4096 else 200)
    assert "script" not in answered.text
    assert [path.name for path in service.folder.iterdir()] == ["lock"]


def test_more_files_than_one_request_may_have(client: httpx.Client) -> None:
    answered = client.post("/v1/predict", files=[("file", b"x")] * (FILES + 1))
    assert (answered.status_code, answered.json()["error"]) == (413, "serve.too_many")


@pytest.fixture
def slow(url: str, service: Service) -> Iterator[list[socket.socket]]:
    """As many uploads as there is room for, that stop half-way."""
    host, port = url.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port))) for _ in range(service.room.most)]
    for one in held:
        one.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
    yield held
    for one in held:
        one.close()


def test_where_there_is_no_room_the_next_is_told_to_come_again(
    client: httpx.Client, service: Service, slow: list[socket.socket]
) -> None:
    while service.room.taken < service.room.most:
        pass
    answered = client.post("/v1/predict", content=GREY, headers={"Accept-Language": "ko"})
    assert (answered.status_code, answered.json()["error"]) == (429, "serve.busy")
    assert int(answered.headers["retry-after"]) >= 1
    assert client.get("/health").status_code == 200
    for one in slow:  # the other side leaves, or its time is over
        one.close()
    while service.room.taken:
        pass
    assert client.post("/v1/predict", content=GREY).status_code == 200


def test_what_takes_too_long_is_given_up(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "seconds", 1e-4)
    answered = client.post("/v1/predict", content=GREY)
    assert (answered.status_code, answered.json()["error"]) == (503, "serve.too_long")
    monkeypatch.undo()
    assert client.post("/v1/predict", content=GREY).status_code == 200


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("sent", [{"content": bytes(300_000)}, {"files": [("file", bytes(300_000))]}])
def test_where_the_disk_refuses_a_file_that_is_told(
    client: httpx.Client, service: Service, sent: dict[str, Any], full_disk: None
) -> None:
    answered = client.post("/v1/predict", params={"lang": "ko"}, **sent)
    assert (answered.status_code, answered.json()["error"]) == (507, "serve.storage")
    assert answered.json()["message"] == "서버가 디스크에 쓸 수 없습니다: 파일이 너무 큽니다."
    assert [path.name for path in service.folder.iterdir()] == ["lock"]
    assert client.post("/v1/predict", content=GREY).json()["images"] == 1
