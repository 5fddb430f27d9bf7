"""The balance bench: one sick person among five hundred, what the remedies do, and what the user's own runs made of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from evenray.core.errors import DataError
from evenray.core.run import Run

from ..benches.balance import Seen, seen
from ..rendering import rendered

router = APIRouter()


@router.get("/balance-bench", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    return rendered(request, "balance_bench")


@router.get("/balance-bench/runs")
def runs(request: Request) -> list[Seen]:
    """What the finished runs of the workplace made of their cases, the newest first; a damaged run is left out."""
    workplace, found = request.app.state.workplace, []
    for name in workplace.names:
        try:
            one = seen(Run(workplace.folder(name)))
        except DataError:
            continue
        if one is not None:
            found.append(one)
    return found
