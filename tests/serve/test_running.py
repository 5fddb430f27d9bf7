"""The end of the server: answers under way are finished; whatever ends it leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import StreamingResponse

from evenray.core.errors import EvenrayError, UsageError
from evenray.serve.application import application
from evenray.serve.journal import JsonLines
from evenray.serve.running import bound, in_background, serve

# A server of one route, which says how many bytes were sent; without the networks it starts at once.
SCRIPT = """
from contextlib import asynccontextmanager
from fastapi import APIRouter, Request
from evenray.serve.application import application
from evenray.serve.running import serve
from evenray.serve.uploads import private_folder, received
router = APIRouter()
@asynccontextmanager
async def lifespan(app):
    with private_folder() as app.state.folder:
        yield
@router.post("/sizes")
async def sizes(request: Request) -> list[int]:
    async with received(request, request.app.state.folder) as paths:
        return [path.stat().st_size for path in paths]
serve(application("test", [router], lifespan=lifespan), "127.0.0.1", 0, ready=lambda url: print(url, flush=True))
"""


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A server whose temporary files go below a folder, and its address."""
    environment = os.environ | {"TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ended(process: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str]:
    process.send_signal(by)
    _, log = process.communicate(timeout=60)
    return process.returncode, log


def test_a_server_killed_during_an_upload_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path) -> None:
    process, url = started(tmp_path)
    connection = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])))
    connection.sendall(b"POST /sizes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + bytes(100_000))
    while not any(path.is_file() and path.stat().st_size for path in tmp_path.rglob("1")):
        time.sleep(0.01)
    [left] = tmp_path.glob("evenray-uploads-*")
    assert left.stat().st_mode & 0o077 == 0  # nobody else may look
    ended(process, signal.SIGKILL)
    connection.close()
    assert left.is_dir()
    process, url = started(tmp_path)
    second, second_url = started(tmp_path)  # one beside it does not take its folder away
    assert not left.exists()
    assert httpx.post(f"{url}/sizes", files=[("file", b"abc"), ("file", b"d")]).json() == [3, 1]
    assert httpx.post(f"{second_url}/sizes", content=b"abcd").json() == [4]
    code, log = ended(process, signal.SIGTERM)
    assert code == 0
    assert ended(second, signal.SIGINT)[0] == 0
    assert list(tmp_path.iterdir()) == []
    [line] = [json.loads(line) for line in log.splitlines()]
    assert line.keys() == {"time", "level", "event", "method", "route", "status", "ms", "bytes"}
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "POST", "/sizes", 200)


def test_answers_under_way_are_finished_and_streams_end() -> None:
    router, begun = APIRouter(), threading.Event()

    @router.get("/slow")
    async def slow() -> dict[str, bool]:
        begun.set()
        await asyncio.sleep(0.5)
        return {"finished": True}

    @router.get("/events")
    async def events(request: Request) -> StreamingResponse:
        async def told() -> object:
            yield "begun\n"
            await request.app.state.stopping.wait()
            yield "ended\n"

        return StreamingResponse(told())

    found: dict[str, httpx.Response] = {}
    with in_background(application("test", [router])) as url:
        asking = [
            threading.Thread(target=lambda path=path: found.update({path: httpx.get(url + path, timeout=30)}))
            for path in ("/slow", "/events")
        ]
        for thread in asking:
            thread.start()
        begun.wait()
    for thread in asking:
        thread.join()
    assert found["/slow"].json() == {"finished": True}
    assert found["/events"].text == "begun\nended\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/slow")


def test_a_port_that_is_taken_and_an_address_of_another_machine() -> None:
    with bound("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EvenrayError, match=rf"Cannot listen on 127\.0\.0\.1, port {port}: Address already"):
            bound("127.0.0.1", port)
    with pytest.raises(EvenrayError, match="Cannot listen on 192"):
        bound("192.0.2.1", 0)
    with pytest.raises(UsageError, match="is no address of this machine"):
        bound("no such host", 0)


def test_the_log_keeps_the_type_of_an_error_and_not_its_text() -> None:
    try:
        raise ValueError("/data/KIM_MINSU.dcm")
    except ValueError:
        record = logging.LogRecord(
            "uvicorn.error", logging.ERROR, "", 0, "Exception\nin /data/KIM", None, sys.exc_info()
        )
    line = json.loads(JsonLines().format(record))
    assert (line["event"], line["error"], line["level"]) == ("Exception", "ValueError", "error")


def test_small_answers_are_sent_at_once() -> None:
    """asyncio turns Nagle's algorithm off for sockets that say that they are TCP, and only for these."""
    found = []

    async def listen() -> None:
        async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with bound("127.0.0.1", 0) as listener:
            async with await asyncio.start_server(note, sock=listener):
                reader, writer = await asyncio.open_connection(*listener.getsockname())
                await reader.read()
                writer.close()

    asyncio.run(listen())
    assert found[0] != 0


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), EvenrayError("The models are gone."), RuntimeError()]
)
def test_a_server_that_cannot_start_fails_with_the_reason(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("evenray.serve", "uvicorn"):  # which the server's log is set for
        for part in ("handlers", "propagate", "level"):
            monkeypatch.setattr(logging.getLogger(name), part, getattr(logging.getLogger(name), part))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        raise error
        yield

    told = list[str]()
    with pytest.raises(type(error)) as raised:
        serve(application("test", [], lifespan=lifespan), "127.0.0.1", 0, ready=told.append)
    assert raised.value is error
    assert told == []
