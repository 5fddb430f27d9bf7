"""JSON with a list of boxes an image: an object by name (Kvasir's bboxes), a list of objects, or an object a line (Hugging Face)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .corners import are_corners
from .shapes import BadFile, Drawn, Format, Shape, rectangle

__all__ = ["BOX_LISTS"]

BOXES, LABELS = (
    ("bboxes", "bbox", "boxes", "objects"),
    ("labels", "label", "categories", "category", "classes", "class_labels", "class"),
)
IMAGES = ("file_name", "filename", "file", "image", "image_path", "img", "path", "image_id", "id")
CORNERS = ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1")
SIDES = ("x", "y", "width", "height"), ("x", "y", "w", "h")
START = re.compile(rf'"(?:{"|".join(BOXES)})"\s*:\s*(?:\[\s*[\[{{]|\{{\s*")')
Four = tuple[float, float, float, float]


def _read(path: Path) -> list[Drawn]:
    found = [(name, *_boxes(each), _size(each)) for name, each in _images(path)]
    boxes = [(four, size) for _, _, fours, _, size in found for four in fours]
    ways = {way for _, _, _, way, _ in found}
    sized = [(four, size) for four, size in boxes if size is not None]
    corners = "listed" in ways and not ways & {"sides", "told"} and are_corners([four for four, _ in boxes], sized)
    sides = bool(ways & {"sides", "listed"}) or any(x1 <= x0 or y1 <= y0 for (x0, y0, x1, y1), _ in boxes)
    as_sides = sides and not corners and "told" not in ways
    return [
        Drawn(name, [_shape(*one, as_sides) for one in zip(labels, fours, strict=True)], size, corners=corners)
        for name, labels, fours, _, size in found
    ]


def _images(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = path.read_text(encoding="utf-8-sig")
    lines = path.suffix.lower() in (".jsonl", ".ndjson")
    whole = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    if isinstance(whole, Mapping):
        yield from ((str(name), each) for name, each in whole.items())
        return
    for each in whole:
        name = next((str(each[key]) for key in IMAGES if isinstance(each.get(key), str | int)), None)
        if name is None:
            raise BadFile(f"an object has none of {', '.join(IMAGES)}")
        yield name, each


def _size(each: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = each.get("height"), each.get("width")
    return (int(height), int(width)) if isinstance(height, int) and isinstance(width, int) else None


def _boxes(each: Mapping[str, Any]) -> tuple[list[str], list[Four], str]:
    """The labels and boxes of an image, and what these are: "sides" or corners ("told") as names tell, four numbers "listed" that are
    sides as a rule, or "corners" as a rule."""
    key = next((key for key in BOXES if key in each), None)
    if key is None:
        return [], [], ""
    listed = each[key]
    if isinstance(listed, Mapping):  # objects: {bbox: [...], categories: [...]}
        return _boxes(listed)
    if listed and isinstance(listed[0], Mapping):
        pairs = [(_label(one), *_named(one)) for one in listed]
        return [label for label, _, _ in pairs], [four for _, four, _ in pairs], pairs[0][2]
    if listed and not isinstance(listed[0], Sequence):
        listed = [listed]
    said = next((each[name] for name in LABELS if name in each), None)
    labels = [str(one) for one in said] if isinstance(said, list) else [str(said or "object")] * len(listed)
    fours = [tuple(float(value) for value in four) for four in listed]
    if any(len(four) != 4 for four in fours) or len(labels) != len(fours):
        raise BadFile(f"{len(labels)} labels and {len(fours)} boxes, some not of four numbers")
    return labels, fours, "listed" if key.startswith("bbox") else "corners"  # type: ignore[return-value]


def _label(one: Mapping[str, Any]) -> str:
    return str(next((one[name] for name in (*LABELS, "name") if name in one), "object")).strip()


def _named(one: Mapping[str, Any]) -> tuple[Four, str]:
    for names, way in (*((names, "told") for names in CORNERS), *((names, "sides") for names in SIDES)):
        if all(name in one for name in names):
            return tuple(float(one[name]) for name in names), way  # type: ignore[return-value]
    _, fours, way = _boxes(one)
    if not fours:
        raise BadFile(f"a box has none of {', '.join(CORNERS[0])} or {', '.join(SIDES[0])}")
    return fours[0], way


def _shape(label: str, four: Four, sides: bool) -> Shape:
    a, b, c, d = four
    return Shape(label, rectangle(*((a, b, a + c, b + d) if sides else four)), is_box=True)


BOX_LISTS = Format(
    "box_lists", (".json", ".jsonl", ".ndjson"), lambda head: START.search(head) is not None, _read, outlines=False
)
