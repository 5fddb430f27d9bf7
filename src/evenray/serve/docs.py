"""The page that documents the service: made from its OpenAPI description, with nothing from elsewhere and no script."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader

from evenray.core.texts import Texts

from .problems import language_of

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The documentation page."""
    language = language_of(request)
    openapi: dict[str, Any] = request.app.openapi()
    say = Texts(language)

    def put(key: str, otherwise: str) -> str:
        return say.texts.get(key, otherwise)

    operations = [
        (method.upper(), path, told) for path, methods in openapi["paths"].items() for method, told in methods.items()
    ]
    page = _templates().get_template("docs.html").render(
        openapi=openapi, operations=operations, say=say, put=put, language=language, shown=_shown,
        base=str(request.base_url).rstrip("/"),
    )  # fmt: skip
    return HTMLResponse(page)


@router.get("/docs.css")
async def style() -> Response:
    """The style of the page, which may hold none itself."""
    return Response(_templates().get_template("docs.css").render(), media_type="text/css")


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("evenray.serve"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def _shown(schema: dict[str, Any]) -> str:
    """A type in a few words.

    >>> _shown({"anyOf": [{"type": "number"}, {"type": "null"}]}), _shown({"type": "array", "items": {"$ref": "#/a/Box"}})
    ('number or null', 'list of Box')
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(map(_shown, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_shown(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
