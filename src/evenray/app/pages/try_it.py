"""The page Try it: new images through the network of a run."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.background import BackgroundTask

from evenray.serve.uploads import received

from ..helpers import helpers_of
from ..opened import place_of
from ..rendering import language_of, rendered
from ..trying import Tried, tried

router = APIRouter(include_in_schema=False)


@router.get("/try-it")
def page(request: Request, run: str | None = None) -> HTMLResponse:
    """The run that is asked for, else the one that the workbench was opened at, else the latest that can answer."""
    place = place_of(request)
    able = [name for name in place.names if (place.folder(name) / "scores.json").is_file()]
    wanted = [name for name in (run, place.opened) if name in able]
    name = next(iter([*wanted, *able]), None)
    answer = rendered(request, "try_it", runs=able, run=name, script={"run": name})
    if name is not None:  # the network is ready by the time that somebody has found a file
        answer.background = BackgroundTask(helpers_of(request).ready, place.folder(name))
    return answer


@router.post("/try-it/{run}")
async def predict(request: Request, run: str) -> Tried:
    """What the network says of one file: an image or DICOM, as the multipart field `file`. It is gone with the answer."""
    helpers, folder = helpers_of(request), place_of(request).folder(run)
    say = language_of(request)
    async with received(request, helpers.folder) as paths:
        return await asyncio.to_thread(tried, helpers, folder, paths, say)
