"""The workbench as an application: its pages, each a router, and the files that they load."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from evenray.serve.application import application
from evenray.serve.security import Access

from . import looking
from .helpers import Helpers
from .pages import PAGES, path_of
from .workplace import Workplace

__all__ = ["workbench"]

_start = APIRouter()


@_start.get("/", include_in_schema=False)
def start(request: Request) -> RedirectResponse:
    """The first page: the data where there are some, else the runs."""
    place: Workplace = request.app.state.workplace
    return RedirectResponse(path_of("data" if place.data or place.names else "runs"), 303)


def workbench(workplace: Workplace, access: Access | None = None) -> FastAPI:
    """The application of a workplace; `access` says who may ask it."""
    modules = [f"{__package__}.pages.{name}" for name in PAGES]
    routers: list[APIRouter] = [import_module(name).router for name in modules]
    app = application("evenray", [_start, looking.router, *routers], access, lifespan=Helpers().lifespan)
    app.state.workplace = workplace
    app.mount("/static", _Static(directory=str(files(__package__) / "static")))
    return app


class _Static(StaticFiles):
    """Files that browsers keep, and ask each time whether they have changed."""

    def file_response(self, *asked: Any, **how: Any) -> Response:
        answer = super().file_response(*asked, **how)
        answer.headers["Cache-Control"] = "no-cache"
        return answer
