"""The JSON lists of the Broad Bioimage Benchmark Collection (BBBC041): an image with its `pathname` and the `objects` in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from .coco_classes import OBJECT
from .shapes import Drawn, Format, Shape, rectangle

__all__ = ["CELL_LISTS"]

IMAGE = re.compile(r'"image"\s*:\s*\{[^{}]*"pathname"\s*:')


def _read(path: Path) -> list[Drawn]:
    found = []
    for each in json.loads(path.read_text(encoding="utf-8-sig")):
        image, shapes = each["image"], []
        for one in each["objects"]:
            low, high = one["bounding_box"]["minimum"], one["bounding_box"]["maximum"]
            ring = rectangle(float(low["c"]), float(low["r"]), float(high["c"]), float(high["r"]))
            shapes.append(Shape(str(one.get("category") or OBJECT), ring, is_box=True))
        size = image.get("shape")
        # A path that begins with / is of the set's own folder.
        found.append(Drawn(image["pathname"].lstrip("/"), shapes, (int(size["r"]), int(size["c"])) if size else None))
    return found


CELL_LISTS = Format(
    "cell_lists", (".json",), lambda head: head.lstrip("\ufeff \t\r\n").startswith("[") and IMAGE.search(head) is not None, _read,
    outlines=False,
)  # fmt: skip
