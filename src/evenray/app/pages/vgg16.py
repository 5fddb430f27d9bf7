"""VGG16 from inside: drawn to scale, a convolution by hand, feature maps, what a unit sees, and what a decision rests on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from evenray.core.errors import EvenrayError
from evenray.data.letterbox import letterbox

from ..benches.inside import ATTRIBUTIONS, Answer, Structure, Unit, network_of, offered, structure_of
from ..benches.pictures import pictures_of
from ..benches.table_7 import Errors, table_7
from ..opened import opened as run_in
from ..opened import place_of
from ..rendering import language_of, rendered

router = APIRouter()
BYTES = "application/octet-stream"
Key = Annotated[str, Query(max_length=500)]


class Covered(BaseModel):
    """An image of which some squares are covered."""

    model_config = ConfigDict(extra="forbid")

    of: str = Field(max_length=500)
    picture: str = Field(max_length=500)
    squares: tuple[Unit, ...] = Field(default=(), max_length=16)


@router.get("/vgg16", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    script = {
        "networks": offered(place_of(request)),
        "pictures": [asdict(one) for one in pictures_of(request).offered()],
        "attributions": ATTRIBUTIONS,
        "table7": _tables(request),
    }
    return rendered(request, "vgg16", script=script)


@router.get("/vgg16/network")
def network(request: Request, of: Key) -> Structure:
    """The layers of a network."""
    return structure_of("vgg16") if of == "vgg16" else network_of(place_of(request), of).structure


@router.get("/vgg16/input", response_class=Response)
def entering(request: Request, of: Key, picture: Key) -> Response:
    """The image as the network takes it: grey, a byte a pixel, row by row. X-Size has its side."""
    if of == "vgg16":
        pixels = _published_input(request, picture)
    else:
        x_NCHW = network_of(place_of(request), of).entering(pictures_of(request).image(picture))
        pixels = np.rint(x_NCHW[0].mean(0) * 255).astype(np.uint8)
    return Response(pixels.tobytes(), media_type=BYTES, headers={"X-Size": str(pixels.shape[0])})


@router.get("/vgg16/maps", response_class=Response)
def maps(request: Request, of: Key, picture: Key, layer: Key) -> Response:
    """The feature maps of a layer, a byte a pixel, map by map; before them
    what is known of them as JSON, and before that its length in four bytes (little-endian)."""
    found = network_of(place_of(request), of).maps(pictures_of(request).image(picture), layer)
    told = {
        "shape": found.maps.shape, "channels": found.channels, "peaks": [round(one, 4) for one in found.peaks],
        "total": found.total, "silent": found.silent,
    }  # fmt: skip
    head = json.dumps(told | {"filters": found.filters}).encode()
    return Response(len(head).to_bytes(4, "little") + head + found.maps.tobytes(), media_type=BYTES)


@router.post("/vgg16/answer")
def answer(request: Request, asked: Covered) -> Answer:
    """What the model of a run says of an image of which some squares are covered."""
    return network_of(place_of(request), asked.of).answer(pictures_of(request).image(asked.picture), asked.squares)


@router.get("/vgg16/attribution", response_class=Response)
def attribution(request: Request, of: Key, picture: Key, method: Key, target: Key) -> Response:
    """How much each pixel spoke for a class, a byte a pixel, row by row."""
    found = network_of(place_of(request), of).attribution(pictures_of(request).image(picture), method, target)
    return Response(found.tobytes(), media_type=BYTES)


def _published_input(request: Request, picture: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An image at the size of the published network."""
    return letterbox(pictures_of(request).image(picture), 224, 1, 255)[0].astype(np.uint8)


def _tables(request: Request) -> dict[str, list[dict[str, object]]]:
    """Table 7 of the paper (""), and as it stands in the runs that have one, by their names."""
    workplace, found = place_of(request), {"": _told(request, table_7(None))}
    for name in workplace.names:
        try:
            run = run_in(workplace.folder(name))
            if run.table7 is not None:
                found[name] = _told(request, table_7(run))
        except EvenrayError:
            continue
    return found


def _told(request: Request, rows: list[Errors]) -> list[dict[str, object]]:
    """Rows with their nets and evaluation in words."""
    say = language_of(request)

    def words(row: Errors) -> str:
        key = f"table7.evaluation.{row.evaluation}"
        return f"{say('table7.nets', nets=row.nets)}, {say(key) if key in say.texts else row.evaluation}"

    return [asdict(row) | {"words": words(row)} for row in rows]
