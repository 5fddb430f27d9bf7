"""The routes of the REST service, and the application of `evenray serve`."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from evenray.core.errors import UsageError
from evenray.core.texts import Texts
from evenray.images.ct_windows import CT_WINDOWS

from .answering import answer
from .application import IN_ENGLISH, application
from .docs import router as docs
from .forms import Counts, ModelDetails, Predicted, RunSummary
from .light import counted, enhanced
from .limits import Limits
from .metrics import exposed
from .models import Loaded
from .pacs.loop import Pacs
from .pacs.routes import router as pacs_routes
from .problems import language_of
from .security import Access
from .service import Service, service_of

__all__ = ["rest_application", "router"]

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}},
                    "required": ["file"],
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}  # fmt: skip
Name = Annotated[str | None, Query(description=IN_ENGLISH("serve.parameter.model"))]
Lang = Annotated[str | None, Query(description=IN_ENGLISH("serve.parameter.lang"))]
Window = Annotated[
    str,
    Query(
        description=IN_ENGLISH("serve.parameter.window"),
        json_schema_extra={"enum": ["header", "none", *CT_WINDOWS]},
        max_length=40,
    ),
]


def _told(name: str) -> dict[str, Any]:
    """What OpenAPI says of a route; the page of documentation says it in the reader's language by the same name."""
    return {"operation_id": name, "description": IN_ENGLISH(f"serve.api.{name}")}


router = APIRouter(prefix="/v1")
beside = APIRouter()


@router.post("/predict", **_told("predict"), response_model=Predicted, openapi_extra=BODY)
async def predict(
    request: Request,
    model: Name = None,
    prevalence: Annotated[
        str | None,
        Query(
            description=IN_ENGLISH("serve.parameter.prevalence"),
            max_length=4096,
        ),
    ] = None,
    lang: Lang = None,
) -> Response:
    """What `evenray predict` says of the files."""
    service = service_of(request)
    loaded, asked = service.models.get(model), _prevalence(prevalence)
    say = Texts(language_of(request))

    def job(paths: Sequence[Path], given_up: threading.Event) -> Predicted:
        return answer(loaded, paths, service.decoders, say, asked, given_up)

    return _json(await service.worked(request, job))


@router.post(
    "/enhance",
    **_told("enhance"),
    response_class=Response,
    openapi_extra=BODY,
    responses={200: {"content": {"image/png": {}}, "description": IN_ENGLISH("serve.status.200")}},
)
async def enhance(
    request: Request,
    method: Annotated[
        str,
        Query(
            description=IN_ENGLISH("serve.parameter.method"),
            max_length=1000,
        ),
    ],
    window: Window = "header",
    fragment: Annotated[str | None, Query(description=IN_ENGLISH("serve.parameter.fragment"), max_length=200)] = None,
    lang: Lang = None,
) -> Response:
    """What `evenray enhance` makes of the first file."""
    service = service_of(request)

    def job(paths: Sequence[Path], given_up: threading.Event) -> bytes:
        return enhanced(paths[0], method, window, fragment, service.decoders.until(given_up))

    return Response(await service.worked(request, job), media_type="image/png")


@router.post("/histogram", **_told("histogram"), response_model=Counts, openapi_extra=BODY)
async def histogram(
    request: Request,
    bins: Annotated[int | None, Query(description=IN_ENGLISH("serve.parameter.bins"), ge=1, le=4096)] = None,
    window: Window = "header",
    lang: Lang = None,
) -> Response:
    """What `evenray histogram` counts of the files."""
    service, language = service_of(request), language_of(request)

    def job(paths: Sequence[Path], given_up: threading.Event) -> Counts:
        return counted(paths, bins, window, language, service.decoders.until(given_up))

    return _json(await service.worked(request, job))


@router.get("/model", **_told("model"), response_model=ModelDetails)
async def model(request: Request, model: Name = None, lang: Lang = None) -> Response:
    """What a model is: its classes, network and operating point, and how it was loaded."""
    loaded = service_of(request).models.get(model)
    return _json(_details(loaded, Texts(language_of(request))("serve.notice")))


@router.get("/runs", **_told("runs"), response_model=list[RunSummary])
async def runs(request: Request) -> list[RunSummary]:
    """The models that are served, each with the figures of its test part."""
    return [_summary(loaded) for loaded in service_of(request).models.loaded.values()]


@beside.get(
    "/metrics",
    **_told("metrics"),
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics() -> Response:
    """Counts and times for Prometheus."""
    return Response(exposed(), media_type=CONTENT_TYPE_LATEST)


def rest_application(service: Service, access: Access, limits: Limits, pacs: Pacs | None = None) -> FastAPI:
    """The application of `evenray serve`, with a PACS whose studies it answers."""
    routers = [router, beside, docs, *([pacs_routes] if pacs else [])]
    lifespan = partial(pacs.lifespan, service) if pacs else service.lifespan
    app = application("evenray", routers, access, limits, lifespan)
    app.add_api_route("/", _first_page, methods=["GET"], include_in_schema=False, response_model=None)
    return app


async def _first_page() -> RedirectResponse:
    return RedirectResponse("docs", 307)


def _json(answered: BaseModel) -> Response:
    """What was set, as JSON; numbers that are none as null."""
    return Response(answered.model_dump_json(exclude_unset=True), media_type="application/json")


def _prevalence(text: str | None) -> float | Mapping[str, float] | None:
    """
    >>> _prevalence("0.01"), _prevalence('{"sick": 0.01, "healthy": 0.99}')
    (0.01, {'sick': 0.01, 'healthy': 0.99})
    """
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    numbers = list(found.values()) if isinstance(found, dict) else [found]
    if not numbers or not all(type(n) in (int, float) and 0 <= n <= 1 for n in numbers):
        raise UsageError(
            f"prevalence is '{text:.80}'; give a share such as 0.01, or a JSON object of one for each class."
        )
    return {name: float(n) for name, n in found.items()} if isinstance(found, dict) else float(numbers[0])


def _details(loaded: Loaded, notice: str) -> ModelDetails:
    model, about = loaded.model, loaded.model.about
    return ModelDetails(
        notice=notice, name=loaded.name, since=loaded.since, problem=loaded.problem, task=about.task,
        classes=list(about.classes), positive=about.positive,
        threshold=[point.threshold for point in about.points] or about.threshold, rule=about.rule,
        prevalence=about.given.tolist(), contrast=about.contrast, balance=about.balance, network=about.network.named,
        side=about.side, channels=about.channels, view=about.view, weights=about.weights, engine=model.engine,
        precision=model.precision, device=model.device, batch=model.batch,
        training_images=dict(zip(about.classes, about.counts, strict=True)),
        false_flags=None if about.training_images is None else about.training_images.false_flags,
    )  # fmt: skip


def _summary(loaded: Loaded) -> RunSummary:
    about = loaded.model.about
    return RunSummary(
        name=loaded.name, task=about.task, classes=list(about.classes), contrast=about.contrast, balance=about.balance,
        network=about.network.named, test=loaded.test,
    )  # fmt: skip
