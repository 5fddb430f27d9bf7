"""LabelMe: a JSON file an image, with `shapes` and `imagePath`."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bitmaps import bitmap, placed
from .ignoring import is_ignored
from .shapes import BadFile, Drawn, Format, Shape, circle, rectangle

__all__ = ["LABELME"]

IGNORING, CROWD = ("difficult", "ignore", "ignored"), ("iscrowd", "crowd")
TURNED = ("oriented_rectangle", "rotation")  # boxes with their four corners: of LabelMe, and of X-AnyLabeling


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    height, width = whole.get("imageHeight"), whole.get("imageWidth")
    size = (int(height), int(width)) if height and width else None
    shapes = [shape for each in whole["shapes"] if (shape := _shape(each, size)) is not None]
    return [Drawn(str(whole.get("imagePath") or "").replace("\\", "/"), shapes, size)]


def _shape(each: dict[str, Any], size: tuple[int, int] | None) -> Shape | None:
    """A shape with an area; None for points and lines, and for what was begun with a click and never drawn."""
    shape = _drawn(each, size)
    flags = each.get("flags") or {}
    ignored = is_ignored(each.get("difficult"), *(flags.get(name) for name in IGNORING))  # the former of X-AnyLabeling
    crowd = is_ignored(*(flags.get(name) for name in CROWD))
    return None if shape is None else replace(shape, ignored=ignored, crowd=crowd)


def _drawn(each: dict[str, Any], size: tuple[int, int] | None) -> Shape | None:
    label, kind = str(each["label"]).strip(), each.get("shape_type") or "polygon"
    points = tuple((float(x), float(y)) for x, y in each["points"])
    if kind in ("rectangle", "circle") and len(points) < 2:
        return None
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points[0], points[min(2, len(points) - 1)]
        return Shape(label, rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), is_box=True)
    if kind in TURNED:
        return Shape(label, (points,), is_box=True)
    if kind == "mask":
        if size is None:
            raise BadFile("it has a mask, and lacks imageHeight or imageWidth")
        return placed(label, bitmap(base64.b64decode(each["mask"])), int(points[0][0]), int(points[0][1]), size)
    if kind == "circle":
        radius = math.dist(points[0], points[1])
        return Shape(label, circle(*points[0], radius, radius))
    return Shape(label, (points,)) if kind == "polygon" and len(points) > 2 else None


LABELME = Format(
    "labelme", (".json",), lambda head: '"shapes"' in head and ('"imagePath"' in head or '"shape_type"' in head), _read
)
