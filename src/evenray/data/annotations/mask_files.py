"""Masks that are files of their own, one or several an image, beside the images or in a tree of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from evenray.core.errors import DataError
from evenray.core.messages import Message
from evenray.core.names import as_text

from .found import Annotated, Annotations
from .mask_names import stems_of_image
from .mask_ways import masks_by_image
from .pairing import Twins, by_number, check_folders, stem_of
from .same_masks import check_classes

__all__ = ["like", "mask_files", "masks_in_folder", "masks_like"]


def mask_files(root: Path, pairs: Mapping[str, str | None], images: Sequence[str]) -> Annotations:
    """The masks of `images` below `root`, of pairs of a mask and its image (None where that was not found)."""
    paired = {mask: image for mask, image in pairs.items() if image is not None}
    found, classes, told = masks_by_image(paired)
    used = {mask.file for own in found.values() for mask in own}
    check_folders(root, {mask: image for mask, image in paired.items() if mask in used}, images)
    if classes:
        check_classes(root, found, classes)
    lost = sum(image is None for image in pairs.values())
    notes = (*told, *([Message("annotations.masks_alone", {"count": lost})] if lost else []))
    annotated = {image: Annotated(tuple(masks)) for image, masks in found.items()}
    return Annotations("segment", "mask_files", annotated, classes, files=tuple(sorted(pairs)), notes=notes)


def masks_in_folder(root: Path, folder: Path, files: Sequence[str], images: Sequence[str]) -> Annotations:
    """The masks among `files` below a folder that the user named, each of the image of its name, else of its number; names are
    relative to `root`.

    Raises DataError where none has the name of an image.
    """
    above = as_text(Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix())
    masks = [file if above == "." else f"{above}/{file}" for file in files]
    pairs = _paired(masks, images)
    if all(image is None for image in pairs.values()):
        first = f", such as '{files[0]}'" if files else ""
        raise DataError(
            f"None of the {len(files)} files in '{folder}'{first} has the name of one of the {len(images)} images; a mask is called as"
            " its image, or with an ending such as _mask."
        )
    return mask_files(root, pairs, images)


def masks_like(
    root: Path, pattern: str, files: Sequence[str], masks: Mapping[str, str | None], images: Sequence[str]
) -> Annotations:
    """The masks among all files whose paths a pattern matches, each of the image that `masks` has for it, else told by names.

    Raises DataError where the pattern matches none, or none of the matches is an image's.
    """
    met = [file for file in files if like(pattern, file)]
    pairs = _paired([file for file in met if masks.get(file) is None], images)
    pairs |= {file: masks[file] for file in met if masks.get(file) is not None}
    least: dict[str | None, int] = {}  # a/mask/x.png comes before a/vague/mask/x.png
    for file, image in pairs.items():
        least[image] = min(least.get(image, file.count("/")), file.count("/"))
    pairs = {file: image for file, image in pairs.items() if file.count("/") == least[image]}
    if all(image is None for image in pairs.values()):
        raise DataError(
            f"--masks '{pattern}' is no file or folder, and as a pattern it matches {len(met)} files of the data, none of them called"
            " as an image; give a folder, or a pattern of paths such as '*/masks/*'."
        )
    return mask_files(root, pairs, images)


def like(pattern: str, file: str) -> bool:
    """Whether a pattern matches a path, or its end from a folder on.

    >>> like("*/lesion/*", "a/lesion/x.png"), like("*_lesion.bmp", "a/b_lesion.bmp"), like("lesion/*", "a/x.png")
    (True, True, False)
    """
    return fnmatch(f"/{file}", f"*/{pattern.removeprefix('/')}") or fnmatch(file, pattern)


def _paired(masks: Sequence[str], images: Sequence[str]) -> dict[str, str | None]:
    twins, pairs = Twins(images), dict[str, str | None]()
    for mask in masks:
        named = (twins.of(mask, stem) for stem in stems_of_image(stem_of(mask), inside=True))
        pairs[mask] = next((image for image in named if image is not None), None)
    if 2 * sum(image is None for image in pairs.values()) > len(pairs):
        known = set(images)
        for way in by_number([*images, *masks]):
            if way.keys() <= pairs.keys() and known.issuperset(way.values()):
                pairs |= {mask: image for mask, image in way.items() if pairs[mask] is None}
    return pairs
