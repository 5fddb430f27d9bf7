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

__all__ = ["NEEDED", "SHORTCUTS", "Attribution", "Attributions", "Check", "Gallery", "Preview", "Previews"]


# The checks without which maps are not believed, and those that tell shortcuts.
NEEDED = (
    "same_twice", "not_constant", "weights_randomised", "labels_randomised", "deletion_random", "insertion_random",
    "deletion_centre", "insertion_centre",
)  # fmt: skip
SHORTCUTS = {"border_covered": "border", "text_covered": "text"}


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribution(_Entry):
    """A test case with its attribution map: both are PNG files beside the index.

    `label` and `predicted` are classes; of several findings, whether `finding` is absent or present. Where nothing was called of a
    mask or of boxes `predicted` is "", and the map is of a class that is there. `window` is the part that is shown where the network
    sees a window of the image: left, top, right, bottom in pixels of the file, half-open.
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
    window: tuple[int, int, int, int] | None = None


class Check(_Entry):
    """A check of the maps by its code: a figure with its 95 % interval over patients (NaN where there is none to have), what it is
    held against, and whether it is as it should be; None where it only tells. `images` are those that it was made on."""

    name: str
    value: Number
    low: Number
    high: Number
    expected: Told
    passed: bool | None
    images: int
    patients: int


class Attributions(Record):
    """The index of attributions/.

    `explains` is the code of what is explained of an image: class, finding, pixels or box. `cascade` is how alike maps stay as
    blocks of the network become noise from the head down, by step; `curves` the mean probability as shares of the image are
    deleted or inserted, by "deletion" or "insertion" and the order: map, random, centre.
    """

    file: ClassVar[str] = "attributions/index.json"

    version: int = 3
    method: str
    layer: str
    explains: Literal["class", "finding", "pixels", "box"]
    checks: tuple[Check, ...]
    cascade: dict[str, Number]
    shares: tuple[float, ...]
    curves: dict[str, tuple[Number, ...]]
    entries: tuple[Attribution, ...]

    @property
    def against(self) -> tuple[str, ...]:
        """The checks that speak against believing the maps; the rule is docs/decisions/0029."""
        return tuple(check.name for check in self.checks if check.passed is False and check.name not in SHORTCUTS)

    @property
    def believed(self) -> bool:
        """Whether every check that can fail was made and passed."""
        made = {check.name for check in self.checks if check.passed is not None}
        return made >= set(NEEDED) and not self.against

    @property
    def shortcuts(self) -> tuple[str, ...]:
        """What the answers hang on that is no part of what is looked for: "border", "text"."""
        return tuple(
            SHORTCUTS[check.name] for check in self.checks if check.name in SHORTCUTS and check.passed is False
        )

    def check(self, name: str) -> Check | None:
        """The check of a name; None where it was not made."""
        return next((check for check in self.checks if check.name == name), None)


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
