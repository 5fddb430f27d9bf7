"""One case: its pixels, what is marked in it and what was called, and where the network looked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import polars as pl
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel

from evenray.core.names import as_path
from evenray.core.run import Run
from evenray.core.texts import Texts
from evenray.core.types import Dataset, Image
from evenray.data.annotations import read_mask
from evenray.data.annotations.reading import clean_boxes
from evenray.metrics.boxes import found_boxes
from evenray.serve.problems import Problem

from .attributing import looked
from .decoding import Wanted
from .helpers import helpers_of
from .opened import dataset_of, inside, place_of, run_of
from .pixels import pixels_response
from .rendering import language_of

__all__ = ["router"]

router = APIRouter(prefix="/cases", include_in_schema=False)
FACTS = ("modality", "view", "format", "photometric", "sex", "age_band", "spacing_row", "spacing_column")


class Box(BaseModel):
    """A box in pixels of the image; `score` is the probability of a called one."""

    label: int
    corners: tuple[float, float, float, float]
    score: float | None = None


class CaseAbout(BaseModel):
    """What is shown beside the pixels of a case."""

    case: str
    facts: dict[str, str | float]
    findings: list[str]
    mask: bool
    called_mask: bool
    boxes: list[Box]
    called_boxes: list[Box]
    attribution: bool


@router.get("/{run}/{row}")
def about(request: Request, run: str, row: int) -> CaseAbout:
    """What is known of a case and can be drawn over it."""
    found, dataset = run_of(request, run), _checked(dataset_of(request, run), row)
    case = dataset.cases.row(row, named=True)
    texts: Texts = language_of(request)
    named = [each for each in found.findings or () if case["case"] in each.cases]
    trained = (found.path / "model.safetensors").is_file()
    return CaseAbout(
        case=case["case"], facts={name: case[name] for name in FACTS if case.get(name) is not None},
        findings=[texts.message(each.title) for each in named], mask=bool(case.get("masks")),
        called_mask=_called_file(found.path, case["case"]) is not None, boxes=_true_boxes(case),
        called_boxes=_called_boxes(found, case["case"]), attribution=trained and dataset.facts.task in ("classify", "tag"),
    )  # fmt: skip


@router.get("/{run}/{row}/pixels")
def pixels(request: Request, run: str, row: int) -> Response:
    """The pixels of a case, in the units of its file."""
    dataset = _checked(dataset_of(request, run), row)
    centre, width = dataset.cases.select("window_center", "window_width").row(row)
    return pixels_response(_image(request, dataset, row), None if centre is None or not width else (centre, width))


@router.get("/{run}/{row}/mask")
def mask(request: Request, run: str, row: int, which: Literal["true", "called"] = "true") -> Response:
    """A mask: a byte a pixel, 0 background, k + 1 class k, 255 unknown."""
    found, dataset = run_of(request, run), _checked(dataset_of(request, run), row)
    if which == "called":
        path = _called_file(found.path, dataset.cases["case"][row])
        content = None if path is None else cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if content is None:
            raise Problem(404, "serve.unknown_path")
        return _bytes(np.asarray(content, np.uint8))
    for each in dataset.cases["masks"][row] if "masks" in dataset.cases.columns else ():
        inside(dataset, each["file"])
    return _bytes(read_mask(dataset, row))


@router.get("/{run}/{row}/attribution")
def attribution(request: Request, run: str, row: int, output: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Where the network looked for a class: a byte a place of a grid over the whole image."""
    dataset = _checked(dataset_of(request, run), row)
    return _bytes(looked(place_of(request).folder(run), _image(request, dataset, row), output))


def _checked(dataset: Dataset, row: int) -> Dataset:
    if not 0 <= row < len(dataset):
        raise Problem(404, "serve.unknown_path")
    return dataset


def _image(request: Request, dataset: Dataset, row: int) -> Image:
    file, fragment = dataset.cases.select("file", "fragment").row(row)
    return helpers_of(request).image(Wanted(inside(dataset, file), fragment, dataset.facts.value_range))


def _called_file(run: Path, case: str) -> Path | None:
    """The mask that was called in a case; None where there is none below the run's `masks`, as a changed run may have it."""
    above = run / "masks"
    path = as_path(above / f"{case}.png")
    return path if path.is_file() and path.resolve().is_relative_to(above.resolve()) else None


def _true_boxes(case: dict[str, Any]) -> list[Box]:
    """The objects that count, as they were learnt: without those to be ignored, those without an area, and what lies outside."""
    boxes = clean_boxes(case.get("boxes") or (), (case["rows"], case["columns"]))
    return [Box(label=int(k), corners=(x0, y0, x1, y1)) for k, x0, y0, x1, y1 in boxes.tolist() if k >= 0]


def _called_boxes(run: Run, case: str) -> list[Box]:
    said, results = run.predictions, run.results
    if said is None or results is None or said.task != "detect":
        return []
    table = said.table.filter(pl.col("case") == case).head(1)
    if not table.height:
        return []
    own = found_boxes(type(said)(table, said.classes, said.positive, said.task))[0]
    cuts = [results.findings[name].threshold or 0.0 if name in results.findings else 1.0 for name in said.classes]
    return [
        Box(label=int(k), corners=(x0, y0, x1, y1), score=score)
        for k, x0, y0, x1, y1, score in own.tolist()
        if score >= cuts[int(k)]
    ]


def _bytes(values: NDArray[np.uint8]) -> Response:
    """Rows after rows, their numbers in the header."""
    shape = {"X-Evenray-Rows": str(values.shape[0]), "X-Evenray-Columns": str(values.shape[1])}
    return Response(np.ascontiguousarray(values).tobytes(), media_type="application/octet-stream", headers=shape)
