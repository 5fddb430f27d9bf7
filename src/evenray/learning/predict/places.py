"""In which folder below that of the answers the masks of each file lie: one for each folder of images."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from pathlib import PurePath

__all__ = ["folders_of"]


def folders_of(files: Iterable[str]) -> dict[str, PurePath]:
    """The folder of each file by its name; of names from elsewhere (absolute, or by `..`) the part that they do not share.

    >>> [str(folder) for folder in folders_of(["p1/a.png", "/data/p1/a.png", "/data/p2/a.png"]).values()]
    ['p1', 'p1', 'p2']
    """
    parents = {file: PurePath(file).parent for file in files}
    elsewhere = [parent.parts for parent in parents.values() if _outside(parent)]
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*elsewhere, strict=False)))
    return {file: _below(parent, shared) if _outside(parent) else parent for file, parent in parents.items()}


def _outside(folder: PurePath) -> bool:
    return folder.is_absolute() or ".." in folder.parts


def _below(folder: PurePath, shared: int) -> PurePath:
    return PurePath(*(part for part in folder.parts[shared:] if part not in ("..", folder.anchor)))
