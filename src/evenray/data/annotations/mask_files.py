"""Masks that are files of their own, one or several an image, beside the images or in a tree of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.names import as_text

from .found import Annotated, Annotations
from .mask_names import stems_of_image
from .mask_ways import masks_by_image
from .pairing import Twins, stem_of

__all__ = ["mask_files", "masks_in_folder"]


def mask_files(pairs: Mapping[str, str | None]) -> Annotations:
    """The masks of images, of pairs of a mask and its image (None where that was not found)."""
    found, classes, told = masks_by_image({mask: image for mask, image in pairs.items() if image is not None})
    lost = sum(image is None for image in pairs.values())
    notes = (*told, *([Message("annotations.masks_alone", {"count": lost})] if lost else []))
    images = {image: Annotated(tuple(masks)) for image, masks in found.items()}
    return Annotations("segment", "mask_files", images, classes, files=tuple(sorted(pairs)), notes=notes)


def masks_in_folder(root: Path, folder: Path, files: Sequence[str], images: Sequence[str]) -> Annotations:
    """The masks among `files` below a folder that the user named, each of the image of its name; names are relative to `root`.

    Raises DataError where none has the name of an image.
    """
    twins, pairs = Twins(images), {}
    above = as_text(Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix())
    for file in files:
        mask = file if above == "." else f"{above}/{file}"
        named = (twins.of(file, stem) for stem in stems_of_image(stem_of(file)))
        pairs[mask] = next((image for image in named if image is not None), None)
    if all(image is None for image in pairs.values()):
        first = f", such as '{files[0]}'" if files else ""
        raise DataError(
            f"None of the {len(files)} files in '{folder}'{first} has the name of one of the {len(images)} images; a mask is called as"
            " its image, or with an ending such as _mask."
        )
    return mask_files(pairs)
