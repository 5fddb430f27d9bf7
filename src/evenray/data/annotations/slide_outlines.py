"""Outlines of slide viewers, an XML file an image: Aperio ImageScope's regions of vertices, ASAP's annotations of coordinates."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

import cv2
import numpy as np

from .runs import Points
from .shapes import BadFile, Drawn, Format, Shape

__all__ = ["SLIDE_OUTLINES"]

EXCLUDED = "1"  # NegativeROA of a region that is cut out


def _read(path: Path) -> list[Drawn]:
    try:
        tree = Xml.parse(path).getroot()
    except Xml.ParseError as error:
        raise BadFile(str(error)) from None
    return [Drawn("", _of_asap(tree) if tree.tag == "ASAP_Annotations" else _of_aperio(tree))]


def _of_aperio(tree: Xml.Element) -> list[Shape]:
    found = []
    for layer in tree.iter("Annotation"):
        told = layer.find("Attributes/Attribute")
        label = (layer.get("Name") or (told.get("Name") if told is not None else "") or "").strip()
        rings: tuple[list[Points], list[Points]] = ([], [])
        for region in layer.iter("Region"):
            points = tuple((float(each.attrib["X"]), float(each.attrib["Y"])) for each in region.iter("Vertex"))
            if len(points) > 2:
                rings[region.get("NegativeROA") == EXCLUDED].append(points)
        for ring in rings[False]:
            cut = tuple(other for other in rings[True] if _takes_from(other, ring))
            found.append(Shape(label if label not in ("", "Description") else "object", (ring,), cut=cut))
    return found


def _takes_from(cut: Points, ring: Points) -> bool:
    """Whether what is cut out takes from an object: they meet, and the object is none that lies within what is cut out of another."""
    out, own = np.array(cut, np.float32), np.array(ring, np.float32)
    if (out.max(axis=0) < own.min(axis=0)).any() or (own.max(axis=0) < out.min(axis=0)).any():
        return False
    within = sum(cv2.pointPolygonTest(out, (float(x), float(y)), measureDist=False) > 0 for x, y in own)
    return 2 * within <= len(own)


def _of_asap(tree: Xml.Element) -> list[Shape]:
    found = []
    for each in tree.iter("Annotation"):
        points = tuple((float(at.attrib["X"]), float(at.attrib["Y"])) for at in each.iter("Coordinate"))
        if each.get("Type") in ("Polygon", "Spline", "Rectangle") and len(points) > 2:
            group = each.get("PartOfGroup", "None")
            found.append(Shape("object" if group == "None" else group, (points,)))
    return found


SLIDE_OUTLINES = Format(
    "slide_outlines",
    (".xml",),
    lambda head: "<ASAP_Annotations" in head or ("<Annotations" in head and "<Region" in head),
    _read,
)
