"""The page Runs: a form made from the recipe, jobs as they go, runs side by side, and deletion that can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from pydantic import BaseModel

from evenray.serve.problems import Problem
from evenray.verbs.compare_runs import compare_runs

from ..jobs import start, state_of, stop
from ..opened import opened, place_of, run_of
from ..progress import Follower
from ..recipes import Field, fields_of
from ..rendering import language_of, rendered
from ..shelf import Beginning, Compared, Given, RunCard, begin, card_of, compared, data_of, delete, deleted, restore

router = APIRouter(include_in_schema=False)
EVERY = 0.4  # seconds between looks at a job
# A report is one file with scripts of its own, and may come from anywhere: it runs apart from the pages of the workbench.
REPORT = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:;"
    " sandbox allow-scripts"
)


class Form(BaseModel):
    """What a new run can be of, and its settings."""

    data: list[Given]
    fields: list[Field]


class Shelf(BaseModel):
    """The runs, and those deleted that can be put back."""

    runs: list[RunCard]
    deleted: list[str]


class Named(BaseModel):
    run: str


@router.get("/runs")
def page(request: Request) -> HTMLResponse:
    return rendered(request, "runs")


@router.get("/runs/list")
def listed(request: Request) -> Shelf:
    place, say = place_of(request), language_of(request)
    return Shelf(runs=[card_of(place.folder(name), say) for name in place.names], deleted=deleted(place))


@router.get("/runs/form")
def form(request: Request, like: str | None = None) -> Form:
    """The form of a new run, filled in like another one."""
    base = None if like is None else run_of(request, like).recipe
    return Form(data=data_of(place_of(request)), fields=fields_of(language_of(request), base))


@router.post("/runs/new")
def new(request: Request, asked: Beginning) -> Named:
    """Make a run of what was filled in, and begin it. UsageError names what is wrong with which setting."""
    folder = begin(place_of(request), asked)
    start(folder, "run", ("--lang", language_of(request).code))
    return Named(run=folder.name)


@router.get("/runs/compared")
def paired(request: Request, run: Annotated[list[str], Query()], metric: str | None = None) -> Compared:
    """Runs on the same cases: their paired differences to the first."""
    place = place_of(request)
    return compared(compare_runs([place.folder(name) for name in run], metric=metric or None), language_of(request))


@router.post("/runs/{run}/start")
def resume(request: Request, run: str) -> RunCard:
    folder, say = place_of(request).folder(run), language_of(request)
    start(folder, "run", ("--lang", say.code))
    return card_of(folder, say)


@router.post("/runs/{run}/stop")
def end(request: Request, run: str) -> RunCard:
    folder = place_of(request).folder(run)
    stop(folder)
    return card_of(folder, language_of(request))


@router.delete("/runs/{run}")
def remove(request: Request, run: str) -> Named:
    """Put a run aside; it can be put back. Problem 409 while somebody works in it."""
    place = place_of(request)
    if state_of(place.folder(run)) == "running":
        raise Problem(409, "app.running")
    return Named(run=delete(place, run))


@router.post("/runs/deleted/{name}/restore")
def put_back(request: Request, name: str) -> Named:
    return Named(run=restore(place_of(request), name))


@router.get("/runs/{run}/report")
def report(request: Request, run: str) -> Response:
    path = opened(place_of(request).folder(run)).report
    if path is None:
        raise Problem(404, "serve.unknown_path")
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": REPORT})


@router.get("/runs/{run}/events")
async def events(request: Request, run: str) -> StreamingResponse:
    """How the job of a run goes, whenever something has changed; server-sent events."""
    follower = Follower(place_of(request).folder(run), language_of(request))

    async def told() -> AsyncIterator[str]:
        last: Any = None
        while not request.app.state.stopping.is_set() and not await request.is_disconnected():
            now = await asyncio.to_thread(follower.look)
            if now != last:
                last = now
                yield f"data: {now.model_dump_json()}\n\n"
            await asyncio.sleep(EVERY)

    return StreamingResponse(told(), media_type="text/event-stream")
