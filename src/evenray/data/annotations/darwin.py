"""Darwin of V7: a JSON file an image, with `annotations` that have a `polygon` or a `bounding_box`, in two versions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .shapes import Drawn, Format, Shape, rectangle

__all__ = ["DARWIN"]

IMAGE = re.compile(r'"(?:image|item)"\s*:\s*\{')


def _read(path: Path) -> list[Drawn]:
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    of = whole.get("image") or whole["item"]
    name = str(of.get("filename") or of.get("name") or "")
    measured = (of.get("slots") or [of])[0]
    size = (
        (int(measured["height"]), int(measured["width"])) if measured.get("height") and measured.get("width") else None
    )
    return [Drawn(name, [shape for each in whole["annotations"] if (shape := _shape(each)) is not None], size)]


def _shape(each: dict[str, Any]) -> Shape | None:
    """An annotation with an area; None for tags of the whole image."""
    label = str(each["name"]).strip()
    if (polygon := each.get("polygon") or each.get("complex_polygon")) is not None:
        paths = polygon.get("paths") or polygon["path"]
        rings = paths if paths and isinstance(paths[0], list) else [paths, *polygon.get("additional_paths", [])]
        return Shape(label, tuple(tuple((float(at["x"]), float(at["y"])) for at in ring) for ring in rings))
    if (box := each.get("bounding_box")) is not None:
        x, y = float(box["x"]), float(box["y"])
        return Shape(label, rectangle(x, y, x + float(box["w"]), y + float(box["h"])), is_box=True)
    return None


DARWIN = Format("darwin", (".json",), lambda head: '"annotations"' in head and IMAGE.search(head) is not None, _read)
