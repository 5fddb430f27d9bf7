"""The FastAPI application that the REST service and the workbench are added to as routers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from evenray.core.errors import EvenrayError

from .journal import Journal
from .problems import Refusal, language_of, problem_of, response_of
from .security import Access, Guard, Limits

__all__ = ["Health", "application"]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
DESCRIPTION = "Research software, not a medical device. Nothing that is sent is stored."
# What every route may answer; the body is the same.
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": told}
    for status, told in {
        400: "The request is malformed.",
        401: "The token is missing or wrong.",
        403: "Asked under another host name, or from another site's page.",
        404: "There is no such page, run or file.",
        408: "The body came too slowly.",
        413: "The body is too large.",
        422: "A value or file cannot be used; the message says why.",
    }.items()
}


class Health(BaseModel):
    """That the server lives."""

    status: str = "ok"


def application(
    title: str, routers: Sequence[APIRouter], access: Access | None = None, limits: Limits | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:  # fmt: skip
    """An application of some routers behind the guard; errors are JSON in English or Korean.

    `app.state.stopping` is an asyncio.Event that is set when the server is asked to stop: streams that would go on for ever
    end then. `/health` and `/openapi.json` are there already.
    """
    app = FastAPI(
        title=title, version=version("evenray"), description=DESCRIPTION, docs_url=None, redoc_url=None,
        lifespan=lifespan, responses=REFUSALS, redirect_slashes=False,
    )  # fmt: skip
    app.state.stopping = asyncio.Event()
    for error in (EvenrayError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _refused)
    app.add_api_route("/health", _health, methods=["GET"], summary="Whether the server lives", response_model=Health)
    for router in routers:
        app.include_router(router)
    app.add_middleware(Guard, access=access or Access(), limits=limits or Limits())
    app.add_middleware(Journal)
    return app


async def _health() -> Health:
    return Health()


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return response_of(problem_of(error), language_of(request))
