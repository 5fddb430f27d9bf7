"""Masks that their names tell: files called as an image with `_mask`, `GT_` or the like, and files in folders of masks."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evenray.data.tables.match_paths import without_ending

__all__ = ["masks_by_name", "stems_of_image"]

MASK_WORDS = r"masks?|seg|segs|segmentations?|gt|ground[-_ ]?truth|roi|rois|contours?|lesion[-_ ]?masks?|superpixels|annot(?:ation)?s?"
FOLDERS = re.compile(rf"(?:.*[-_ ])?(?:{MASK_WORDS}|label(?:s)?(?:tr|ts)|마스크|분할)(?:[-_ ].*)?", re.IGNORECASE)
ENDING = re.compile(rf"^(.+?)[-_. ](?:{MASK_WORDS}|label|manual\d?|마스크)(?:[-_. ]?\d+)?$", re.IGNORECASE)
START = re.compile(rf"^(?:{MASK_WORDS}|마스크)[-_. ]+(.+)$", re.IGNORECASE)


def stems_of_image(stem: str) -> list[str]:
    """What the image of a mask of this name may be called, the likeliest first.

    >>> stems_of_image("x_mask_1"), stems_of_image("gt_x"), stems_of_image("x")
    (['x_mask_1', 'x'], ['gt_x', 'x'], ['x'])
    """
    called = ENDING.match(stem) or START.match(stem)
    return [stem, called[1].casefold()] if called else [stem]


def masks_by_name(files: list[str]) -> dict[str, str | None]:
    """The files that are masks by their names and folders, each with its image, None where that is not found."""
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
