"""Who may ask, from which page, and how much may be sent: checked before anything else sees a request.

The server listens on this machine alone unless it has a token. A page of another site may send requests to this machine
from its reader's browser, under its own name (cross-site requests) or under a name that it makes point here (DNS
rebinding): Host, Origin and Sec-Fetch-Site tell both. What browsers may do with the answers is said in their headers.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evenray.core.errors import UsageError

from .limits import Limits, Sent
from .problems import Problem, language_of, problem_of, response_of

__all__ = ["Access", "Guard", "loopback"]

COOKIE = "evenray_token"
OPEN = ("/health",)  # says only that the server lives; container engines and proxies ask for it
SAFE = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self';"
    " worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What an answer says unless its page says otherwise.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
log = logging.getLogger("evenray.serve")


@dataclass(frozen=True)
class Access:
    """Where the server listens and who may ask it. UsageError for an address other than this machine's own without a token.

    `names` are host names that it is reached by beside its addresses, such as that of a proxy before it.

    >>> Access("0.0.0.0")
    Traceback (most recent call last):
    ...
    evenray.core.errors.UsageError: The address 0.0.0.0 can be reached from other machines, and there is no token; give --token
    (a secret of 16 characters or more), or listen on 127.0.0.1.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.token is not None and (
            len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()
        ):
            raise UsageError("The token is too easy to guess; give 16 printable ASCII characters or more.")
        if self.token is None and not loopback(self.host):
            raise UsageError(
                f"The address {self.host} can be reached from other machines, and there is no token; give --token"
                " (a secret of 16 characters or more), or listen on 127.0.0.1."
            )

    def known(self, host: str) -> bool:
        """Whether a Host header names this server. Any address does where the server listens beyond this machine: only a
        name can be made to point elsewhere.

        >>> [Access().known(host) for host in ("127.0.0.1:8000", "localhost", "[::1]:80", "evil.example:8000", "192.0.2.1", "")]
        [True, True, True, False, False, False]
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if loopback(name) or name in (each.lower() for each in self.names):
            return True
        return not loopback(self.host) and _address(name) is not None

    def proven(self, request: Request) -> bool:
        """Whether a request brings the token, as a bearer or in the cookie that a page was given."""
        if self.token is None:
            return True
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        offered = bearer.strip() if kind.lower() == "bearer" else request.cookies.get(COOKIE, "")
        return self.matches(offered)

    def matches(self, offered: str) -> bool:
        return self.token is not None and hmac.compare_digest(offered.encode(errors="replace"), self.token.encode())


class Guard:
    """ASGI middleware around the whole application: refuses, limits what is sent, and sets headers.

    An error that nobody expected is answered without its text, which may name a file; the log has its type and place.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits) -> None:
        self.app, self.access, self.sent = app, access, Sent(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        try:
            self._check(request)
            if entered := self._entered(request):
                await entered(scope, receive, sent)
                return
            body = self.sent.of(request, receive)
            try:
                await self.app(scope, body, sent)
            finally:
                body.close()
        except ClientDisconnect:
            return  # nobody waits for an answer
        except Exception as error:
            problem = problem_of(error)
            if problem.status_code >= 500:
                log.error("failed", extra={"told": {"error": type(error).__name__, "where": _where(error)}})
            if begun:  # too late for another answer: the connection is cut, which the other side notices
                raise ConnectionAbortedError from None
            await response_of(problem, language_of(request))(scope, receive, sent)

    def _check(self, request: Request) -> None:
        headers = request.headers
        host = headers.get("host", "")
        if not self.access.known(host):
            raise Problem(403, "serve.host")
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        foreign = origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower())
        elsewhere = site not in ("none", "same-origin")
        if request.method not in SAFE and (foreign or elsewhere):
            raise Problem(403, "serve.origin")
        pictures_or_scripts = headers.get("sec-fetch-mode", "") != "navigate"
        if elsewhere and pictures_or_scripts:
            raise Problem(403, "serve.origin")
        if not (request.url.path in OPEN or self.access.proven(request) or self._offered(request)):
            raise Problem(401, "serve.token", {"WWW-Authenticate": "Bearer"})

    def _offered(self, request: Request) -> bool:
        """Whether a page is opened with the token in its address, as the command line prints it."""
        return request.method == "GET" and self.access.matches(request.query_params.get("token", ""))

    def _entered(self, request: Request) -> RedirectResponse | None:
        """A page that is opened with the token: the browser keeps that in a cookie, and loses it from the address."""
        if not self._offered(request):
            return None
        rest = urlencode([pair for pair in parse_qsl(request.url.query) if pair[0] != "token"])
        path = "/" + request.url.path.lstrip("/")  # two slashes would name another host
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        answer.set_cookie(COOKIE, self.access.token or "", httponly=True, samesite="strict")
        return answer


def loopback(host: str) -> bool:
    """Whether a host is this machine, reached from nowhere else.

    >>> [loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "localhost.evil.example")]
    [True, True, True, False, False]
    """
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _where(error: BaseException) -> str:
    """The innermost place of an error in the code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
