"""Annotations of one image that stand in several files are joined."""

from __future__ import annotations

from collections.abc import Hashable

from evenray.core.messages import Message

from .found import Annotated

__all__ = ["Joined"]


class Joined:
    """Annotations by image: what several files say of one counts together, and an object that is in several of them once.

    >>> from evenray.data.annotations.found import Box
    >>> one, other, joined = Box(0, 1, 1, 5, 5), Box(1, 2, 2, 9, 9), Joined()
    >>> joined.add("a.png", Annotated(boxes=(one,)), "cells.json")
    >>> joined.add("a.png", Annotated(boxes=(one, other)), "nuclei.json")
    >>> joined.images["a.png"].boxes == (one, other), joined.notes[0].code
    (True, 'annotations.several_files')
    """

    def __init__(self) -> None:
        self.images: dict[str, Annotated] = {}
        self._sources: dict[str, set[Hashable]] = {}

    def add(self, image: str, own: Annotated, source: Hashable) -> None:
        """What a source, such as a file, says of an image."""
        before = self.images.get(image)
        self._sources.setdefault(image, set()).add(source)
        if before is None:
            self.images[image] = own
            return
        masks = dict.fromkeys((*before.masks, *own.masks))
        boxes = dict.fromkeys((*before.boxes, *own.boxes))
        self.images[image] = Annotated(tuple(masks), tuple(boxes), own.size or before.size)

    @property
    def notes(self) -> tuple[Message, ...]:
        """That some images are of several sources, where they are."""
        count = sum(len(sources) > 1 for sources in self._sources.values())
        return (Message("annotations.several_files", {"count": count}),) if count else ()
