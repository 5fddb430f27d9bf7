"""JSON with a list of boxes an image: an object by name (Kvasir's bboxes), a list of objects, or an object a line (Hugging Face)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .coco_classes import OBJECT, number_of
from .corners import are_corners, are_shares, is_there
from .shapes import BadFile, Drawn, Format, Shape, rectangle

__all__ = ["BOX_LISTS"]

BOXES, LABELS = (
    ("bboxes", "bbox", "boxes", "objects"),
    ("labels", "label", "class_names", "class_name", "category_names", "category_name", "categories", "category", "classes",
     "class_labels", "class"),
)  # fmt: skip
NUMBERS = ("category_ids", "category_id", "class_ids", "class_id")  # of classes, where nothing names them
IMAGES = ("file_name", "filename", "file", "image", "image_path", "img", "path", "image_id", "id")
CORNERS = ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1")
SIDES = ("x", "y", "width", "height"), ("x", "y", "w", "h")
START = re.compile(rf'"(?:{"|".join(BOXES)})"\s*:\s*(?:\[\s*[\[{{]|\{{\s*")')
MANY = 1000
Four = tuple[float, ...]
NONE: Four = (math.nan,) * 4


def _read(path: Path) -> list[Drawn]:
    found = [(name, *_boxes(each), _size(each)) for name, each in _images(path)]
    boxes = [(four, size) for _, _, fours, _, size in found for four in fours]
    ways = {way for _, _, _, way, _ in found}
    shares = are_shares([four for four, _ in boxes])
    sized = [(four, size) for four, size in boxes if size is not None]
    if shares:  # as of images of many pixels
        sized = [(tuple(value * MANY for value in four), (MANY, MANY)) for four, _ in boxes]
    corners = "listed" in ways and not ways & {"sides", "told"} and are_corners([four for four, _ in boxes], sized)
    sides = bool(ways & {"sides", "listed"}) or any(x1 <= x0 or y1 <= y0 for (x0, y0, x1, y1), _ in boxes)
    as_sides = sides and not corners and "told" not in ways
    return [
        Drawn(
            name,
            [_shape(*one, as_sides) for one in zip(labels, fours, strict=True)],
            size,
            shares=shares,
            corners=corners,
        )
        for name, labels, fours, _, size in found
    ]


def _settled(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Shares in some files are shares in all: a file of tiny boxes in pixels may look like one of shares."""
    shares = all(each.shares for each in drawn if each.shapes)
    return [replace(each, shares=shares and any(one.shares for one in drawn)) for each in drawn]


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
        labels, fours = _there([label for label, _, _ in pairs], [four for _, four, _ in pairs])
        return labels, fours, pairs[0][2]
    if listed and not isinstance(listed[0], Sequence):
        listed = [listed]
    said = next((each[name] for name in (*LABELS, *NUMBERS) if name in each), None)
    labels = [_name(one) for one in said] if isinstance(said, list) else [_name(said)] * len(listed)
    fours = [tuple(float("nan" if value is None else value) for value in four) for four in listed]
    if any(len(four) != 4 for four in fours) or len(labels) != len(fours):
        raise BadFile(f"{len(labels)} labels and {len(fours)} boxes, some not of four numbers")
    return *_there(labels, fours), "listed" if key.startswith("bbox") else "corners"


def _there(labels: Sequence[str], fours: Sequence[Four]) -> tuple[list[str], list[Four]]:
    """Labels and boxes without those boxes whose numbers are all NaN."""
    there = [(label, four) for label, four in zip(labels, fours, strict=True) if is_there(four)]
    return [label for label, _ in there], [four for _, four in there]


def _label(one: Mapping[str, Any]) -> str:
    return _name(next((one[name] for name in (*LABELS, "name", *NUMBERS) if one.get(name) is not None), None))


def _name(said: Any) -> str:
    """A class as it is called; 0 is one like any other number."""
    return OBJECT if said is None or said == "" else number_of(said).strip()


def _named(one: Mapping[str, Any]) -> tuple[Four, str]:
    for names, way in (*((names, "told") for names in CORNERS), *((names, "sides") for names in SIDES)):
        if all(name in one for name in names):
            return tuple(float("nan" if one[name] is None else one[name]) for name in names), way
    _, fours, way = _boxes(one)
    if not fours and any(one.get(key) for key in BOXES):
        return NONE, way
    if not fours:
        raise BadFile(f"a box has none of {', '.join(CORNERS[0])} or {', '.join(SIDES[0])}")
    return fours[0], way


def _shape(label: str, four: Four, sides: bool) -> Shape:
    a, b, c, d = four
    return Shape(label, rectangle(*((a, b, a + c, b + d) if sides else four)), is_box=True)


BOX_LISTS = Format(
    "box_lists", (".json", ".jsonl", ".ndjson"), lambda head: START.search(head) is not None, _read, outlines=False,
    settled=_settled,
)  # fmt: skip
