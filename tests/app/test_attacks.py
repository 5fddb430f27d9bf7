"""Other sites' pages, slow and oversized uploads: refused at every route of the workbench that changes or takes something."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from evenray.app import looking
from evenray.app.jobs import state_of
from evenray.app.pages import PAGES
from evenray.app.workbench import workbench
from evenray.app.workplace import Workplace
from evenray.serve.limits import Limits
from evenray.serve.running import in_background

FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
]
NAMES = {"run": "one", "name": "1-two"}
NEW = {"like": "one", "name": "three", "settings": {}}


def changing() -> list[tuple[str, str, bool]]:
    """Method, path, and whether a body is read, of every route that is more than looked at."""
    routers = [import_module(f"evenray.app.pages.{name}").router for name in PAGES] + [looking.router]
    found = []
    for route in (route for router in routers for route in router.routes):
        for method in route.methods - {"GET", "HEAD", "OPTIONS"}:
            path = route.path.format(**{name: NAMES.get(name, "x") for name in route.param_convertors})
            reads = route.body_field is not None or "received(" in inspect.getsource(route.endpoint)
            found.append((method, path, reads))
    return sorted(found)


@pytest.fixture(scope="module")
def shelf(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and one that was deleted."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(finished_run, folder / "one")
    shutil.copytree(finished_run, folder / ".deleted" / "1-two")
    return folder


@pytest.fixture(scope="module")
def attacked(shelf: Path) -> Iterator[str]:
    """A workbench that takes requests of 10 kB and waits a second for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evenray.serve.application.Limits", lambda: Limits(10_000, 1))
        with in_background(workbench(Workplace.of(shelf))) as url:
            yield url


def stands(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_the_routes_are_those_that_are_known() -> None:
    known = {(method, path.split("/")[1]) for method, path, _ in changing()}
    assert {("POST", "runs"), ("DELETE", "runs"), ("POST", "data"), ("PUT", "data"), ("POST", "try-it")} <= known
    assert sum(reads for _, _, reads in changing()) >= 10


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_change_nothing(attacked: str, shelf: Path, headers: dict[str, str]) -> None:
    before = stands(shelf)
    with httpx.Client(base_url=attacked) as client:
        for method, path, _ in changing():
            body = NEW if path == "/runs/new" else {}
            answered = client.request(method, path, json=body, headers=headers)
            assert (path, answered.status_code, answered.json()["error"]) == (path, 403, "serve.origin")
            form = client.request(method, path, data={"a": "b"}, headers=headers | {"Host": "evil.example"})
            assert (path, form.status_code, form.json()["error"]) == (path, 403, "serve.host")
    assert stands(shelf) == before
    assert state_of(shelf / "one") == "done"


def test_what_comes_too_slowly_or_is_too_much_is_refused(attacked: str, shelf: Path) -> None:
    before, (host, port) = stands(shelf), attacked.removeprefix("http://").split(":")
    reading = [(method, path) for method, path, reads in changing() if reads]

    def sent(method: str, path: str, length: int, content: bytes) -> socket.socket:
        connection = socket.create_connection((host, int(port)), timeout=5)
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode() + content)
        return connection

    def answer(connection: socket.socket) -> bytes:
        found = b""
        with contextlib.suppress(TimeoutError):
            while more := connection.recv(2**16):
                found += more
        return found

    with ExitStack() as closed:
        slow, large = (
            [closed.enter_context(sent(*route, length, content)) for route in reading]
            for length, content in ((100, b'{"like": '), (10_001, b""))
        )
        for route, one in zip(reading, map(answer, large), strict=True):
            assert (route, b" 413 " in one, b"serve.too_large" in one) == (route, True, True)
        for route, one in zip(reading, map(answer, slow), strict=True):
            assert (route, b" 408 " in one, b"serve.too_slow" in one) == (route, True, True)
    assert stands(shelf) == before
