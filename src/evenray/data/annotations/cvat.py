"""CVAT for images: one XML file with an `image` each, with `polygon`, `box`, `ellipse` and `mask`."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

import numpy as np

from .bitmaps import placed
from .runs import from_counts
from .shapes import BadFile, Drawn, Format, Shape, circle, rectangle, turned

__all__ = ["CVAT"]


def _read(path: Path) -> list[Drawn]:
    try:
        tree = Xml.parse(path).getroot()
    except Xml.ParseError as error:
        raise BadFile(str(error)) from None
    found = []
    for image in tree.iter("image"):
        size = int(image.attrib["height"]), int(image.attrib["width"])
        shapes = [shape for each in image if (shape := _shape(each, size)) is not None]
        found.append(Drawn(image.attrib["name"], shapes, size))
    return found


def _shape(each: Xml.Element, size: tuple[int, int]) -> Shape | None:
    label = each.get("label", "object").strip()
    degrees = float(each.get("rotation", 0))  # about the centre
    if each.tag == "box":
        x0, y0, x1, y1 = (float(each.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr"))
        return Shape(label, turned(rectangle(x0, y0, x1, y1), degrees, ((x0 + x1) / 2, (y0 + y1) / 2)), is_box=True)
    if each.tag == "polygon":
        points = (point.split(",") for point in each.attrib["points"].split(";"))
        return Shape(label, (tuple((float(x), float(y)) for x, y in points),))
    if each.tag == "ellipse":
        x, y, right, down = (float(each.attrib[name]) for name in ("cx", "cy", "rx", "ry"))
        return Shape(label, turned(circle(x, y, right, down), degrees, (x, y)))
    if each.tag == "mask":
        return _cut_out(each, label, size)
    return None


def _cut_out(each: Xml.Element, label: str, size: tuple[int, int]) -> Shape:
    """A mask: lengths in turn of what is not and what is in it, row by row, in a part of the image."""
    left, top, width, height = (int(float(each.attrib[name])) for name in ("left", "top", "width", "height"))
    flat = np.zeros(width * height, bool)
    numbers = np.array(from_counts([int(n) for n in each.attrib["rle"].split(",")]).split(), np.int64).reshape(-1, 2)
    for start, length in numbers.tolist():
        flat[start - 1 : start - 1 + length] = True
    return placed(label, flat.reshape(height, width), left, top, size)


CVAT = Format("cvat", (".xml",), lambda head: "<annotations" in head and "<image " in head, _read)
