"""attributions/ and contrast/: where the network looked, and what the contrast did, as pictures with an index each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from evenray.core.facts import Told

from .drawn import DrawnMasks, Overlays
from .files import atomic
from .folder import RunFolder
from .record import Number, Record

__all__ = ["Attribution", "Attributions", "Check", "Gallery", "Preview", "Previews"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribution(_Entry):
    """A test case with its attribution map: both are PNG files beside the index.

    `label` and `predicted` are classes; of several findings, whether `finding` is absent or present.
    """

    case: str
    part: str
    finding: str = ""
    label: str
    predicted: str
    probability: float
    kind: Literal["mistake", "hit"]
    image: str
    map: str


class Check(_Entry):
    """A check of the maps by its code: a figure, what it should be, and whether it is."""

    name: str
    value: Number
    expected: Told
    passed: bool


class Attributions(Record):
    """The index of attributions/."""

    file: ClassVar[str] = "attributions/index.json"

    version: int = 2
    method: str
    layer: str
    checks: tuple[Check, ...]
    entries: tuple[Attribution, ...]


class Preview(_Entry):
    """A training image before and after a contrast: PNG files, histograms of 256 bins, and the curve where there is one."""

    case: str
    contrast: str
    before: str
    after: str
    value_range: tuple[float, float]
    histogram_before: list[int]
    histogram_after: list[int]
    curve: list[float] | None


class Previews(Record):
    """The index of contrast/."""

    file: ClassVar[str] = "contrast/index.json"

    version: int = 2
    entries: tuple[Preview, ...]


R = TypeVar("R", Attributions, Previews, DrawnMasks, Overlays)


@dataclass(frozen=True)
class Gallery(Generic[R]):
    """An index with the PNG files that it names."""

    index: R
    pictures: Mapping[str, bytes]

    def write(self, folder: RunFolder) -> list[str]:
        """Replace the folder of the gallery; returns the name of the index."""
        place = (folder / self.index.file).parent
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name, content in self.pictures.items():
            with atomic(place / name) as path:
                path.write_bytes(content)
        return self.index.write(folder.path)
