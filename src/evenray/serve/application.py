"""The FastAPI application that the REST service and the workbench are added to as routers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from evenray.core.errors import EvenrayError
from evenray.core.texts import LANGUAGES, Texts

from .journal import Journal
from .limits import Limits
from .problems import Refusal, language_of, problem_of, response_of
from .security import Access, Guard

__all__ = ["IN_ENGLISH", "Health", "application", "refused_with"]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
DESCRIPTION = "Research software, not a medical device. Nothing that is sent is stored."
IN_ENGLISH = Texts(LANGUAGES[0])


def refused_with(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The answers of a route that are no success, as OpenAPI has them; the body is the same."""
    return {s: {"model": Refusal, "description": IN_ENGLISH(f"serve.status.{s}")} for s in statuses}


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
        lifespan=lifespan, responses=refused_with(400, 401, 403, 404, 408, 413, 422, 429, 503, 507), redirect_slashes=False,
    )  # fmt: skip
    app.state.stopping = asyncio.Event()
    for error in (EvenrayError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _refused)
    app.add_api_route(
        "/health",
        _health,
        methods=["GET"],
        operation_id="health",
        description=IN_ENGLISH("serve.api.health"),
        response_model=Health,
    )
    for router in routers:
        app.include_router(router)
    app.add_middleware(Guard, access=access or Access(), limits=limits or Limits())
    app.add_middleware(Journal)
    return app


async def _health() -> Health:
    return Health()


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return response_of(problem_of(error), language_of(request))
