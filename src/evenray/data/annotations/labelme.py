"""LabelMe: a JSON file an image, with `shapes` and `imagePath`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .shapes import Drawn, Format, Shape, circle, rectangle

__all__ = ["LABELME"]


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    shapes = [shape for each in whole["shapes"] if (shape := _shape(each)) is not None]
    height, width = whole.get("imageHeight"), whole.get("imageWidth")
    size = (int(height), int(width)) if height and width else None
    return [Drawn(str(whole.get("imagePath") or "").replace("\\", "/"), shapes, size)]


def _shape(each: dict[str, Any]) -> Shape | None:
    """A shape with an area; None for points and lines."""
    label, kind = str(each["label"]).strip(), each.get("shape_type") or "polygon"
    points = tuple((float(x), float(y)) for x, y in each["points"])
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points[0], points[-1] if len(points) == 2 else points[2]
        return Shape(label, rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), is_box=True)
    if kind == "circle":
        radius = math.dist(points[0], points[1])
        return Shape(label, circle(*points[0], radius, radius))
    return Shape(label, (points,)) if kind == "polygon" and len(points) > 2 else None


LABELME = Format(
    "labelme", (".json",), lambda head: '"shapes"' in head and ('"imagePath"' in head or '"shape_type"' in head), _read
)
