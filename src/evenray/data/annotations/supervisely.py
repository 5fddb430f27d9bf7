"""Supervisely: a JSON file an image, called as the image and its ending (x.png.json), with `objects`."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

from .bitmaps import bitmap, placed
from .shapes import BadFile, Drawn, Format, Shape, rectangle

__all__ = ["SUPERVISELY"]


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    size = int(whole["size"]["height"]), int(whole["size"]["width"])
    shapes = [shape for each in whole["objects"] if (shape := _shape(each, size)) is not None]
    return [Drawn("", shapes, size)]


def _shape(each: dict[str, Any], size: tuple[int, int]) -> Shape | None:
    label, kind = str(each["classTitle"]).strip(), each.get("geometryType")
    if kind == "bitmap":
        return _bitmap(label, each["bitmap"], size)
    points = each.get("points") or {}
    outer = tuple((float(x), float(y)) for x, y in points.get("exterior", []))
    if kind == "rectangle" and len(outer) == 2:
        (x0, y0), (x1, y1) = outer
        return Shape(label, rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), is_box=True)
    if kind == "polygon" and len(outer) > 2:
        holes = (tuple((float(x), float(y)) for x, y in ring) for ring in points.get("interior", []))
        return Shape(label, (outer, *holes))
    return None


def _bitmap(label: str, each: dict[str, Any], size: tuple[int, int]) -> Shape:
    """A compressed PNG at a place of the image."""
    try:
        packed = zlib.decompress(base64.b64decode(each["data"]))
    except (zlib.error, ValueError) as error:
        raise BadFile(f"a bitmap of it cannot be unpacked: {error}") from None
    left, top = (int(value) for value in each["origin"])
    return placed(label, bitmap(packed), left, top, size)


SUPERVISELY = Format(
    "supervisely", (".json",), lambda head: '"objects"' in head and '"size"' in head and '"tags"' in head, _read
)
