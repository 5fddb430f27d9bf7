"""VGG Image Annotator: one JSON file with `regions` by file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .shapes import Drawn, Format, Shape, circle, rectangle, turned

__all__ = ["VIA"]


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    files = whole.get("_via_img_metadata", whole)
    kind = _kind([region for each in files.values() for region in _regions(each)])
    found = []
    for each in files.values():
        shapes = [_shape(region, kind) for region in _regions(each)]
        found.append(Drawn(str(each["filename"]), [shape for shape in shapes if shape is not None]))
    return found


def _regions(each: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    regions = each["regions"]
    return list(regions.values() if isinstance(regions, Mapping) else regions)


def _kind(regions: Sequence[Mapping[str, Any]]) -> str:
    """The attribute that is the class in all regions of a file: the first that at least half of them have, else that most have."""
    told = [region.get("region_attributes") or {} for region in regions]
    names = dict.fromkeys(name for each in told for name in each)
    count = {name: sum(bool(_said(each.get(name))) for each in told) for name in names}
    often = [name for name in names if 2 * count[name] >= max(1, len(told))]
    return next(iter(often), max(names, key=lambda name: count[name], default=""))


def _said(value: Any) -> str:
    """What an attribute says: a text or a number, or the first box that is checked."""
    if isinstance(value, Mapping):
        return next((str(name).strip() for name, checked in value.items() if checked), "")
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _shape(region: Mapping[str, Any], kind: str) -> Shape | None:
    """A region with an area, called by the attribute `kind`; None for points and lines."""
    where = region["shape_attributes"]
    label = _said((region.get("region_attributes") or {}).get(kind)) or "object"
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
