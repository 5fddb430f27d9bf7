"""Masks written as they come: those of a file at once, those of the slices of a DICOM series together when all files are done."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenray.images.readers import sniff
from evenray.images.writers.masks import series_of, write_masks, write_series

from .decoding import Item
from .places import folders_of

__all__ = ["Writing"]

Mask = NDArray[np.uint8]


class Writing:
    """Masks of `files` below `folder`, in a folder of theirs for each folder of images, no two images' in one file; slices wait
    compressed, a few kilobytes each."""

    def __init__(self, folder: Path, classes: Sequence[str], files: Sequence[Item]) -> None:
        self.folder, self.classes = folder, classes
        self.places = folders_of(item.file for item in files)
        self.added, self.taken = set[str](), set[Path]()
        self.written: dict[tuple[str, str], str] = {}
        self.waiting: dict[tuple[Path, tuple[str, ...]], list[tuple[Item, str, bytes, tuple[int, ...]]]] = {}

    def add(self, item: Item, masks: dict[str, Mask]) -> None:
        """The masks of a file by its fragments; of one that is given twice, those of the first time."""
        if item.file in self.added:
            return
        self.added.add(item.file)
        series = series_of(item.path) if sniff(item.path) == "dicom" else None
        if series is None:
            self._write(item, masks)
            return
        ((fragment, mask),) = masks.items()
        of_series = self.waiting.setdefault((self._folder(item), series), [])
        of_series.append((item, fragment, zlib.compress(mask.tobytes(), 1), mask.shape))

    def done(self) -> dict[tuple[str, str], str]:
        """Write what waits; where the mask of each file and fragment is, below the folder."""
        for (folder, _), slices in self.waiting.items():
            masks = [np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape) for *_, packed, shape in slices]
            if len(slices) == 1:
                item, fragment, *_ = slices[0]
                self._write(item, {fragment: masks[0]})
                continue
            target = write_series([item.path for item, *_ in slices], folder, masks, self.classes, self.taken)
            self.taken.add(target)
            name = target.relative_to(self.folder).as_posix()
            self.written |= {(item.file, fragment): name for item, fragment, *_ in slices}
        self.waiting.clear()
        return self.written

    def _write(self, item: Item, masks: dict[str, Mask]) -> None:
        targets = write_masks(item.path, self._folder(item), masks, self.classes, self.taken)
        self.taken.update(targets)
        each = targets if len(targets) == len(masks) else targets * len(masks)  # one file for a volume or a SEG
        for fragment, target in zip(masks, each, strict=True):
            self.written[item.file, fragment] = target.relative_to(self.folder).as_posix()

    def _folder(self, item: Item) -> Path:
        return self.folder / self.places[item.file]
