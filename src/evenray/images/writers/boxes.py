"""Boxes as COCO JSON, which other tools of detection read, and as a table."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError
from evenray.core.spreadsheets import to_csv

__all__ = ["write_boxes"]


def write_boxes(
    target: str | os.PathLike[str], images: pl.DataFrame, boxes: pl.DataFrame, classes: Sequence[str]
) -> None:
    """Write boxes to a .json file (COCO: images, categories, annotations with score) or a .csv table, whole or not at all.

    `images` has a row an image: name (of its file, or a pseudonym), rows, columns, also of those without a box. `boxes` has name,
    class (an index), x0, y0, x1, y1 (half-open, in pixels of the image) and, of predictions, score. Raises UsageError for another
    ending.

    >>> import tempfile
    >>> where = Path(tempfile.mkdtemp()) / "boxes.csv"
    >>> boxes = pl.DataFrame({"name": ["a.png"], "class": [0], "x0": [1.0], "y0": [2.0], "x1": [4.0], "y1": [6.0], "score": [0.9]})
    >>> write_boxes(where, pl.DataFrame({"name": ["a.png"], "rows": [8], "columns": [8]}), boxes, ["cell"])
    >>> print(where.read_text(encoding="utf-8-sig").strip())
    name,class,x0,y0,x1,y1,score
    a.png,cell,1.0,2.0,4.0,6.0,0.9
    """
    path = Path(target)
    named = boxes.with_columns(pl.col("class").replace_strict(dict(enumerate(classes)), return_dtype=pl.String))
    if path.suffix.lower() == ".csv":
        text = to_csv(named)
    elif path.suffix.lower() == ".json":
        text = json.dumps(_coco(images, boxes, classes), ensure_ascii=False)
    else:
        raise UsageError(f"'{path}' is neither .json nor .csv; boxes are written as COCO JSON or as a table.")
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _coco(images: pl.DataFrame, boxes: pl.DataFrame, classes: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    number = {name: n for n, name in enumerate(images["name"], 1)}
    annotations: list[dict[str, object]] = []
    for n, box in enumerate(boxes.iter_rows(named=True), 1):
        width, height = box["x1"] - box["x0"], box["y1"] - box["y0"]
        score = {"score": box["score"]} if "score" in box else {}
        annotations.append({
            "id": n, "image_id": number[box["name"]], "category_id": box["class"] + 1, "iscrowd": 0,
            "bbox": [box["x0"], box["y0"], width, height], "area": width * height, **score,
        })  # fmt: skip
    return {
        "images": [
            {"id": number[name], "file_name": name, "height": rows, "width": columns}
            for name, rows, columns in images.select("name", "rows", "columns").iter_rows()
        ],
        "annotations": annotations,
        "categories": [{"id": k, "name": name} for k, name in enumerate(classes, 1)],
    }
