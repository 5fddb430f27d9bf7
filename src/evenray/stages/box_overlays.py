"""Some test cases with the boxes of what is there and of what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts.drawn import Outline, Overlay, Overlays
from evenray.core.artefacts.explained import Gallery
from evenray.core.types import Dataset, Predictions
from evenray.metrics.boxes import box_matches, found_boxes, true_boxes

from .overlays import EMPTY, TYPICAL, WORST, image_of, picture, png
from .tools import Tools

__all__ = ["box_overlays"]

Floats = NDArray[np.float64]


def box_overlays(dataset: Dataset, predictions: Predictions, cuts: Sequence[float], tools: Tools) -> Gallery[Overlays]:
    """The ten worst test cases and ten about the median by the F1 of their boxes at the thresholds `cuts`, one a class; and those with
    most boxes where nothing is."""
    test = predictions.part("test")
    figures = case_boxes(test, cuts)
    chosen = chosen_by_f1(figures)
    rows = {case: row for row, case in enumerate(dataset.cases["case"].to_list())}
    place = {case: row for row, case in enumerate(test.table["case"].to_list())}
    true, found = true_boxes(test), found_boxes(test)
    entries, pictures = list[Overlay](), dict[str, bytes]()
    with tools.events.task("task.explain", len(chosen)) as tick:
        for number, (kind, case) in enumerate(chosen):
            image = image_of(dataset, rows[case])
            shown = picture(image)
            height, width = shown.shape[:2]
            scale = (width / image.shape[1], height / image.shape[0])
            own = found[place[case]]
            called = own[own[:, 5] >= np.asarray(cuts)[own[:, 0].astype(int)]]
            name = f"{number:02d}.png"
            pictures[name] = png(shown)
            about = figures.row(by_predicate=pl.col("case") == case, named=True)
            entries.append(
                Overlay(
                    case=case, part="test", kind=kind, image=name, width=width, height=height,  # type: ignore[arg-type]
                    figures={key: float(value) for key, value in about.items() if key != "case" and value is not None},
                    true=_corners(true[place[case]], dataset.classes, scale), called=_corners(called, dataset.classes, scale),
                )
            )  # fmt: skip
            tick(1)
    return Gallery(Overlays(entries=tuple(entries)), pictures)


def case_boxes(predictions: Predictions, cuts: Sequence[float]) -> pl.DataFrame:
    """A row a case: objects found, missed, and boxes found for nothing, of all classes, and their F1; null where there is neither."""
    N = predictions.table.height
    hits, false, objects = np.zeros(N, np.int64), np.zeros(N, np.int64), np.zeros(N, np.int64)
    for one, cut in zip(box_matches(predictions, (0.5,)), cuts, strict=True):
        said = one.score >= cut
        hits += np.bincount(one.image[said & one.hit[0]], minlength=N)
        false += np.bincount(one.image[said & ~one.hit[0] & ~one.ignored[0]], minlength=N)
        objects += one.objects
    told = objects + false + hits
    f1 = np.divide(2 * hits, told, out=np.full(N, np.nan), where=told > 0)
    return pl.DataFrame({
        "case": predictions.table["case"], "f1": pl.Series(f1).fill_nan(None), "found": hits, "missed": objects - hits,
        "false_positives": false,
    })  # fmt: skip


def chosen_by_f1(figures: pl.DataFrame) -> list[tuple[str, str]]:
    """Which cases are shown, and why: worst, typical, empty."""
    has = figures.filter(pl.col("found") + pl.col("missed") > 0)
    has = has.sort("f1", -(pl.col("missed") + pl.col("false_positives")), "case")
    names = has["case"].to_list()
    middle = max(0, len(names) // 2 - TYPICAL // 2)
    typical = [name for name in names[middle : middle + TYPICAL] if name not in names[:WORST]]
    nothing = figures.filter((pl.col("found") + pl.col("missed") == 0) & (pl.col("false_positives") > 0))
    empty = nothing.sort("false_positives", "case", descending=[True, False])["case"].head(EMPTY).to_list()
    return [
        *(("worst", name) for name in names[:WORST]), *(("typical", name) for name in typical),
        *(("empty", name) for name in empty),
    ]  # fmt: skip


def _corners(boxes: Floats, classes: tuple[str, ...], scale: tuple[float, float]) -> tuple[Outline, ...]:
    """Outlines of boxes that count: those of a class below 0 are neither found nor missed."""
    found = []
    for row in boxes[boxes[:, 0] >= 0]:
        k, (x0, y0, x1, y1) = int(row[0]), (row[1:5] * (*scale, *scale)).round(1).tolist()
        points = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        found.append(Outline(label=classes[k], points=points))
    return tuple(found)
