"""Masks that no word tells: files named after an image, lying beside it in a twin folder, or numbered as it, of which only the pixels
say mask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

import numpy as np

from evenray.core.errors import EvenrayError
from evenray.core.names import as_path
from evenray.data.tables.match_paths import without_ending
from evenray.images.readers import fragments, middle, read, sniff

from .mask_pixels import mask_pixels, uncoloured
from .pairing import FEWEST, by_number

__all__ = ["are_alike", "masks_by_pixels", "pictures_in_class_folders"]

CELLS = re.compile(r"segs?|roi", re.IGNORECASE)  # that may be names of classes
ALIKE = 0.8  # correlation of a picture with itself as JPEG
SAMPLE = 5  # pairs that are opened for each
FOLDERS = 20  # names up to which a level of folders may hold one folder of masks
LEVELS = 8  # grey levels that a mask has at most
EXTREME, NEAR = 0.98, 0.04  # or: the share of pixels this near to its darkest or brightest, as in a mask saved as JPEG
SAME = 0.5  # or: of neighbours that are not both background the share that is equal, as in numbers of objects
Group = tuple[str, ...]  # a way of naming


def masks_by_pixels(root: Path, files: list[str]) -> dict[str, str]:
    """The files that are masks by their pixels, each with its image.

    What is opened are a few of the files that are called as another with a prefix, a suffix or another ending (x.png and
    x_lesion.png, GT_x.png, x.jpg and x.png), or as one in a twin folder. They are masks where all of these few have hardly a
    grey level and their twins many.
    """
    groups: dict[Group, dict[str, str]] = {}
    for group, file, twin in _pairs(files):
        groups.setdefault(group, {}).setdefault(file, twin)
    found: dict[str, str] = {}
    for pairs in groups.values():
        if len(pairs) >= FEWEST and _are_masks(root, pairs):
            found |= pairs
    for pairs in by_number([file for file in files if file not in found]):
        if not found.keys() & pairs.keys() and _are_masks(root, pairs):
            found |= pairs
    return found


def pictures_in_class_folders(root: Path, masks: Iterable[str], files: Iterable[str]) -> set[str]:
    """The files among `masks` in a folder such as SEG that stands beside three folders or more of the same names of files, as one of
    segmented neutrophils does among other cells, and that are pictures by their pixels."""
    beside: dict[tuple[str, str], set[str]] = {}
    for file in files:
        above, _, folder = file.rpartition("/")[0].rpartition("/")
        beside.setdefault((above, without_ending(file.rpartition("/")[2])), set()).add(folder)
    folders: dict[str, list[str]] = {}
    for file in masks:
        folder = file.rpartition("/")[0]
        above, _, name = folder.rpartition("/")
        if CELLS.fullmatch(name) and len(beside[above, without_ending(file.rpartition("/")[2])]) > FEWEST:
            folders.setdefault(folder, []).append(file)
    return {file for inside in folders.values() if _are_pictures(root, inside) for file in inside}


def are_alike(root: Path, pairs: list[tuple[str, str]]) -> bool:
    """Whether the files of pairs, of which a few are opened, show the same picture, as those saved in two formats do."""
    opened = []
    for pair in pairs[:: max(1, len(pairs) // SAMPLE)][:SAMPLE]:
        with suppress(EvenrayError, OSError):
            one, other = (read(as_path(root / file)).pixels.astype(np.float64) for file in pair)
            opened.append(one.shape == other.shape and float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) > ALIKE)
    return bool(opened) and all(opened)


def _are_pictures(root: Path, files: list[str]) -> bool:
    opened = []
    for file in files[:: max(1, len(files) // SAMPLE)][:SAMPLE]:
        with suppress(EvenrayError, OSError):
            opened.append(_is_flat(read(as_path(root / file)).pixels))
    return bool(opened) and not any(opened)


def _pairs(files: list[str]) -> Iterator[tuple[Group, str, str]]:
    """Ways of naming a file after another: the way, the file, and the other."""
    by_stem: dict[tuple[str, str], list[str]] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        by_stem.setdefault((folder, without_ending(name)), []).append(file)
    for (folder, stem), same in by_stem.items():
        for file in same:
            for twin in same:
                if file != twin:
                    yield ("ending", PurePosixPath(file).suffix), file, twin
        for cut in re.finditer(r"[-_. ]", stem):
            for way, rest in (
                (f"*{stem[cut.start() :]}", stem[: cut.start()]),
                (f"{stem[: cut.end()]}*", stem[cut.end() :]),
            ):
                if rest and (twins := by_stem.get((folder, rest))):
                    yield ("affix", way), same[0], twins[0]
    yield from _twin_folders(list(by_stem), by_stem)


def _twin_folders(
    places: list[tuple[str, str]], by_stem: dict[tuple[str, str], list[str]]
) -> Iterator[tuple[Group, str, str]]:
    paths = {place: place[0].split("/") for place in places if place[0]}
    for depth in range(max((len(steps) for steps in paths.values()), default=0)):
        deep = {place: steps for place, steps in paths.items() if len(steps) > depth}
        if not 2 <= len({steps[depth] for steps in deep.values()}) <= FOLDERS:
            continue
        alike: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for place, steps in deep.items():
            alike.setdefault((*steps[:depth], "", *steps[depth + 1 :], place[1]), []).append(place)
        for twins in alike.values():
            for place in twins:
                for other in twins:
                    if place != other:
                        group = ("folder", str(depth), paths[place][depth], paths[other][depth])
                        yield group, by_stem[place][0], by_stem[other][0]


def _are_masks(root: Path, pairs: dict[str, str]) -> bool:
    files = sorted(pairs)
    opened = 0
    for file in files[:: max(1, len(files) // SAMPLE)][:SAMPLE]:
        try:
            mask, image = _mask(as_path(root / file)), _image(as_path(root / pairs[file]))
        except (EvenrayError, OSError):
            continue
        if not _is_flat(mask) or _is_flat(image):
            return False
        opened += 1
    return opened >= FEWEST


def _mask(path: Path) -> np.ndarray:
    return uncoloured(mask_pixels(path, middle(fragments(path)) if sniff(path) == "nifti" else "", coloured=True))


def _image(path: Path) -> np.ndarray:
    return read(path, fragment=middle(fragments(path)), window="none").pixels


def _is_flat(pixels: np.ndarray) -> bool:
    """Whether pixels say where something is, and not how bright: few levels, few between the extremes, or areas of one value."""
    low, high = float(pixels.min()), float(pixels.max())
    near = NEAR * (high - low)
    if bool(((pixels <= low + near) | (pixels >= high - near)).mean() >= EXTREME):
        return True
    values, counts = np.unique(pixels, return_counts=True)
    if len(values) <= LEVELS:
        return True
    if pixels.ndim > 2:
        pixels = pixels[..., 0]
    left, right = pixels[:, :-1], pixels[:, 1:]
    inside = (left != values[counts.argmax()]) | (right != values[counts.argmax()])
    return bool(np.mean(left[inside] == right[inside]) >= SAME) if inside.any() else True
