"""What a request is refused with: a code and a sentence in the reader's language, as JSON."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from evenray.core.artefacts import refusal
from evenray.core.errors import EvenrayError, ReadError, StorageError, UsageError
from evenray.core.memory import out_of_memory
from evenray.core.names import printable
from evenray.core.texts import LANGUAGES, Texts

__all__ = ["Problem", "Refusal", "language_of", "problem_of", "response_of"]

# Statuses that the framework raises itself.
CODES = {400: "serve.malformed", 404: "serve.unknown_page", 405: "serve.method"}


class Refusal(BaseModel):
    """The body of every answer that is not a success."""

    error: str = Field(description="A code that stays the same between versions, such as serve.too_large.")
    message: str = Field(description="A sentence in the language asked for by ?lang= or Accept-Language (en, ko).")


class Problem(HTTPException):
    """A refusal: its status, the code of its sentence in locales/*/serve.json, and the values of that.

    >>> problem = Problem(413, "serve.too_large", most="64 MB")
    >>> problem.status_code, problem.code
    (413, 'serve.too_large')
    """

    def __init__(self, status: int, code: str, headers: dict[str, str] | None = None, /, **values: Any) -> None:
        super().__init__(status, code, headers)
        self.code, self.values = code, values


def language_of(request: Request) -> str:
    """The language of an answer: ?lang= where it is one of ours, else the first of Accept-Language that is, else English."""
    if (asked := request.query_params.get("lang", "")) in LANGUAGES:
        return asked
    for choice in request.headers.get("accept-language", "").split(","):
        if (name := choice.split(";")[0].strip().split("-")[0].lower()) in LANGUAGES:
            return name
    return LANGUAGES[0]


def problem_of(error: Exception) -> Problem:
    """The refusal that an error of evenray, of the framework, or of the form of a request is answered with."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        code = CODES.get(error.status_code, "serve.refused")
        return Problem(error.status_code, code, dict(error.headers or {}), status=error.status_code)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return Problem(422, "serve.invalid", place=printable(place)[:200], reason=printable(first["msg"])[:200])
    if isinstance(error, ReadError):  # its path is the server's own
        return Problem(422, "serve.unreadable", reason=printable(error.reason))
    if isinstance(error, EvenrayError) and not isinstance(error, StorageError):
        status = 422 if isinstance(error, UsageError) else 409
        return Problem(status, "serve.failed", reason=printable(str(error)))
    if (why := refusal(error)) is not None:  # the error's own text has a path of the server's
        return Problem(507, "serve.storage", reason=why)
    if out_of_memory(error):
        return Problem(503, "serve.memory", {"Retry-After": "5"})
    return Problem(500, "serve.internal")


def response_of(problem: Problem, language: str) -> JSONResponse:
    """A refusal as it is sent."""
    say = Texts(language)
    values = {name: say.reason(value) if name == "reason" else value for name, value in problem.values.items()}
    told = Refusal(error=problem.code, message=say(problem.code, **values))
    return JSONResponse(told.model_dump(), problem.status_code, problem.headers)
