"""The light bench: what contrast methods make of an image, while a slider moves."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from evenray.core.errors import UsageError
from evenray.images.histogram import Histogram
from evenray.serve.uploads import received

from ..benches.copies import Copies, begin, source_of, state_of
from ..benches.damage import Damage, levels_of
from ..benches.light import Mended, Table, curve_of, frequencies, mended, pixels_of, slides_values
from ..benches.methods import methods
from ..benches.pictures import Offered, Plate, pictures_of
from ..helpers import helpers_of
from ..opened import place_of
from ..rendering import rendered

router = APIRouter()
BYTES = "application/octet-stream"


class Shown(BaseModel):
    """An image as it is shown: its key, and what spoils it."""

    model_config = ConfigDict(extra="forbid")

    picture: str = Field(max_length=500)
    damage: Damage = Damage()


class Look(Shown):
    """An image under a spec."""

    spec: str = Field(max_length=10_000)


class Binned(BaseModel):
    """Bins of a width over the grey levels of an image, or where there is none over the values of the slides."""

    model_config = ConfigDict(extra="forbid")

    shown: Shown | None = None
    width: float = Field(gt=0, allow_inf_nan=False)
    start: float | None = Field(default=None, allow_inf_nan=False)


@router.get("/light-bench", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    script = {
        "methods": [asdict(one) for one in methods()],
        "pictures": [asdict(one) for one in pictures_of(request).offered()],
        "copies": source_of(place_of(request)) is not None,
    }
    return rendered(request, "light_bench", script=script)


@router.get("/light-bench/pixels", response_class=Response)
def pixels(request: Request, picture: Annotated[str, Query(max_length=500)], damage: str = "{}") -> Response:
    """The grey levels of an image, 0 to n - 1, row by row, in one byte each or in two (little-endian), and behind them where there
    is a mask a byte a pixel: 1 where data is. The header X-Picture has height, width, n, the range, and whether there is a mask."""
    plate = pictures_of(request).plate(picture, _damage(damage))
    height, width = plate.levels.shape
    told = {
        "height": height, "width": width, "levels": plate.number, "low": plate.image.value_range[0],
        "high": plate.image.value_range[1], "masked": plate.there is not None, "bits": plate.levels.itemsize * 8,
    }  # fmt: skip
    mask = b"" if plate.there is None else plate.there.astype(np.uint8).tobytes()
    return Response(_bytes(plate.levels) + mask, media_type=BYTES, headers={"X-Picture": json.dumps(told)})


@router.post("/light-bench/look", response_class=Response)
def look(request: Request, asked: Look) -> Response:
    """An image under a spec: where that is a curve its values, float32 (little-endian), 4,096 at most; else the pixels, as
    /light-bench/pixels has them. The header X-Kind says curve or pixels."""
    plate = _plate(request, asked)
    values = curve_of(asked.spec, plate.histogram)
    if values is not None:
        return Response(values.astype("<f4").tobytes(), media_type=BYTES, headers={"X-Kind": "curve"})
    levels, _, _ = levels_of(pixels_of(asked.spec, plate.image))
    return Response(_bytes(levels), media_type=BYTES, headers={"X-Kind": "pixels"})


@router.post("/light-bench/frequencies")
def table(request: Request, asked: Binned) -> Table:
    """The frequency table of an image, or of the values of the slides."""
    if asked.shown is None:
        return frequencies(SLIDES, asked.width, -3.5 if asked.start is None else asked.start)
    return frequencies(_plate(request, asked.shown).histogram, asked.width, asked.start)


@router.post("/light-bench/mending")
def mending(request: Request, asked: Shown) -> list[Mended]:
    """How far methods bring a damaged image back."""
    return mended(pictures_of(request).plate(asked.picture).image, asked.damage)


@router.post("/light-bench/picture")
async def keep(request: Request) -> Offered:
    """Look at an image of one's own: it is kept in memory alone, until some others have come."""
    async with received(request, helpers_of(request).folder) as paths:
        return await run_in_threadpool(pictures_of(request).keep, paths[0])


class Method(BaseModel):
    """A spec to make copies with."""

    model_config = ConfigDict(extra="forbid")

    spec: str = Field(max_length=10_000)


@router.post("/light-bench/copies")
def copy(request: Request, asked: Method) -> Copies:
    """Make copies of all images with a contrast, as `evenray enhance` does, in a new folder beside the runs."""
    return begin(place_of(request), asked.spec)


@router.get("/light-bench/copies/{name}")
def copies(request: Request, name: str) -> Copies:
    """How copies stand."""
    return state_of(place_of(request), name)


SLIDES = Histogram.of_values(slides_values(), width=0.01, start=-3.505, resolution=0.01)


def _plate(request: Request, shown: Shown) -> Plate:
    return pictures_of(request).plate(shown.picture, shown.damage)


def _damage(text: str) -> Damage:
    try:
        return Damage.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"damage is {text[:200]!r}: {error.errors()[0]['msg']}.") from None


def _bytes(levels: np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]]) -> bytes:
    return levels.astype(levels.dtype.newbyteorder("<"), copy=False).tobytes()
