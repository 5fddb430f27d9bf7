"""Pages from templates: in the reader's language, with the navigation and the texts that the page's script shows."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from evenray.core.texts import LANGUAGES
from evenray.reporting.language import Language
from evenray.serve.problems import language_of as preferred

from .pages import PAGES, path_of

__all__ = ["language_of", "rendered"]

COOKIE = "evenray_language"


def language_of(request: Request) -> Language:
    """The language that the address asks for (?lang=ko), else the one chosen before, else the workbench's, else the browser's."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE), request.app.state.workplace.language)
    return Language(next((code for code in asked if code in LANGUAGES), preferred(request)))


def rendered(request: Request, page: str, **values: Any) -> HTMLResponse:
    """The page from its template, which sees `values` too; `values["script"]` is what its script gets as JSON."""
    say = language_of(request)
    texts = {
        key: text
        for key, text in say.texts.items()
        if key.startswith((f"app.{page}.", "app.frame.", "value.", "severity."))
    }
    html = _templates().get_template(f"{page}.html").render(
        say=say, page=page, pages=[(name, path_of(name)) for name in PAGES], languages=LANGUAGES,
        address=request.url.path, query={k: v for k, v in request.query_params.items() if k != "lang"},
        texts=texts, **{"script": {}, **values},
    )  # fmt: skip
    response = HTMLResponse(html)
    if request.query_params.get("lang") == say.code:
        response.set_cookie(COOKIE, say.code, max_age=365 * 86400, samesite="strict", httponly=True)
    return response


@cache
def _templates() -> Environment:
    loader = PackageLoader("evenray.app")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
