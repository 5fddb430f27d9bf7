"""The log: a line of JSON a request or event, with nothing in it that names a person, a file or a client."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import LATENCY, REQUESTS

__all__ = ["Journal", "JsonLines", "log"]

log = logging.getLogger("evenray.serve")


class JsonLines(logging.Formatter):
    """Records as JSON: their values are those of `extra={"told": {...}}`.

    Of an error that a library logs, its type is kept: its text may name a file.
    """

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "level": record.levelname.lower(), "event": record.getMessage().splitlines()[0][:200]}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line | getattr(record, "told", {}), ensure_ascii=True)


class Journal:
    """ASGI middleware: counts and logs requests by their route (`/v1/runs/{name}`, never the name asked for)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, sent, start = 0, 0, time.perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "-")
            method = scope["method"] if scope["method"] in METHODS else "-"
            REQUESTS.labels(method, route, str(status)).inc()
            LATENCY.labels(method, route).observe(seconds)
            told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 1), "bytes": sent}
            log.info("request", extra={"told": told})


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
