"""The page Data: the images of a run, what their table was taken to mean, and what the audit found."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from evenray.core.understood import Understood
from evenray.data.tables.meanings import MEANINGS
from evenray.images.ct_windows import CT_WINDOWS
from evenray.serve.problems import Problem
from evenray.verbs.understand import understand

from ..cases import Cases, FindingRows, GreyLevels, cases_of, finding_rows, grey_levels
from ..exclusions import exclude, excluded, proposed
from ..jobs import state_of
from ..opened import dataset_of, place_of, run_of
from ..progress import Follower
from ..rendering import language_of, rendered
from ..scanning import TRAINED, read_again, read_first

router = APIRouter(include_in_schema=False)
AT_ONCE = 512  # thumbnails
SIDE = 32
Columns = Annotated[list[str], Field(max_length=500)]


class Found(BaseModel):
    """What the audit found; `excluded` and `proposed` are cases with the reasons why they are left out."""

    findings: list[FindingRows]
    excluded: dict[str, str]
    proposed: dict[str, str]


class Meanings(BaseModel):
    """What columns mean: `--column` texts."""

    column: Columns


class Exclusions(BaseModel):
    excluded: dict[str, str]


class Named(BaseModel):
    """The run that does what was asked."""

    run: str


@router.get("/data")
def page(request: Request, run: str | None = None) -> HTMLResponse:
    """The run that is asked for, else the one that the workbench was opened at, else images not yet read, else the latest."""
    place = place_of(request)
    fresh = place.data is not None and run is None
    name = None if fresh else run or place.opened or next(iter(place.names), None)
    data = place.data.name if place.data else None
    script: dict[str, Any] = {"run": name, "meanings": MEANINGS, "data": data, "windows": CT_WINDOWS}
    if name is not None:
        found = run_of(request, name)
        seen = Follower(found.path, language_of(request)).look()
        reading = seen.state == "running" and any(s.at != "done" for s in seen.stages if s.name in ("scan", "audit"))
        script |= {
            "scanned": found.findings is not None and not reading,
            "trained": bool(TRAINED & set(found.ledger.stages)),
        }
        script |= {"column": found.recipe.column if found.recipe else ()}
    return rendered(request, "data", runs=place.names, run=name, data=data, script=script)


@router.get("/data/understood")
def understood(request: Request, column: Annotated[list[str] | None, Query()] = None) -> Understood:
    """What the columns of the images that the workbench was given would be taken to mean."""
    data = place_of(request).data
    if data is None:
        raise Problem(404, "serve.unknown_path")
    return understand(str(data), column=column or ()).kept()


@router.post("/data/read")
def read(request: Request, meanings: Meanings) -> Named:
    """Read the images that the workbench was given, and audit them."""
    return Named(run=read_first(place_of(request), meanings.column))


@router.get("/data/{run}/cases", response_model=Cases)
def cases(request: Request, run: str) -> Response:
    found = cases_of(run_of(request, run), dataset_of(request, run))
    return Response(found.model_dump_json(), media_type="application/json")


@router.get("/data/{run}/thumbnails")
def thumbnails(request: Request, run: str, rows: str) -> Response:
    """The thumbnails of some cases, 32 x 32 bytes each, from the sketches that the scan left: nothing is decoded."""
    dataset = dataset_of(request, run)
    try:
        numbers = np.array([int(row) for row in rows.split(",")], np.int64)
    except (ValueError, OverflowError):
        raise Problem(422, "app.rows") from None
    if len(numbers) > AT_ONCE or not 0 <= numbers.min() <= numbers.max() < len(dataset):
        raise Problem(422, "app.rows")
    if not dataset.has_sketch("thumbnail"):
        raise Problem(404, "serve.unknown_path")
    content = np.ascontiguousarray(dataset.sketch("thumbnail", numbers), np.uint8).tobytes()
    return Response(content, media_type="application/octet-stream")


@router.get("/data/{run}/grey-levels")
def levels(request: Request, run: str) -> GreyLevels | None:
    return grey_levels(dataset_of(request, run))


@router.get("/data/{run}/findings")
def findings(request: Request, run: str) -> Found:
    found, dataset, say = run_of(request, run), dataset_of(request, run), language_of(request)
    return Found(
        findings=finding_rows(found.findings or [], dataset, say), excluded=excluded(found, dataset),
        proposed=proposed(found, dataset, say.code),
    )  # fmt: skip


@router.put("/data/{run}/exclusions")
def leave_out(request: Request, run: str, asked: Exclusions) -> Exclusions:
    """Leave cases out from the next time that the run is taken up."""
    found, dataset = run_of(request, run), dataset_of(request, run)
    if state_of(found.path) == "running":
        raise Problem(409, "app.running")
    exclude(found, dataset, asked.excluded)
    return asked


@router.get("/data/{run}/understood")
def meant(request: Request, run: str) -> Understood | None:
    """What the columns of a run were taken to mean."""
    return dataset_of(request, run).facts.understood


@router.post("/data/{run}/read")
def reread(request: Request, run: str, meanings: Meanings) -> Named:
    """Read the images again with other meanings of their columns; a run that has trained stays, and another is made."""
    return Named(run=read_again(place_of(request), run_of(request, run), meanings.column))
