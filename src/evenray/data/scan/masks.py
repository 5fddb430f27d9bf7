"""What lies among images and is none to train on by itself: masks, copies of the whole folder inside it, thumbnails."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evenray.core.names import as_path
from evenray.data.tables.match_paths import without_ending

from .mask_pixels import masks_by_pixels

__all__ = ["Sorted", "sorted_out"]

MASK_WORDS = r"masks?|seg|segs|segmentations?|gt|ground[-_ ]?truth|roi|rois|contours?|lesion[-_ ]?masks?|superpixels|annot(?:ation)?s?"
FOLDERS = re.compile(rf"(?:.*[-_ ])?(?:{MASK_WORDS}|label(?:s)?(?:tr|ts)|마스크|분할)(?:[-_ ].*)?", re.IGNORECASE)
ENDING = re.compile(rf"^(.+?)[-_. ](?:{MASK_WORDS}|label|manual\d?|마스크)(?:[-_. ]?\d+)?$", re.IGNORECASE)
START = re.compile(rf"^(?:{MASK_WORDS}|마스크)[-_. ]+(.+)$", re.IGNORECASE)
THUMBNAILS = re.compile(r"(?:thumb(?:nail)?s?|previews?|썸네일)", re.IGNORECASE)


@dataclass(frozen=True)
class Sorted:
    """`images` are what is left; `masks` the masks, each with its image where that is found; `aside` counts by kind."""

    images: list[str]
    masks: dict[str, str | None]
    aside: dict[str, int]


def sorted_out(root: Path, files: list[str]) -> Sorted:
    """Tell images from masks, copies and thumbnails: masks lie in folders of masks beside folders of images of the same names,
    or are called as an image with `_mask`, `GT_` or the like, or are called after images and have pixels as masks have. A
    file that no other is like stays an image.

    >>> found = sorted_out(Path(), ["a/x.png", "a/x_mask.png", "a/y.png", "b_mask.png"])
    >>> found.images, found.masks
    (['a/x.png', 'a/y.png', 'b_mask.png'], {'a/x_mask.png': 'a/x.png'})
    """
    copies = _copies(root, files)
    left = [file for file in files if file not in copies]
    masks: dict[str, str | None] = _masks(left)
    left = [file for file in left if file not in masks]
    masks |= masks_by_pixels(root, left)
    left = [file for file in left if file not in masks]
    thumbnails = _thumbnails(left)
    left = [file for file in left if file not in thumbnails]
    aside = {"mask": len(masks), "copy": len(copies), "thumbnail": len(thumbnails)}
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


def _masks(files: list[str]) -> dict[str, str | None]:
    by_stem: dict[tuple[str, str], list[str]] = {}
    for file in files:
        path = PurePosixPath(file)
        by_stem.setdefault((str(path.parent), without_ending(path.name).casefold()), []).append(file)
    found: dict[str, str | None] = {}
    named: dict[str, str] = {}  # files called as masks: the stem that their image should have
    for file in files:
        stem = without_ending(PurePosixPath(file).name)
        if ending := ENDING.match(stem) or START.match(stem):
            named[file] = ending[1].casefold()
    stems: dict[str, set[str]] = {}
    for (folder, stem), _ in by_stem.items():
        stems.setdefault(folder, set()).add(stem)
    starts = {
        folder: {stem[: cut.start()] for stem in all_ for cut in re.finditer(r"[-_. ]", stem) if not ENDING.match(stem)}
        for folder, all_ in stems.items()
        if named
    }
    for file, stem in named.items():
        folder = str(PurePosixPath(file).parent)
        twin = next((each for each in by_stem.get((folder, stem), ()) if each not in named), None)
        if twin is not None or stem in starts.get(folder, ()):
            found[file] = twin
    return found | _in_folders(files, by_stem, found)


def _in_folders(
    files: list[str], by_stem: dict[tuple[str, str], list[str]], found: dict[str, str | None]
) -> dict[str, str | None]:
    """The files below folders that are called as masks, where images of the same names lie elsewhere."""
    stems: dict[str, list[str]] = {}
    for (folder, stem), paths in by_stem.items():
        if not any(FOLDERS.fullmatch(step) for step in folder.split("/")):
            stems.setdefault(stem, []).extend(path for path in paths if path not in found)
    masks: dict[str, str | None] = {}
    folders: dict[str, list[str]] = {}
    for file in files:
        steps = file.split("/")[:-1]
        at = next((i for i, step in enumerate(steps) if FOLDERS.fullmatch(step)), None)
        if at is not None:
            folders.setdefault("/".join(steps[: at + 1]), []).append(file)
    for inside in folders.values():
        pairs: dict[str, str | None] = {}
        for file in inside:
            stem = without_ending(PurePosixPath(file).name).casefold()
            base = ENDING.match(stem)
            twins = stems.get(stem) or (stems.get(base[1]) if base else None) or []
            pairs[file] = min(twins, key=lambda twin: -_common(twin, file)) if twins else None
        if sum(twin is not None for twin in pairs.values()) >= 0.5 * len(pairs):
            masks |= pairs
    return masks


def _common(one: str, other: str) -> int:
    """How many folders two paths share from their beginning."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(one.count("/"), other.count("/")))


def _thumbnails(files: list[str]) -> set[str]:
    """Files in folders of thumbnails, where most files lie elsewhere."""
    found = {file for file in files if any(THUMBNAILS.fullmatch(step) for step in file.split("/")[:-1])}
    return found if len(found) * 2 <= len(files) else set()
