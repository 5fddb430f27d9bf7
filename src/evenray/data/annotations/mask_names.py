"""Masks that their names tell: files called as an image with `_mask`, `GT_` or the like, and files in folders of masks."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evenray.data.tables.match_paths import without_ending

from .pairing import nearest, stem_of_channel

__all__ = ["MASK_WORDS", "is_mask_folder", "masks_by_name", "stems_of_image"]

MASK_WORDS = (
    r"masks?|seg|segs|segmentations?|gts?|ground[-_ ]?truths?|roi|rois|contours?|lesion[-_ ]?masks?|superpixels"
    r"|anno(?:t(?:ation)?)?s?"
)
FOLDERS = re.compile(rf"(?:.*[-_ ])?(?:(?:{MASK_WORDS}|마스크|분할)(?:[-_ ].*)?|label(?:s)?(?:tr|ts)?)", re.IGNORECASE)
ENDING = re.compile(rf"^(.+?)[-_. ](?:{MASK_WORDS}|labels?|manual\d?|expert\d?|마스크)(?:[-_. ]?\d+)?$", re.IGNORECASE)
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


def stems_of_image(stem: str, *, inside: bool = False) -> list[str]:
    """What the image of a mask of this name may be called, the likeliest first; of a mask `inside` a folder of masks any ending may
    tell its class.

    >>> stems_of_image("x_1_liver_mask"), stems_of_image("gt_x"), stems_of_image("x_1")
    (['x_1_liver_mask', 'x_1_liver', 'x_1', 'x'], ['gt_x', 'x'], ['x_1'])
    >>> stems_of_image("eye_01_ma", inside=True)
    ['eye_01_ma', 'eye_01', 'eye']
    """
    called = ENDING.match(stem) or START.match(stem)
    if not called and not inside:
        return [stem]
    base = called[1].casefold() if called else stem
    cuts = (base[: cut.start()] for cut in [*re.finditer(r"[-_. ]", base)][::-1] if cut.start())
    return [*dict.fromkeys((stem, base, *cuts))]


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
    begun: dict[tuple[str, str], list[str]] = {}  # images by what their names begin with
    for (folder, stem), paths in by_stem.items() if named else ():
        others = [path for path in paths if path not in named]
        for cut in re.finditer(r"[-_. ]", stem) if others else ():
            begun.setdefault((folder, stem[: cut.start()]), []).extend(others)
    for file, stem in named.items():
        folder = str(PurePosixPath(file).parent)
        called = stems_of_image(without_ending(PurePosixPath(file).name).casefold())[1:]
        twins = (each for name in called for each in by_stem.get((folder, name), ()) if each not in named)
        twin = next(twins, None)
        if twin is None and (folder, stem) in begun:
            twin = _of_words(stem, begun[folder, stem])
            found[file] = twin
        elif twin is not None:
            found[file] = twin
    found |= _called_so(by_stem)
    return found | _in_folders(files, by_stem, found)


def _of_words(stem: str, images: list[str]) -> str | None:
    """Of images whose names begin with that of a mask the first, where words follow (x_flair.nii.gz and x_t1.nii.gz, x_img.png) and no
    number, which would count others."""
    rests = {without_ending(PurePosixPath(image).name)[len(stem) + 1 :]: image for image in images}
    words = {rest: image for rest, image in rests.items() if re.match(r"[^\W\d]", rest)}
    return words[min(words)] if words and len(words) == len(rests) else None


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


def _mask_folders(files: list[str]) -> set[str]:
    """The folders that are called as masks, but for those that hold the images too: all files, or a folder of masks beside others."""
    inside: dict[str, int] = {}
    for file in files:
        steps = file.split("/")[:-1]
        for at in range(len(steps)):
            if is_mask_folder(steps[at]):
                folder = "/".join(steps[: at + 1])
                inside[folder] = inside.get(folder, 0) + 1
    found = set()
    for folder, count in inside.items():
        below = {other for other in inside if other.startswith(f"{folder}/")}
        top = (other for other in below if not any(other.startswith(f"{each}/") for each in below))
        if count < len(files) and sum(inside[other] for other in top) in (0, count):
            found.add(folder)
    return found


def _in_folders(
    files: list[str], by_stem: dict[tuple[str, str], list[str]], found: dict[str, str | None]
) -> dict[str, str | None]:
    """The files below folders that are called as masks, where images of the same names lie elsewhere."""
    called_so = _mask_folders(files)
    folders: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    for (folder, stem), paths in by_stem.items():
        steps = folder.split("/")
        above = ("/".join(steps[: at + 1]) for at in range(len(steps)))
        if (own := next((each for each in above if each in called_so), None)) is not None:
            folders.setdefault(own, []).extend(paths)
            continue
        for name in {stem, stem_of_channel(stem)}:
            stems.setdefault(name, []).extend(path for path in paths if path not in found)
    masks: dict[str, str | None] = {}
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
            twins = next((stems[name] for name in stems_of_image(stem, inside=True) if stems.get(name)), [])
            if not twins and (start := START.match(stem)):
                twins = rests.get(start[1].casefold(), [])
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
