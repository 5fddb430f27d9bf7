"""Which image a file of annotations belongs to: one of the same name, in the folder that has most in common with its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from evenray.data.tables.match_paths import without_ending

__all__ = ["Twins", "nearest", "stem_of", "stem_of_channel"]


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


def nearest(file: str, images: Sequence[str]) -> str | None:
    """Of images the one whose folders are most like those of a file, of the channels of one image the first; None where several
    images are equally near."""
    if len(images) < 2:
        return images[0] if images else None
    common = {image: _common(file, image) for image in images}
    near = sorted(image for image, shared in common.items() if shared == max(common.values()))
    return (
        near[0] if len({(image.rpartition("/")[0], stem_of_channel(stem_of(image))) for image in near}) == 1 else None
    )


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
