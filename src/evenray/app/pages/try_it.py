"""."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ..rendering import rendered

router = APIRouter()


@router.get("/try-it", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    return rendered(request, "try_it")
