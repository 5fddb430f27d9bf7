"""Files of boxes that a network found, as `evenray predict` writes them, which are no truth to learn from."""

from __future__ import annotations

import json
from pathlib import Path

from .coco import is_coco

__all__ = ["are_answers"]

COLUMNS = "name,class,x0,y0,x1,y1,score"  # as `images.writers.boxes` writes them
START = 256  # bytes


def are_answers(path: Path) -> bool:
    """Whether a file has boxes that were found: a table of the columns that this program writes, or a file of COCO all of whose
    annotations have a score."""
    kind = path.suffix.lower()
    if kind == ".csv":
        with path.open("rb") as file:
            first = file.read(START).decode("utf-8-sig", "replace").partition("\n")[0]
        return first.strip().replace('"', "") == COLUMNS
    return kind == ".json" and is_coco(path) and _all_scored(path)


def _all_scored(path: Path) -> bool:
    data = path.read_bytes()
    if b'"score"' not in data:  # which is much faster than to read it as JSON
        return False
    try:
        annotations = json.loads(data.decode("utf-8-sig"))["annotations"]
        return bool(annotations) and all("score" in each for each in annotations)
    except (ValueError, KeyError, TypeError, RecursionError):  # whoever reads it says what is wrong
        return False
