"""Which image a file of annotations belongs to: one of the same name, in the folder that has most in common with its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from evenray.core.errors import UsageError
from evenray.data.tables.match_paths import match_paths, without_ending

__all__ = ["FEWEST", "Twins", "by_number", "check_folders", "near_first", "nearest", "stem_of", "stem_of_channel"]

FEWEST = 3  # pairs from which a way of naming is one
MOST_WAYS, OFTEN = 60, 0.9  # ways of numbering; the share of the fewer numbers that two of them have in common


def stem_of(file: str) -> str:
    """The name of a file without folders and without the ending of an image or an annotation, in small letters.

    >>> stem_of("a/Scan 1.JPG"), stem_of("labels/Scan 1.txt"), stem_of("v.nii.gz")
    ('scan 1', 'scan 1', 'v')
    """
    name = file.rpartition("/")[2]
    bare = without_ending(name)
    bare = PurePosixPath(name).stem if bare == name and name.lower().endswith((".txt", ".xml", ".json")) else bare
    return (bare if bare.isascii() else unicodedata.normalize("NFC", bare)).casefold()


class Twins:
    """Images by the stems of their names."""

    def __init__(self, images: Iterable[str]) -> None:
        self.by_stem: dict[str, list[str]] = {}
        for image in images:
            self.by_stem.setdefault(stem_of(image), []).append(image)

    def of(self, file: str, stem: str | None = None) -> str | None:
        """The image of a file of annotations, None where there is none or where several fit equally.

        >>> twins = Twins(["train/images/a.png", "val/images/a.png"])
        >>> twins.of("val/labels/a.txt"), twins.of("labels/a.txt")
        ('val/images/a.png', None)
        """
        return nearest(file, self.by_stem.get(stem_of(file) if stem is None else stem, []))


def check_folders(root: Path, pairs: Mapping[str, str], images: Sequence[str]) -> None:
    """UsageError, with the options that choose, where most masks may as well be of images of the same name in other folders: which of
    the folders holds what is to be learnt on, and which something computed of it, only the user knows."""
    twins, tied = Twins(images), dict[str, list[str]]()
    for mask, image in pairs.items():
        same = [other for other in twins.by_stem.get(stem_of(image), ()) if other != image]
        if same and nearest(mask, [image, *same]) is None:
            tied[mask] = sorted({image, *same}, key=lambda file: (_likeness(mask, file), file), reverse=True)
    if 2 * len(tied) <= len(pairs):
        return
    mask, same = next(iter(sorted(tied.items())))
    best = sorted(file.rpartition("/")[0] for file in same if _likeness(mask, file) == _likeness(mask, same[0]))
    ways = " or ".join(f"'{root / folder}' --masks '{root / mask.rpartition('/')[0]}'" for folder in best)
    raise UsageError(
        f"{len(tied)} masks, such as '{mask}', may be of the images of the same names in any of the folders"
        f" {', '.join(map(repr, best))}; give the folder of the images as DATA: {ways}. Or move the others out of '{root}'."
    )


def near_first(names: Iterable[str], images: Sequence[str], folder: Path, root: Path) -> dict[str, str]:
    """The image below `root` that each name in a file of `folder` means: of those below that folder if one is so called, else any."""
    names, found = list(dict.fromkeys(names)), dict[str, str]()
    inside = folder.resolve()
    if inside != root.resolve() and inside.is_relative_to(root.resolve()):
        above = f"{inside.relative_to(root.resolve()).as_posix()}/"
        found = match_paths(names, [image for image in images if image.startswith(above)]).found
    return match_paths((name for name in names if name not in found), images, root=root.resolve().name).found | found


def nearest(file: str, images: Sequence[str]) -> str | None:
    """Of images the one whose folders are most like those of a file, by whole names and then by the words in them; of the channels
    of one image the first. None where several images are equally near.

    >>> nearest("test-mask/1.png", ["train-image/1.png", "test-image/1.png"])
    'test-image/1.png'
    """
    if len(images) < 2:
        return images[0] if images else None
    near = {image: _likeness(file, image) for image in images}
    best = sorted(image for image, likeness in near.items() if likeness == max(near.values()))
    return (
        best[0] if len({(image.rpartition("/")[0], stem_of_channel(stem_of(image))) for image in best}) == 1 else None
    )


def _likeness(file: str, image: str) -> tuple[int, int]:
    return _common(file, image), _shared_words(file, image)


def by_number(files: Iterable[str]) -> Iterator[dict[str, str]]:
    """Files that count as others do in paths that differ by words alone (images/21_training.tif and manual/21_manual1.gif, t007.tif
    and man_seg007.tif), each way with the one that is most like it first; those of a way by the files of the other.

    >>> images, masks = [f"images/{n:02}_test.tif" for n in range(3)], [f"manual/{n:02}_manual1.gif" for n in range(3)]
    >>> next(by_number([*images, *masks]))["images/01_test.tif"]
    'manual/01_manual1.gif'
    """
    by_skeleton: dict[str, list[tuple[str, list[int]]]] = {}
    for file in files:
        bare = without_ending(file)
        numbers = [int(number) for number in re.findall(r"\d+", bare)]
        by_skeleton.setdefault(re.sub(r"\d+", "#", bare), []).append((file, numbers))
    ways = [way for way in map(_numbered, by_skeleton.values()) if len(way) >= FEWEST]
    if len(ways) > MOST_WAYS:
        return
    for way in ways:
        first = next(iter(way.values()))
        others = [other for other in ways if len(way.keys() & other.keys()) >= OFTEN * min(len(way), len(other))]
        for other in sorted(others, key=lambda other: -_shared_words(first, next(iter(other.values())))):
            if other is not way and len(both := way.keys() & other.keys()) >= FEWEST:
                yield {way[number]: other[number] for number in both}


def _numbered(group: list[tuple[str, list[int]]]) -> dict[tuple[int, ...], str]:
    """The files of a group by the numbers in which they differ, each number once; nothing where several have the same."""
    columns = dict.fromkeys(zip(*(numbers for _, numbers in group), strict=True))
    told = list(zip(*(column for column in columns if len(set(column)) > 1), strict=True))
    found = dict(zip(told, (file for file, _ in group), strict=False))
    return found if len(found) == len(group) else {}


def _shared_words(one: str, other: str) -> int:
    """How many words the folders of two paths have in common."""
    return len(_words(one) & _words(other))


def _words(path: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", path.rpartition("/")[0].casefold()) if word}


def stem_of_channel(stem: str) -> str:
    """The name of a case, of the name of one of its channels as nnU-Net numbers them.

    >>> stem_of_channel("liver_001_0000"), stem_of_channel("liver_001")
    ('liver_001', 'liver_001')
    """
    return re.sub(r"_0\d{3}$", "", stem)


def _common(one: str, other: str) -> int:
    """How many folders two paths share, counted from their beginning and from their end."""
    first, second = one.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    for a, b in ((first, second), (first[::-1], second[::-1])):
        pairs = zip(a, b, strict=False)
        shared += next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))
    return shared
