"""Label Studio's JSON: a list of tasks with `data` and `annotations`, whose points are in percent of the image's sides."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .runs import Points
from .shapes import Drawn, Format, Shape, circle, rectangle, turned

__all__ = ["LABEL_STUDIO"]


def _read(path: Path) -> list[Drawn]:
    found = []
    for task in json.loads(path.read_text(encoding="utf-8-sig")):
        image = next(
            value for value in task["data"].values() if isinstance(value, str) and re.search(r"\.\w{2,5}$", value)
        )
        url = urlsplit(image)
        name = unquote(parse_qs(url.query).get("d", [url.path])[0])
        made = [
            each for each in task.get("annotations") or task.get("completions") or [] if not each.get("was_cancelled")
        ]
        results = made[0]["result"] if made else []
        shapes = [shape for each in results if (shape := _shape(each)) is not None]
        if made:
            found.append(Drawn(name.lstrip("/"), shapes, shares=True))
    return found


def _shape(each: dict[str, Any]) -> Shape | None:
    """A result with an area; None for points, lines, text and what is drawn with a brush."""
    value, kind = each["value"], str(each.get("type", ""))
    label = str((value.get(kind) or value.get("labels") or ["object"])[0]).strip()
    if "points" in value and "polygon" in kind:
        return Shape(label, (tuple((float(x) / 100, float(y) / 100) for x, y in value["points"]),))
    if "rectangle" in kind:
        x, y, width, height = (float(value[name]) / 100 for name in ("x", "y", "width", "height"))
        return Shape(label, _turned(each, rectangle(x, y, x + width, y + height), (x, y)), is_box=True)
    if "ellipse" in kind:
        x, y, right, down = (float(value[name]) / 100 for name in ("x", "y", "radiusX", "radiusY"))
        return Shape(label, _turned(each, circle(x, y, right, down), (x, y)))
    return None


def _turned(each: dict[str, Any], rings: tuple[Points, ...], about: tuple[float, float]) -> tuple[Points, ...]:
    """Rings as a result turns them: a rectangle about its upper left corner, an ellipse about its centre, in pixels."""
    if not (degrees := float(each["value"].get("rotation") or 0)):
        return rings
    return turned(rings, degrees, about, (float(each["original_width"]), float(each["original_height"])))


LABEL_STUDIO = Format(
    "label_studio", (".json",), lambda head: head.lstrip("\ufeff \t\r\n").startswith("[") and '"result"' in head, _read
)
