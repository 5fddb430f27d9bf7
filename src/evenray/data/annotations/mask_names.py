"""Masks that their names tell: files called as an image with `_mask`, `GT_` or the like, and files in folders of masks."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evenray.data.tables.match_paths import without_ending

from .pairing import nearest, stem_of_channel

__all__ = ["MASK_WORDS", "is_mask_folder", "masks_by_name", "stems_of_image"]

MASK_WORDS = r"masks?|seg|segs|segmentations?|gt|ground[-_ ]?truth|roi|rois|contours?|lesion[-_ ]?masks?|superpixels|annot(?:ation)?s?"
FOLDERS = re.compile(rf"(?:.*[-_ ])?(?:{MASK_WORDS}|label(?:s)?(?:tr|ts)|마스크|분할)(?:[-_ ].*)?", re.IGNORECASE)
ENDING = re.compile(rf"^(.+?)[-_. ](?:{MASK_WORDS}|label|manual\d?|마스크)(?:[-_. ]?\d+)?$", re.IGNORECASE)
WHOLE = re.compile(rf"(?:{MASK_WORDS}|label)", re.IGNORECASE)
FEW = 8  # files of a folder up to which one that is called `mask` alone is the mask of the others
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
START = re.compile(rf"^(?:{MASK_WORDS}|마스크)[-_. ]+(.+)$", re.IGNORECASE)


def is_mask_folder(name: str) -> bool:
    """Whether a folder is called as one of masks.

    >>> [is_mask_folder(name) for name in ("masks", "ManualMask", "labelsTr", "unmasked", "images")]
    [True, True, True, False, False]
    """
    return any(FOLDERS.fullmatch(way) for way in (name, CAMEL.sub("_", name)))


def stems_of_image(stem: str) -> list[str]:
    """What the image of a mask of this name may be called, the likeliest first.

    >>> stems_of_image("x_1_liver_mask"), stems_of_image("gt_x"), stems_of_image("x_1")
    (['x_1_liver_mask', 'x_1_liver', 'x_1', 'x'], ['gt_x', 'x'], ['x_1'])
    """
    called = ENDING.match(stem) or START.match(stem)
    if not called:
        return [stem]
    base = called[1].casefold()
    return [stem, base, *(base[: cut.start()] for cut in [*re.finditer(r"[-_. ]", base)][::-1] if cut.start())]


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
        called = stems_of_image(without_ending(PurePosixPath(file).name).casefold())[1:]
        twins = (each for name in called for each in by_stem.get((folder, name), ()) if each not in named)
        twin = next(twins, None)
        if twin is not None or stem in starts.get(folder, ()):
            found[file] = twin
    found |= _called_so(by_stem)
    return found | _in_folders(files, by_stem, found)


def _called_so(by_stem: dict[tuple[str, str], list[str]]) -> dict[str, str | None]:
    """The files called `segmentation` or `mask` and nothing else, in folders of a case each: the mask of the first other file."""
    folders: dict[str, list[str]] = {}
    for (folder, _), paths in by_stem.items():
        folders.setdefault(folder, []).extend(paths)
    found: dict[str, str | None] = {}
    for paths in folders.values():
        masks = [path for path in paths if WHOLE.fullmatch(without_ending(PurePosixPath(path).name))]
        images = sorted(set(paths) - set(masks))
        if masks and images and len(paths) <= FEW:
            found |= dict.fromkeys(masks, images[0])
    return found


def _in_folders(
    files: list[str], by_stem: dict[tuple[str, str], list[str]], found: dict[str, str | None]
) -> dict[str, str | None]:
    """The files below folders that are called as masks, where images of the same names lie elsewhere."""
    stems: dict[str, list[str]] = {}
    for (folder, stem), paths in by_stem.items():
        if not any(map(is_mask_folder, folder.split("/"))):
            for name in {stem, stem_of_channel(stem)}:
                stems.setdefault(name, []).extend(path for path in paths if path not in found)
    masks: dict[str, str | None] = {}
    folders: dict[str, list[str]] = {}
    for file in files:
        steps = file.split("/")[:-1]
        at = next((i for i, step in enumerate(steps) if is_mask_folder(step)), None)
        if at is not None:
            folders.setdefault("/".join(steps[: at + 1]), []).append(file)
    alone = _alone(files, folders)
    rests: dict[str, list[str]] = {}  # of bus_0001-l.png, as mask_0001-l.png has it
    for stem, paths in stems.items():
        rests.setdefault(re.split(r"[-_. ]", stem, maxsplit=1)[-1], []).extend(paths)
    for folder, inside in folders.items():
        if folder in alone:
            masks |= dict.fromkeys(inside, alone[folder])
            continue
        pairs: dict[str, str | None] = {}
        called = 0
        for file in inside:
            stem = without_ending(PurePosixPath(file).name).casefold()
            names = [*stems_of_image(stem), *(stem[: cut.start()] for cut in [*re.finditer(r"[-_ ]", stem)][::-1])]
            twins = next((stems[name] for name in names if name in stems), [])
            if not twins and (start := START.match(stem)):
                twins = rests.get(start[1].casefold(), [])
            if not twins:  # x_ODsegSoftmap.png, in a folder of masks
                begins = (stem[: cut.start()] for cut in [*re.finditer(r"[-_. ]", stem)][::-1])
                twins = next((stems[begin] for begin in begins if begin in stems), [])
            pairs[file] = nearest(file, twins)
            called += bool(twins)
        if called >= 0.5 * len(pairs):
            masks |= pairs
    return masks


def _alone(files: list[str], folders: dict[str, list[str]]) -> dict[str, str]:
    """The one image beside a folder of masks that have names of their own, an object each, where the folders above hold one image
    each."""
    inside = {file for masks in folders.values() for file in masks}
    beside: dict[str, list[str]] = {}
    for file in files:
        if file not in inside:
            for cut in re.finditer("/", file):
                beside.setdefault(file[: cut.start()], []).append(file)
    found = {}
    for folder in folders:
        images = beside.get(folder.rpartition("/")[0], [])
        if len(images) == 1:
            found[folder] = images[0]
    return found
