"""The balance bench: one sick person among five hundred, what the remedies do, and what the user's own runs made of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from evenray.core.errors import DataError

from ..benches.balance import Seen, seen
from ..opened import opened as run_in
from ..opened import place_of
from ..rendering import rendered

router = APIRouter()


@router.get("/balance-bench", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    return rendered(request, "balance_bench")


@router.get("/balance-bench/runs")
def runs(request: Request) -> list[Seen]:
    """What the finished runs of the workplace made of their cases, the newest first; a damaged run is left out."""
    workplace, found = place_of(request), []
    for name in workplace.names:
        try:
            one = seen(run_in(workplace.folder(name)))
        except DataError:
            continue
        if one is not None:
            found.append(one)
    return found
