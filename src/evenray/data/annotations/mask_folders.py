"""Masks of an image that only their folders tell apart, such as `labels` and `masks`: two drawings, not two parts of one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from evenray.core.messages import Message

from .mask_names import CAMEL, MASK_WORDS

__all__ = ["OFTEN", "by_folder"]

OFTEN = 0.5  # the share of the images from which on a way of drawing is one of several, and not one mask more
KIND = re.compile(rf"(?:{MASK_WORDS}|labels?|마스크|분할)", re.IGNORECASE)
TRUTH = re.compile(r"(?:labels?|gts?|groundtruths?|segs?|segmentations?|분할)", re.IGNORECASE)
FIELD = re.compile(r"masks?", re.IGNORECASE)  # beside a truth, as retinal collections call the field of view
Words = tuple[str, ...]


def by_folder(ways: Mapping[str, Words], pairs: Mapping[str, str]) -> tuple[dict[str, Words], list[str], list[Message]]:
    """The ways of the masks that are used, of each kind that only a choice can tell apart one mask, and what is to be said.

    Masks of the field of view beside those of a truth are not used. Files of one folder are parts of one drawing, as are those of
    folders that numbers tell apart.

    >>> found, kinds, _ = by_folder({"labels/1.png": (), "masks/1.png": ()}, {"labels/1.png": "1.png", "masks/1.png": "1.png"})
    >>> found, kinds
    ({'labels/1.png': ()}, [])
    """
    called = {mask: _kind(mask, pairs[mask]) for mask in ways}
    several = _several(ways, called, pairs)
    beside = {way for (_, way), kinds in several.items() if any(TRUTH.fullmatch(kind) for kind in kinds)}
    # Where an image has a field of view alone, as those have whose truth is kept back, it is no truth either.
    fields = {mask for mask, way in ways.items() if way in beside and FIELD.fullmatch(called[mask])}
    kept = {mask: way for mask, way in ways.items() if mask not in fields}
    notes = []
    if fields:
        folders = sorted({called[mask] for mask in fields})
        notes.append(Message("annotations.field_folders", {"count": len(fields), "folders": folders}))
    kinds = {kind for own in _several(kept, called, pairs).values() for kind in own}
    return kept, [min(mask for mask in kept if called[mask] == kind) for kind in sorted(kinds)], notes


def _several(
    ways: Mapping[str, Words], called: Mapping[str, str], pairs: Mapping[str, str]
) -> dict[tuple[str, Words], set[str]]:
    """The kinds of masks that an image has of one way, where these are several, and that in enough of the images."""
    found: dict[tuple[str, Words], set[str]] = {}
    for mask, way in ways.items():
        if called[mask]:
            found.setdefault((pairs[mask], way), set()).add(called[mask])
    several = {place: kinds for place, kinds in found.items() if len(kinds) > 1}
    often = len({image for image, _ in several}) >= OFTEN * len(set(pairs.values()))
    return several if often else {}


def _kind(mask: str, image: str) -> str:
    """How the nearest folder of masks above a mask is called that is not its image's too; "" where there is none.

    >>> _kind("a/train_labels_2/liver/x.png", "a/images/x.png"), _kind("GT/x.png", "x.png"), _kind("a-seg/m.png", "a-seg/x.png")
    ('labels', 'gt', '')
    """
    above = set(image.split("/")[:-1])
    for step in reversed([step for step in mask.split("/")[:-1] if step not in above]):
        words = re.findall(r"[^\W\d_]+", CAMEL.sub("_", step))
        if found := " ".join(word.casefold() for word in words if KIND.fullmatch(word)):
            return found
    return ""
