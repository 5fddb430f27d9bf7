"""What lies among images and is none to train on by itself: masks, copies of the whole folder inside it, thumbnails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evenray.core.names import as_path
from evenray.data.annotations.mask_files import like as is_like
from evenray.data.annotations.mask_names import is_mask_folder, masks_by_name
from evenray.data.annotations.masks_by_pixels import are_alike, masks_by_pixels, pictures_in_class_folders
from evenray.data.tables.match_paths import without_ending

__all__ = ["Sorted", "sorted_out"]

FORMATS = (".dcm", ".tif", ".tiff", ".png", ".bmp", ".jpg", ".jpeg")  # those that keep most first
THUMBNAILS = re.compile(r"(?:thumb(?:nail)?s?|previews?|overlays?|썸네일)", re.IGNORECASE)
# What was computed of masks, or says where they are unsure, as NuInsSeg has it beside its images.
MAPS = re.compile(
    r"(?:dist(?:ance)?|weight(?:s|ed)?)[-_ ]?(?:maps?|transforms?)|overlays?[-_ ].+|vague[-_ ]?(?:areas?|regions?|masks?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sorted:
    """`images` are what is left; `masks` the masks, each with its image where that is found; `aside` counts by kind."""

    images: list[str]
    masks: dict[str, str | None]
    aside: dict[str, int]


def sorted_out(root: Path, files: list[str], told: Sequence[str] | None = None, like: str | None = None) -> Sorted:
    """Tell images from masks, copies and thumbnails: masks lie in folders of masks beside folders of images of the same names,
    or are called as an image with `_mask`, `GT_` or the like, or are called after images and have pixels as masks have. A
    file that no other is like stays an image. Where the user told the masks (`told`), no other is looked for; `like` is a pattern of
    paths of masks besides.

    >>> found = sorted_out(Path(), ["a/x.png", "a/x_mask.png", "a/y.png", "b_mask.png"])
    >>> found.images, found.masks
    (['a/x.png', 'a/y.png', 'b_mask.png'], {'a/x_mask.png': 'a/x.png'})
    """
    copies = _copies(root, files)
    left = [file for file in files if file not in copies]
    thumbnails = _thumbnails(left)
    left = [file for file in left if file not in thumbnails]
    meant = {file for file in left if like is not None and is_like(like, file)} | set(told or ())
    maps = _maps(left) - meant
    left = [file for file in left if file not in maps]
    masks: dict[str, str | None] = masks_by_name(left) if told is None else dict.fromkeys(told)
    pictures = pictures_in_class_folders(root, masks, left) if told is None else set[str]()
    masks = {mask: image for mask, image in masks.items() if mask not in pictures}
    left = [file for file in left if file not in masks]
    if told is None:
        unpaired = [mask for mask, image in masks.items() if image is None]
        masks |= masks_by_pixels(root, sorted([*left, *unpaired]))
        left = [file for file in left if file not in masks]
        # Of two files of its name one may have turned out to be a mask too.
        again = masks_by_name([*left, *(mask for mask, image in masks.items() if image is None)])
        masks |= {mask: image for mask, image in again.items() if mask not in pictures}
        masks |= {file: None for file in left if file in meant and file not in masks}
        left = [file for file in left if file not in masks]
    formats = _other_formats(root, left)
    left = [file for file in left if file not in formats]
    aside = {"mask": len(masks), "copy": len(copies), "thumbnail": len(thumbnails), "map": len(maps)}
    aside |= {"format": len(formats)}
    return Sorted(left, masks, {kind: count for kind, count in aside.items() if count})


def _copies(root: Path, files: list[str]) -> set[str]:
    """The files of a folder that holds all that lies beside it once more, as some archives unpack."""
    known, found = set(files), set()
    folders = Counter(tuple(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 1))
    for folder in folders:
        prefix, parent = "/".join(folder) + "/", "/".join(folder[:-1])
        if folder[-1:] != folder[-2:-1] and folder[-1] != root.resolve().name:
            continue
        inside = [file for file in files if file.startswith(prefix)]
        twins = {file: (f"{parent}/" if parent else "") + file[len(prefix) :] for file in inside}
        if inside and all(twin in known and _same_size(root, file, twin) for file, twin in twins.items()):
            found.update(inside)
    return found


def _same_size(root: Path, one: str, other: str) -> bool:
    try:
        return as_path(root / one).stat().st_size == as_path(root / other).stat().st_size
    except OSError:
        return False


def _thumbnails(files: list[str]) -> set[str]:
    """Files in folders of thumbnails, of new images (Keras writes them to `preview`) or of images that masks are drawn over, or called
    so, where other files of their names are."""
    called = {file for file in files if _stem(file) != without_ending(file.rpartition("/")[2]).casefold()}
    found = {file for file in files if any(THUMBNAILS.fullmatch(step) for step in file.split("/")[:-1])} | called
    stems = {_stem(file) for file in files if file not in found}
    return {file for file in found if _stem(file) in stems}


def _maps(files: list[str]) -> set[str]:
    """Files below folders of maps of masks, where files of their names are that are no masks by their folders."""
    found = {file for file in files if any(MAPS.fullmatch(step) for step in file.split("/")[:-1])}
    stems = {_stem(file) for file in files if found and file not in found and not _in_mask_folder(file)}
    return {file for file in found if _stem(file) in stems}


def _in_mask_folder(file: str) -> bool:
    return any(map(is_mask_folder, file.split("/")[:-1]))


def _other_formats(root: Path, files: list[str]) -> set[str]:
    """The files that lie beside one of the same name and picture in another format, where that is so of most; those of the format
    that keeps most are left."""
    names: dict[str, list[str]] = {}
    for file in files:
        names.setdefault(without_ending(file), []).append(file)
    several = [same for same in names.values() if len(same) > 1]
    ends = {tuple(sorted(PurePosixPath(file).suffix.lower() for file in same)) for same in several}
    if 2 * len(several) < len(names) or len(ends) != 1 or not set(*ends) <= set(FORMATS) or len(set(*ends)) < 2:
        return set()
    if not are_alike(root, [(same[0], same[1]) for same in several]):
        return set()
    best = {min(same, key=lambda file: FORMATS.index(PurePosixPath(file).suffix.lower())) for same in several}
    return {file for same in several for file in same} - best


def _stem(file: str) -> str:
    name = without_ending(file.rpartition("/")[2])
    return re.sub(rf"(?i)[-_. ]?{THUMBNAILS.pattern}$", "", name).casefold()
