"""Images under every corruption and grade, each corrupted at its file's own size before the contrast, as networks take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evenray.core.names import as_path
from evenray.core.types import Dataset
from evenray.data.letterbox import letterbox
from evenray.images.contrast import enhance
from evenray.images.corruptions import CORRUPTIONS, GRADES, corrupt
from evenray.images.readers import read

__all__ = ["LOOKS", "Look", "Looks", "looks", "sources"]


class Look(NamedTuple):
    """A corruption at a grade; grade 0 is the clean image."""

    corruption: str
    grade: int


LOOKS = (Look("", 0), *(Look(name, grade) for name in CORRUPTIONS for grade in range(1, GRADES + 1)))


class Source(NamedTuple):
    """A frame of a file."""

    file: str
    fragment: str


@dataclass(frozen=True)
class Looks:
    """How images are made: under which contrasts, of which side and channels, white at `scale`, from which seed."""

    root: str
    contrasts: tuple[str, ...]
    side: int
    channels: int
    scale: int
    value_range: tuple[float, float] | None
    seed: int


def sources(cases: Dataset) -> Iterator[Source]:
    """Where the images of cases are."""
    for file, fragment in cases.cases.select("file", "fragment").iter_rows():
        yield Source(file, fragment)


def looks(source: Source, how: Looks) -> NDArray[Any]:
    """One image under every contrast and in every one of LOOKS: uint8 or uint16 (contrasts, looks, side, side[, 3])."""
    image = read(as_path(Path(how.root, source.file)), fragment=source.fragment, value_range=how.value_range)
    shape = (how.side, how.side) + ((3,) if how.channels == 3 else ())
    made = np.empty((len(how.contrasts), len(LOOKS), *shape), np.uint8 if how.scale == 255 else np.uint16)
    for number, (corruption, grade) in enumerate(LOOKS):
        seen = corrupt(image, corruption, grade, how.seed) if grade else image
        for row, contrast in enumerate(how.contrasts):
            made[row, number] = letterbox(enhance(seen, contrast), how.side, how.channels, how.scale)[0]
    return made
