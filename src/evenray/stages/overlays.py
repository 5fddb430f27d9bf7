"""Some test cases with the outlines of what is true and of what was called."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.drawn import Outline, Overlay, Overlays
from evenray.core.artefacts.explained import Gallery
from evenray.core.names import as_path
from evenray.core.types import Dataset, Image, Predictions
from evenray.data.annotations import read_mask
from evenray.data.letterbox import letterbox
from evenray.images.readers import read

from .tools import Tools

__all__ = ["image_of", "mask_overlays", "outlines", "picture", "png"]

SIDE = 512  # pixels of the longer side of a picture
WORST = TYPICAL = 10
EMPTY = 4  # images without anything in which most was called


def mask_overlays(dataset: Dataset, predictions: Predictions, tools: Tools) -> Gallery[Overlays]:
    """The ten worst test cases and ten about the median by the mean Dice of the classes that they have, and those in which something
    was called where nothing is."""
    figures = case_figures(predictions.part("test"))
    rows = {case: row for row, case in enumerate(dataset.cases["case"].to_list())}
    entries, pictures = list[Overlay](), dict[str, bytes]()
    chosen = chosen_cases(figures)
    with tools.events.task("task.explain", len(chosen)) as tick:
        for number, (kind, case) in enumerate(chosen):
            row = rows[case]
            shown = picture(image_of(dataset, row))
            true = read_mask(dataset, row)
            called = cv2.imread(str(tools.folder / "masks" / f"{case}.png"), cv2.IMREAD_UNCHANGED)
            name = f"{number:02d}.png"
            pictures[name] = png(shown)
            height, width = shown.shape[:2]
            own = figures.row(by_predicate=pl.col("case") == case, named=True)
            entries.append(
                Overlay(
                    case=case, part="test", kind=kind, image=name, width=width, height=height,  # type: ignore[arg-type]
                    figures={key: float(value) for key, value in own.items() if key != "case" and value is not None},
                    true=outlines(true, dataset.classes, (height, width)),
                    called=outlines(np.asarray(called, np.uint8), dataset.classes, (height, width)),
                )
            )  # fmt: skip
            tick(1)
    return Gallery(Overlays(entries=tuple(entries)), pictures)


def case_figures(predictions: Predictions) -> pl.DataFrame:
    """A row a case: the mean Dice and the largest HD95 over the classes that it has (null where it has none), and its areas, true and
    called, of all classes."""
    table, K = predictions.table, range(len(predictions.classes))
    dice = [
        pl.when(pl.col(f"true_{k}") > 0).then(2 * pl.col(f"hit_{k}") / (pl.col(f"true_{k}") + pl.col(f"called_{k}")))
        for k in K
    ]
    far = [pl.when(pl.col(f"true_{k}") > 0).then(pl.col(f"hd95_{k}")) for k in K]
    area = {name: pl.sum_horizontal(f"{name}_{k}" for k in K) for name in ("area_true", "area_called")}
    return table.select("case", dice=pl.mean_horizontal(dice), hd95=pl.max_horizontal(far), **area)


def chosen_cases(figures: pl.DataFrame) -> list[tuple[str, str]]:
    """Which cases are shown, and why: worst, typical, empty."""
    has = figures.filter(pl.col("dice").is_not_null()).sort("dice", "case")
    names = has["case"].to_list()
    worst = names[:WORST]
    middle = max(0, len(names) // 2 - TYPICAL // 2)
    typical = [name for name in names[middle : middle + TYPICAL] if name not in worst]
    nothing = figures.filter(pl.col("dice").is_null() & (pl.col("area_called") > 0)).sort(
        "area_called", descending=True
    )
    return [
        *(("worst", name) for name in worst), *(("typical", name) for name in typical),
        *(("empty", name) for name in nothing["case"].head(EMPTY).to_list()),
    ]  # fmt: skip


def outlines(mask: NDArray[np.uint8], classes: tuple[str, ...], shape: tuple[int, int]) -> tuple[Outline, ...]:
    """The outlines of every region of a mask, holes too, in pixels of a picture of `shape`."""
    across, down = shape[1] / mask.shape[1], shape[0] / mask.shape[0]
    enlarged = max(
        1, round(SIDE / max(mask.shape))
    )  # so that lines run along the borders of pixels, not through their middle
    found = list[Outline]()
    for k, name in enumerate(classes):
        own = (mask == k + 1).astype(np.uint8)
        large = (
            cv2.resize(own, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_NEAREST) if enlarged > 1 else own
        )
        for line in cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]:
            points = (line[:, 0] + 0.5) / enlarged * (across, down)
            found.append(Outline(label=name, points=tuple((round(float(x), 1), round(float(y), 1)) for x, y in points)))
    return tuple(found)


def image_of(dataset: Dataset, row: int) -> Image:
    """The image of a case, decoded."""
    about = dataset.cases.row(row, named=True)
    path = as_path(Path(dataset.root, about["file"]))
    return read(path, fragment=about["fragment"], value_range=dataset.facts.value_range)


def picture(image: Image, side: int = SIDE) -> NDArray[np.uint8]:
    """An image as pages show it: as large as its aspect allows within a square of `side`, never enlarged, without the square."""
    size = min(side, max(image.shape))
    pixels, place = letterbox(image, size, image.channels, 255)
    (top, left), (rows, columns) = place.offset, place.inner
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns], dtype=np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """As a PNG file, of RGB where there are three channels."""
    ordered = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    content: bytes = cv2.imencode(".png", ordered)[1].tobytes()
    return content
