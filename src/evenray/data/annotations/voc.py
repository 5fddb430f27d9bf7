"""Pascal VOC: one XML file an image, with `object`, `name` and `bndbox`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from collections.abc import Sequence
from pathlib import Path

from evenray.core.messages import Message
from evenray.core.names import as_path

from .corners import is_there
from .found import Annotated, Annotations, Box
from .ignoring import is_ignored
from .joining import Joined
from .pairing import Twins

__all__ = ["is_voc", "read_voc"]

MOST_BYTES = 2**24
Corners = tuple[float, float, float, float]


def is_voc(path: Path) -> bool:
    """Whether an XML file is Pascal VOC's, by its beginning."""
    with path.open("rb") as file:
        return re.search(rb"<annotation[\s>]", file.read(1024)) is not None


def read_voc(root: Path, files: Sequence[str], images: Sequence[str]) -> Annotations:
    """The boxes of some XML files, each of the image of its name (else of the one that its `filename` names).

    The format counts pixels from 1 and includes the last; files of which one has a 0 or a fraction of a pixel count from 0, as some
    tools write them. A box is half-open in either case.
    """
    twins = Twins(images)
    read: list[tuple[str, str, list[tuple[str, Corners, bool]], tuple[int, int] | None]] = []
    lost, rejected = 0, []
    for file in files:
        try:
            objects, size, named = _objects(as_path(root / file))
        except (Xml.ParseError, ValueError, OSError) as error:
            rejected.append((file, f"is no Pascal VOC file that can be read: {error}"))
            continue
        image = twins.of(file) or twins.of(f"{file.rpartition('/')[0]}/{named}")
        if image is None:
            lost += 1
            continue
        read.append((image, file, objects, size))
    numbers = [number for _, _, objects, _ in read for _, corner, _ in objects for number in corner]
    first = 1.0 if numbers and min(numbers) >= 1 and all(number.is_integer() for number in numbers) else 0.0
    classes = tuple(sorted({name for _, _, objects, _ in read for name, _, _ in objects}))
    index = {name: k for k, name in enumerate(classes)}
    joined = Joined()
    for image, file, objects, size in read:
        boxes = tuple(
            Box(index[name], x0 - first, y0 - first, x1, y1, ignored) for name, (x0, y0, x1, y1), ignored in objects
        )
        joined.add(image, Annotated(boxes=boxes, size=size), file)
    notes = ([Message("annotations.files_absent", {"count": lost})] if lost else []) + [*joined.notes]
    return Annotations("detect", "voc", joined.images, classes, notes=tuple(notes), rejected=tuple(rejected))


def _objects(path: Path) -> tuple[list[tuple[str, Corners, bool]], tuple[int, int] | None, str]:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    tree = Xml.parse(path).getroot()
    found = []
    for each in tree.findall("object"):
        box = each.find("bndbox")
        if box is None:
            continue
        corners = tuple(float(box.findtext(name, "")) for name in ("xmin", "ymin", "xmax", "ymax"))
        if not is_there(corners):
            continue
        ignored = is_ignored(each.findtext("difficult"), each.findtext("ignore"))
        found.append(((each.findtext("name") or "").strip() or "object", corners, ignored))
    sides = [int(float(tree.findtext(f"size/{name}") or 0)) for name in ("height", "width")]
    size = (sides[0], sides[1]) if all(sides) else None
    return found, size, (tree.findtext("filename") or "").strip()  # type: ignore[return-value]
