"""Names of files of masks, none of which is that of another image: x.tif and x.png in one folder have one each."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain, count
from pathlib import Path

__all__ = ["own_names"]


def own_names(folder: Path, source: Path, stem: str, endings: Sequence[str], taken: Set[Path]) -> list[Path]:
    """Files below `folder`, called by the stem of a source and these endings; where one is taken, by the source's ending too, or a
    number.

    >>> here, source = Path("masks"), Path("x.png")
    >>> own_names(here, source, "x", ["_mask.png"], {here / "x_mask.png"})[0].name
    'x_png_mask.png'
    """
    ending = source.name[len(stem) :].strip(".").replace(".", "_")
    stems = chain([stem], [f"{stem}_{ending}"] if ending else [], (f"{stem}_{number}" for number in count(2)))
    files = ([folder / f"{one}{end}" for end in endings] for one in stems)
    return next(found for found in files if taken.isdisjoint(found))
