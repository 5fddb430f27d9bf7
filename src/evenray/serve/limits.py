"""How much may be sent, and how slowly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import Request
from starlette.types import Message, Receive

from .problems import Problem

__all__ = ["Limits", "Sent"]

CLOSE = {"Connection": "close"}  # what else was to be sent is not read


@dataclass(frozen=True)
class Limits:
    """The most that a request may send (bytes) and take to send it (seconds), and that all at once may send together."""

    bytes: int = 2**28
    seconds: float = 120.0
    together: int = 2**31


class Sent:
    """What the requests under way have sent, in bytes."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.total = limits, 0

    def of(self, request: Request, receive: Receive) -> Body:
        """The body of one request, to be closed when it is answered; Problem 413 where it says itself that it is too large."""
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self.limits.bytes:
            raise self.too_large()
        return Body(self, receive)

    def too_large(self) -> Problem:
        return Problem(413, "serve.too_large", CLOSE, most=f"{self.limits.bytes / 1e6:.0f} MB")


class Body:
    """What is received for one request, up to the limits."""

    def __init__(self, sent: Sent, receive: Receive) -> None:
        self.sent, self.receive = sent, receive
        self.bytes, self.whole = 0, False
        self.deadline = asyncio.get_running_loop().time() + sent.limits.seconds

    async def __call__(self) -> Message:
        if self.whole:  # only that the other side leaves is waited for
            return await self.receive()
        limits = self.sent.limits
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.receive()
        except TimeoutError:
            raise Problem(408, "serve.too_slow", CLOSE, seconds=f"{limits.seconds:.0f}") from None
        size = len(message.get("body", b""))
        self.bytes += size
        self.sent.total += size
        self.whole = not message.get("more_body", False)
        if self.bytes > limits.bytes:
            raise self.sent.too_large()
        if self.sent.total > limits.together:
            raise Problem(429, "serve.full", CLOSE | {"Retry-After": "5"}, most=f"{limits.together / 1e6:.0f} MB")
        return message

    def close(self) -> None:
        self.sent.total -= self.bytes
