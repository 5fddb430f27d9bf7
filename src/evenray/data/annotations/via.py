"""VGG Image Annotator: one JSON file with `regions` by file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .shapes import Drawn, Format, Shape, circle, rectangle, turned

__all__ = ["VIA"]


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    files = whole.get("_via_img_metadata", whole)
    found = []
    for each in files.values():
        regions = each["regions"]
        shapes = [_shape(region) for region in (regions.values() if isinstance(regions, Mapping) else regions)]
        found.append(Drawn(str(each["filename"]), [shape for shape in shapes if shape is not None]))
    return found


def _shape(region: Mapping[str, Any]) -> Shape | None:
    """A region with an area, called by its first attribute; None for points and lines."""
    where, told = region["shape_attributes"], region.get("region_attributes") or {}
    label = next((str(value) for value in told.values() if isinstance(value, str) and value.strip()), "object").strip()
    if where["name"] == "rect":
        x, y = float(where["x"]), float(where["y"])
        return Shape(label, rectangle(x, y, x + float(where["width"]), y + float(where["height"])), is_box=True)
    if where["name"] in ("circle", "ellipse"):
        right, down = (float(where.get(name, where.get("r", 0))) for name in ("rx", "ry"))
        x, y = float(where["cx"]), float(where["cy"])
        return Shape(label, turned(circle(x, y, right, down), math.degrees(float(where.get("theta") or 0)), (x, y)))
    if where["name"] != "polygon":
        return None
    return Shape(
        label, (tuple(zip(map(float, where["all_points_x"]), map(float, where["all_points_y"]), strict=True)),)
    )


VIA = Format("via", (".json",), lambda head: '"shape_attributes"' in head or '"_via_img_metadata"' in head, _read)
