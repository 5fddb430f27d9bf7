"""Who may ask, from where, and how much: tried as an attacker would, on an application of two routes."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Request

from evenray.core.errors import UsageError
from evenray.serve import running
from evenray.serve.application import application
from evenray.serve.limits import Limits
from evenray.serve.problems import Problem
from evenray.serve.roots import Roots
from evenray.serve.running import in_background
from evenray.serve.security import Access

SECRET = "0123456789abcdef"


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/size")
    async def size(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/boom/{name}")
    async def boom(name: str) -> dict[str, int]:
        raise RuntimeError(f"{name} is secret")

    return router


@pytest.fixture(scope="module")
def open_url() -> Iterator[str]:
    with in_background(application("test", [routes()], Access(), Limits(1000, 1))) as url:
        yield url


@pytest.fixture(scope="module")
def token_url() -> Iterator[str]:
    access = Access(token=SECRET, names=("scans.hospital.example",))
    with in_background(application("test", [routes()], access)) as url:
        yield url


def raw(url: str, *pieces: bytes, wait: float = 5) -> bytes:
    """What comes back for bytes sent as they are."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        found = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
            while more := connection.recv(2**16):
                found += more
        return found


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.0.2.1", "", "[::", "a@b"]
)
@pytest.mark.parametrize("path", ["/health", "/size", "/openapi.json", "/nowhere"])
def test_a_name_that_was_made_to_point_here_is_refused(open_url: str, host: str, path: str) -> None:
    answered = httpx.get(open_url + path, headers={"Host": host})
    assert (answered.status_code, answered.json()["error"]) == (403, "serve.host")


def test_a_name_that_was_given_is_known(token_url: str) -> None:
    headers = {"Host": "SCANS.hospital.example:443", "Authorization": f"Bearer {SECRET}"}
    assert httpx.post(f"{token_url}/size", headers=headers).status_code == 200
    assert not Access().known("scans.hospital.example")
    assert Access("0.0.0.0", SECRET).known("192.0.2.1:8000")
    assert not Access("0.0.0.0", SECRET).known("evil.example")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_post_from_another_site_is_refused(open_url: str, headers: dict[str, str]) -> None:
    answered = httpx.post(f"{open_url}/size", content=b"x", headers=headers)
    assert (answered.status_code, answered.json()["error"]) == (403, "serve.origin")


def test_what_a_browser_sends_from_our_own_page_is_taken(open_url: str) -> None:
    own = {"Origin": open_url, "Sec-Fetch-Site": "same-origin"}
    assert httpx.post(f"{open_url}/size", content=b"x", headers=own).json() == {"bytes": 1}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(f"{open_url}/health", headers=link).status_code == 200
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert httpx.get(f"{open_url}/health", headers=picture).status_code == 403


def test_beyond_this_machine_a_token_is_needed() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(UsageError, match="there is no token"):
            Access(host)
    with pytest.raises(UsageError, match="too easy to guess"):
        Access(token="short")


def test_the_token_is_asked_for(token_url: str) -> None:
    size = f"{token_url}/size"
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": SECRET},
        {"Cookie": "evenray_token=wrong"},
    ):
        answered = httpx.post(size, headers=headers)
        assert (answered.status_code, answered.headers["www-authenticate"]) == (401, "Bearer")
    assert (
        httpx.post(size, params={"token": SECRET}).status_code == 401
    )  # addresses are logged; a page alone may bring it
    assert httpx.post(size, headers={"Authorization": f"bearer {SECRET}"}).status_code == 200
    assert httpx.get(f"{token_url}/health").status_code == 200
    assert httpx.get(f"{token_url}/openapi.json").status_code == 401


def test_a_browser_keeps_the_token_and_loses_it_from_the_address(token_url: str) -> None:
    with httpx.Client(base_url=token_url) as browser:
        entered = browser.get("/openapi.json", params={"token": SECRET, "lang": "ko"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/openapi.json?lang=ko")
        assert {"HttpOnly", "SameSite=strict"} <= set(entered.headers["set-cookie"].split("; "))
        assert browser.get("/openapi.json").status_code == 200
    elsewhere = httpx.get(f"{token_url}//evil.example/x", params={"token": SECRET})
    assert elsewhere.headers["location"] == "/evil.example/x"


def test_answers_say_what_browsers_may_do_with_them(open_url: str) -> None:
    for path in ("/health", "/nowhere", "/boom/x"):
        headers = httpx.get(open_url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_an_unexpected_error_is_told_without_its_text(open_url: str, caplog: pytest.LogCaptureFixture) -> None:
    answered = httpx.get(f"{open_url}/boom/KIM_MINSU", headers={"Accept-Language": "ko-KR,ko;q=0.9"})
    assert (answered.status_code, answered.json()["error"]) == (500, "serve.internal")
    assert "오류가 발생했습니다" in answered.json()["message"]
    assert "MINSU" not in answered.text + caplog.text
    [record] = [record for record in caplog.records if record.getMessage() == "failed"]
    assert record.told == {"error": "RuntimeError", "where": f"{__name__}:{boom_line()}"}  # type: ignore[attr-defined]


def boom_line() -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if "raise RuntimeError(f" in line)


def test_too_much_is_refused_however_it_is_declared(open_url: str) -> None:
    head = b"POST /size HTTP/1.1\r\nHost: localhost\r\n"
    declared = raw(open_url, head + b"Content-Length: 2000\r\n\r\n")  # refused before it is sent
    assert b" 413 " in declared
    assert b"serve.too_large" in declared
    chunk = b"200\r\n" + bytes(512) + b"\r\n"
    assert b" 413 " in raw(open_url, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk)
    assert httpx.post(f"{open_url}/size", content=bytes(1000)).json() == {"bytes": 1000}
    for wrong in (b"-1", b"x", b"9" * 40, b"1\r\nContent-Length: 2"):
        assert b" 200 " not in raw(open_url, head + b"Content-Length: " + wrong + b"\r\n\r\nx", wait=3)


def test_all_requests_together_may_send_only_so_much() -> None:
    with in_background(application("test", [routes()], Access(), Limits(1000, 20, together=1500))) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + bytes(900))
            while (answered := httpx.post(f"{url}/size", content=bytes(700))).status_code == 200:
                pass  # the other has not come yet
            assert (answered.status_code, answered.json()["error"]) == (429, "serve.full")
            assert httpx.post(f"{url}/size", content=bytes(500)).json() == {"bytes": 500}
        while (answered := httpx.post(f"{url}/size", content=bytes(1000))).status_code == 429:
            pass  # that the other has left is not known yet
        assert answered.json() == {"bytes": 1000}


def test_a_body_that_never_ends_is_not_waited_for(open_url: str) -> None:
    answered = raw(open_url, b"POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", b"12345")
    assert b" 408 " in answered
    assert b"serve.too_slow" in answered


def test_a_head_that_never_ends_is_not_waited_for(open_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "HEADER_SECONDS", 0.3)
    assert raw(open_url) == b""  # nothing at all is sent
    assert raw(open_url, b"GET /health HTTP/1.1\r\nHost: local") == b""
    again = raw(open_url, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")  # the second on one connection
    assert again.count(b"HTTP/1.1 200") == 1


def test_heads_that_are_no_http(open_url: str) -> None:
    long = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n"
    for head in (b"\x16\x03\x01\x00\xa5", b"GET /\r\n\r\n", b"GET /a b HTTP/1.1\r\n\r\n", long, b"\0" * 5000):
        answered = raw(open_url, head, wait=3)
        assert b" 200 " not in answered
    assert httpx.get(f"{open_url}/health").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/\\..\\etc",
        "/%00",
        "/health/../x",
        "/%ff",
    ],
)
def test_paths_lead_nowhere(open_url: str, path: str) -> None:
    answered = raw(open_url, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert answered.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"root:" not in answered


def test_roots_are_never_left(tmp_path: Path) -> None:
    for name in ("run/in/run", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "run" / "in" / "a.txt").touch()
    (tmp_path / "other" / "secret.txt").touch()
    (tmp_path / "run" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "run" / "circle").symlink_to(tmp_path / "run" / "circle")
    roots = Roots([tmp_path / "run", tmp_path / "run" / "in" / "run"])
    assert roots.path("run", "in/a.txt") == tmp_path / "run" / "in" / "a.txt"
    assert roots.path("run-2") == tmp_path / "run" / "in" / "run"
    assert roots.path("run", "in/../in/a.txt").is_file()
    outside = str(tmp_path / "other" / "secret.txt")
    for below in (
        "../other/secret.txt",
        outside,
        "out/secret.txt",
        "out",
        "in/../../other",
        "missing",
        "a\0b",
        "circle",
        "x" * 5000,
    ):
        with pytest.raises(Problem, match="404"):
            roots.path("run", below)
    with pytest.raises(Problem, match="404"):
        roots.path("../run")


def test_texts_that_were_sent_come_back_as_data(open_url: str) -> None:
    script = "<script>alert(1)</script>"
    for answered in (
        httpx.get(f"{open_url}/{script}"),
        httpx.get(
            f"{open_url}/health", params={"lang": script}, headers={"Accept-Language": script, "User-Agent": script}
        ),
        httpx.post(f"{open_url}/health", headers={"Content-Type": script}),
    ):
        assert answered.headers["content-type"] == "application/json"
        assert script not in answered.text + json.dumps(dict(answered.headers))
    injected = raw(
        open_url, b"GET /health?lang=a%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert b"set-cookie" not in injected.lower()
