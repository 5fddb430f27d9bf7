"""Several masks of an image: of classes, of readers, or of the field of view, told by how their files and folders are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from evenray.core.messages import Message

from .found import MaskFile
from .mask_names import MASK_WORDS
from .pairing import stem_of, stem_of_channel

__all__ = ["masks_by_image"]

WORD = re.compile(rf"(?:{MASK_WORDS}|labels?|images?|마스크|분할|\d+)", re.IGNORECASE)
READER = re.compile(
    r"(?:\d?(?:1st|2nd|3rd|first|second|third|manual|observer|reader|rater|expert|annotator|ho)\d*|[123]stho)",
    re.IGNORECASE,
)
FIELD = re.compile(r"(?:masks?|fov|field|valid)", re.IGNORECASE)
MOST_CLASSES, EACH = 64, 2  # classes that names may tell, and masks of each at the least


def masks_by_image(pairs: Mapping[str, str]) -> tuple[dict[str, list[MaskFile]], tuple[str, ...], list[Message]]:
    """The masks of each image, of pairs of a mask and its image; the classes that their names tell, () where they tell none; and
    what is to be said. Of several readers the first counts, and a mask of the field of view beside one of a reader is none.
    """
    ways = {mask: _words(mask, image) for mask, image in pairs.items()}
    notes = []
    readers = sorted({way for way in ways.values() if any(READER.fullmatch(word) for word in way)})
    if readers:
        others = {mask for mask, way in ways.items() if way not in readers}
        fields = {mask for mask in others if all(FIELD.fullmatch(word) for word in _plain(mask))}
        if fields and fields == others:
            notes.append(Message("annotations.fields", {"count": len(fields)}))
            ways = {mask: way for mask, way in ways.items() if mask not in fields}
        if len(readers) > 1:
            notes.append(Message("annotations.readers", {"count": len(readers), "name": " ".join(readers[0])}))
            ways = {mask: way for mask, way in ways.items() if way not in readers[1:]}
    tags = {mask: " ".join(word for word in way if not READER.fullmatch(word)) for mask, way in ways.items()}
    counts = Counter(tags.values())
    told = "" not in counts and 1 < len(counts) <= MOST_CLASSES and min(counts.values()) >= EACH
    classes = tuple(sorted(counts)) if told else ()
    found: dict[str, list[MaskFile]] = {}
    for mask in sorted(ways):
        found.setdefault(pairs[mask], []).append(MaskFile(mask, index=classes.index(tags[mask]) + 1 if told else None))
    return found, classes, notes


def _words(mask: str, image: str) -> tuple[str, ...]:
    """The words of a mask's name and folders that its image has not, and that do not say mask or number.

    >>> _words("masks/liver/x.png", "images/x.png"), _words("x_liver_mask_1.png", "x.png"), _words("1st_manual/a.gif", "images/a.tif")
    (('liver',), ('liver',), ('1st', 'manual'))
    """
    stem, base = stem_of(mask), stem_of_channel(stem_of(image))
    rest = stem.replace(base, " ", 1) if base in stem else ""
    above = {step.casefold() for step in image.split("/")[:-1]}
    steps = [step.casefold() for step in mask.split("/")[:-1] if step.casefold() not in above and step != ".."]
    words = [word for text in (*steps, rest) for word in re.split(r"[-_. ()]+", text)]
    return tuple(word for word in words if word and not WORD.fullmatch(word))


def _plain(mask: str) -> list[str]:
    """The words of the folder that a mask lies in."""
    return [
        word
        for word in re.split(r"[-_. ]+", mask.rpartition("/")[0].rpartition("/")[2])
        if word and not word.isdecimal()
    ]
