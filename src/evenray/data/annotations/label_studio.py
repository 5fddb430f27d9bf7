"""Label Studio's JSON: a list of tasks with `data` and `annotations`, whose points are in percent of the image's sides; what is
drawn with a brush is a picture."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from .bitmaps import bitmap
from .brush import brushed
from .runs import Points, to_runs
from .shapes import BadFile, Drawn, Format, Shape, circle, rectangle, turned

__all__ = ["LABEL_STUDIO"]

AREAS = ("polygon", "rectangle", "ellipse", "brush", "bitmask")  # of the kinds of results
PICTURES = {"rle", "imageDataURL"}  # what of a result is a picture, of its image's size


def _read(path: Path) -> list[Drawn]:
    found = []
    for task in json.loads(path.read_text(encoding="utf-8-sig")):
        made = [
            each for each in task.get("annotations") or task.get("completions") or [] if not each.get("was_cancelled")
        ]
        readers = [each["result"] for each in made]
        results = [each for reader in readers for each in reader]
        shapes = [[shape for each in reader if (shape := _shape(each)) is not None] for reader in readers]
        size = next((_size(each) for each in results if PICTURES & set(each.get("value") or {})), None)
        if made:
            name = _image(task["data"], {each.get("to_name") for each in results})
            found.append(Drawn(name.lstrip("/"), shapes[0], size, shares=True, others=tuple(shapes[1:])))
    return found


def _image(data: dict[str, Any], drawn_on: set[Any]) -> str:
    """The path of the image among what a task shows: it ends as a file does, before what signs its address, and other texts may, too.
    What results are `drawn_on` comes first, then what is called an image, then what has folders."""
    paths = {key: _path(value) for key, value in data.items() if isinstance(value, str)}
    files = [key for key, path in paths.items() if re.search(r"\.\w{2,5}$", path)]
    if not files:
        raise BadFile(f"a task has no image among {', '.join(data)}; expected the address of a file")
    return paths[
        max(
            files, key=lambda key: (key in drawn_on, re.search("im(g|age)", key.lower()) is not None, "/" in paths[key])
        )
    ]


def _path(address: str) -> str:
    url = urlsplit(address)
    return unquote(parse_qs(url.query).get("d", [url.path])[0])


def _shape(each: dict[str, Any]) -> Shape | None:
    """A result with an area; None for points, lines and text."""
    value, kind = each.get("value") or {}, str(each.get("type", ""))  # a relation has none
    if not any(area in kind for area in AREAS):
        return None
    label = str((value.get(kind) or value.get("labels") or ["object"])[0]).strip()
    if "points" in value and "polygon" in kind:
        return Shape(label, (tuple((float(x) / 100, float(y) / 100) for x, y in value["points"]),))
    if "rectangle" in kind:
        x, y, width, height = (float(value[name]) / 100 for name in ("x", "y", "width", "height"))
        return Shape(label, _turned(each, rectangle(x, y, x + width, y + height), (x, y)), is_box=True)
    if "ellipse" in kind:
        x, y, right, down = (float(value[name]) / 100 for name in ("x", "y", "radiusX", "radiusY"))
        return Shape(label, _turned(each, circle(x, y, right, down), (x, y)))
    if "brush" in kind:
        return _picture(each, label, brushed(value["rle"], _size(each)))
    if "bitmask" in kind:
        return _picture(each, label, bitmap(base64.b64decode(value["imageDataURL"].partition(",")[2])))
    return None


def _size(each: dict[str, Any]) -> tuple[int, int]:
    return int(each["original_height"]), int(each["original_width"])


def _picture(each: dict[str, Any], label: str, pixels: NDArray[np.bool_]) -> Shape | None:
    """A picture as large as the image; None where all of it was wiped away again."""
    size = _size(each)
    if pixels.shape != size:
        raise BadFile(
            f"a mask of it has {pixels.shape[0]} x {pixels.shape[1]} pixels; expected those of its image, {size[0]} x {size[1]}"
        )
    if not pixels.any():
        return None
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    (top, bottom), (left, right) = ((int(met[0]), int(met[-1]) + 1) for met in (rows, columns))
    corners = (left / size[1], top / size[0], right / size[1], bottom / size[0])
    return Shape(label, runs=to_runs(pixels), corners=corners)


def _turned(each: dict[str, Any], rings: tuple[Points, ...], about: tuple[float, float]) -> tuple[Points, ...]:
    """Rings as a result turns them: a rectangle about its upper left corner, an ellipse about its centre, in pixels."""
    if not (degrees := float(each["value"].get("rotation") or 0)):
        return rings
    return turned(rings, degrees, about, (float(each["original_width"]), float(each["original_height"])))


LABEL_STUDIO = Format(
    "label_studio", (".json",), lambda head: head.lstrip("\ufeff \t\r\n").startswith("[") and '"result"' in head, _read
)
