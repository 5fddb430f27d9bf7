"""Outlines of slide viewers, an XML file an image: Aperio ImageScope's regions of vertices, ASAP's annotations of coordinates."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from pathlib import Path

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
        for region in layer.iter("Region"):
            points = tuple((float(each.attrib["X"]), float(each.attrib["Y"])) for each in region.iter("Vertex"))
            if len(points) > 2 and region.get("NegativeROA") != EXCLUDED:
                found.append(Shape(label if label not in ("", "Description") else "object", (points,)))
    return found


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
