"""The server's process: its port, its log, and an end at which answers under way are finished first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from evenray.core.errors import EvenrayError, UsageError

from .journal import JsonLines, log

__all__ = ["bound", "in_background", "serve"]

GRACE = 30  # seconds that answers under way have to finish
HEADER_SECONDS = 20  # that the head of a request may take to come
HEADER_BYTES = 2**15
CONNECTIONS = 256


class _Protocol(H11Protocol):
    """HTTP that waits for the head of a request no longer than it may take: uvicorn itself waits for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def handle_events(self) -> None:
        super().handle_events()
        if self._late is not None and self.cycle is not None and not self.cycle.response_complete:
            self._late.cancel()
            self._late = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._late = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._late is not None:
            self._late.cancel()

    def _hang_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class _Server(uvicorn.Server):
    """Tells the application's streams to end, and leaves the process to its caller when it has stopped. An application that
    fails while it starts or ends fails here, too: uvicorn itself only logs that."""

    failure: Exception | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        router = self.config.app.router  # type: ignore[union-attr]
        whole = router.lifespan_context

        @contextlib.asynccontextmanager
        async def noted(app: FastAPI) -> AsyncIterator[object]:
            try:
                async with whole(app) as state:
                    yield state
            except Exception as error:
                self.failure = error
                raise

        router.lifespan_context = noted
        try:
            await super().startup(sockets)
        except SystemExit:
            raise self.failure or EvenrayError("The server has not started; its log says why.") from None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        application = self.config.app
        assert isinstance(application, FastAPI)
        application.state.stopping.set()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()  # they asked for an end, and it has come


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; EvenrayError where the port is taken, UsageError where the address is not of this machine."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, OverflowError, UnicodeError):
        raise UsageError(f"The host '{host}' is no address of this machine; give one such as 127.0.0.1.") from None
    # Said to be TCP, or asyncio leaves Nagle's algorithm on: each small answer would then wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise EvenrayError(
            f"Cannot listen on {host}, port {port}: {reason}; give another port with --port (0 takes a free one)."
        ) from None
    return listener


def serve(app: FastAPI, host: str, port: int, *, ready: Callable[[str], None] = lambda url: None) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is called with the address once requests are answered.

    The log goes to standard error, a line of JSON a request. A second Ctrl-C ends without waiting.
    """
    listener = bound(host, port)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in ((log.name, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    with listener:
        server = _server(app)
        server_ready = threading.Thread(target=_tell, args=(server, _url(host, listener), ready), daemon=True)
        server_ready.start()
        server.run([listener])
        if server.failure is not None:
            raise server.failure


@contextlib.contextmanager
def in_background(app: FastAPI) -> Iterator[str]:
    """Serve on a free port of this machine from a thread, for tests and measurements; the value is the address."""
    with bound("127.0.0.1", 0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            thread.join(0.01)
            if not thread.is_alive():
                raise EvenrayError("The server has not started; its log says why.")
        try:
            yield _url("127.0.0.1", listener)
        finally:
            server.should_exit = True
            thread.join()


def _server(app: FastAPI) -> _Server:
    config = uvicorn.Config(
        app, http=_Protocol, ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=CONNECTIONS, h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=HEADER_SECONDS, timeout_graceful_shutdown=GRACE,
    )  # fmt: skip
    return _Server(config)


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _tell(server: _Server, url: str, ready: Callable[[str], None]) -> None:
    while not server.started:
        time.sleep(0.02)
        if server.should_exit:
            return
    ready(url)
